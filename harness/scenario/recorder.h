// Recorder: collects what several observers see, each with its own idea of when, and makes a
// Trace of it in the order of time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "trace/trace.h"

namespace oj::sim {

class Recorder {
 public:
  Recorder() : start_(BootTime()) {}

  // From now on this is the run's begin; what was before has times below zero.
  void Restart() { start_ = BootTime(); }
  // Since the run's begin.
  Instant Now() const { return FromBootTime(BootTime()); }
  // From nanoseconds of CLOCK_BOOTTIME.
  Instant FromBootTime(std::int64_t ns) const { return Instant(Duration(ns - start_)); }

  void Add(Instant at, TraceKind kind, std::uint64_t subject, std::uint64_t object = 0,
           std::int64_t value = 0, std::string text = "") {
    events_.push_back({at, events_.size(), kind, subject, object, value, std::move(text)});
  }

  void NameClient(std::uint64_t client, std::string name) { clients_[client] = std::move(name); }

  Trace Finish() {
    std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return a.at != b.at ? a.at < b.at : a.order < b.order;
    });
    Trace trace;
    for (const auto& [client, name] : clients_) trace.NameClient(client, name);
    for (const Event& e : events_) trace.Add(e.at, e.kind, e.subject, e.object, e.value, e.text);
    return trace;
  }

 private:
  struct Event {
    Instant at;
    std::size_t order;  // of being recorded
    TraceKind kind;
    std::uint64_t subject;
    std::uint64_t object;
    std::int64_t value;
    std::string text;
  };
  static std::int64_t BootTime() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
  }

  std::int64_t start_;
  std::vector<Event> events_;
  std::map<std::uint64_t, std::string> clients_;
};

}  // namespace oj::sim
