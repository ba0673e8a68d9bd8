// For tests of daemon/core: a log that keeps what it hears, tasks whose value is kept, and calls
// at an instant.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../kernel/test_loop.h"
#include "oj/event_log.h"

namespace oj {

using namespace std::chrono_literals;

class RecordingLog final : public EventLog {
 public:
  struct Entry {
    EventKind kind;
    std::uint64_t request;
    std::int64_t value;
    std::string text;
  };
  void Record(const LogEvent& event) override {
    if (IsForReplayOnly(event.kind)) return;
    entries.push_back({event.kind, event.request, event.value, std::string(event.text)});
    if (heard) heard(entries.back());
  }
  std::size_t Count(EventKind kind) const {
    return static_cast<std::size_t>(std::count_if(
        entries.begin(), entries.end(), [kind](const Entry& entry) { return entry.kind == kind; }));
  }

  std::vector<Entry> entries;
  std::function<void(const Entry&)> heard;
};

// Keeps the value of `task`; nothing is kept of one that is cancelled.
template <class T>
Task<void> KeepValue(Task<T> task, std::optional<T>* out) {
  out->emplace(co_await std::move(task));
}

// Runs `call`, which only posts, at an instant.
class Alarm final : public Timer {
 public:
  explicit Alarm(std::function<void()> call) : call_(std::move(call)) {}

 private:
  void OnDue() noexcept override { call_(); }
  std::function<void()> call_;
};

}  // namespace oj
