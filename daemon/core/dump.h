// The dump of a flight recorder as text: one JSON object a line. The first says whose it is, under
// which settings; then what existed; then the events, oldest first.
#pragma once

#include <string>
#include <string_view>

#include "core/config.h"
#include "core/recorder.h"

namespace oj {

// As the first line has it: who reads another than he knows would misread it.
inline constexpr int kDumpFormat = 2;

struct Dump {
  std::string reason;  // "request", "defect", "quarantine"
  int pid = 0;
  Instant at;
  WallMillis wall_ms = 0;
  Config config;
  std::string state;  // lines
  Recording recording;
  bool redact = false;
};

std::string TextOf(const Dump& dump);

// "request_begun", as events are called in a dump.
std::string_view NameOf(EventKind kind);

}  // namespace oj
