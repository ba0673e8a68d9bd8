// The small seams of the simulated world: chance and the event log.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "oj/event_log.h"
#include "oj/random.h"
#include "sim/sim_loop.h"
#include "trace/trace.h"

namespace oj::sim {

class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() override {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

class TraceEventLog final : public EventLog {
 public:
  TraceEventLog(const Clock& clock, Trace& trace) : clock_(clock), trace_(trace) {}
  void Record(const LogEvent& event) override {
    if (dead_ || IsForReplayOnly(event.kind)) return;
    LogEvent shown = event;
    std::string line;
    if (event.text.find('\0') != std::string_view::npos) {  // a command's arguments
      line = event.text;
      std::replace(line.begin(), line.end(), '\0', ' ');
      shown.text = line;
    }
    trace_.AddDaemon(clock_.Now(), shown);
  }
  // The daemon was killed: what its frames do when they are destroyed has not happened.
  void Die() { dead_ = true; }

 private:
  const Clock& clock_;
  Trace& trace_;
  bool dead_ = false;
};

}  // namespace oj::sim
