// The lanes of a timeline: what a trace says, sorted by who it is about. Drawing is timeline.cc's.
#pragma once

#include <string>
#include <vector>

#include "trace/trace.h"

namespace oj::sim {

struct Bar {
  Instant from;
  Instant to;
  char fill = '=';
};
struct Mark {
  Instant at;
  char sign = '|';
  std::string note;  // written behind it where there is room
};
enum class LaneKind { kFault, kClient, kRequest, kLease, kProcess, kDaemon };
struct Lane {
  LaneKind kind = LaneKind::kClient;
  std::string label;
  Instant began;
  std::vector<Bar> bars;
  std::vector<Mark> marks;
};

// Ordered by kind, then by when they began. What is still open ends with the trace, with a '>'.
std::vector<Lane> LanesOf(const Trace& trace);

}  // namespace oj::sim
