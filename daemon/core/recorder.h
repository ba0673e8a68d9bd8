// Recorder: the flight recorder: an EventLog that keeps the newest events in a ring of fixed size
// and hands each on. Recording allocates nothing; the oldest are overwritten whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oj/clock.h"
#include "oj/event_log.h"

namespace oj {

// What a recorder held at one moment, oldest first; a value of its own.
struct Recording {
  struct Entry {
    Instant at;
    WallMillis wall_ms;
    EventKind kind;
    std::uint64_t connection;
    std::uint64_t request;
    std::int64_t value;
    std::size_t begin, size;  // of the text, in `texts`
    std::size_t cut;          // bytes that the text had beyond that
  };
  std::vector<Entry> entries;
  std::string texts;
  std::uint64_t lost = 0;  // older ones, overwritten

  std::string_view TextOf(const Entry& entry) const {
    return std::string_view(texts).substr(entry.begin, entry.size);
  }
};

class Recorder final : public EventLog {
 public:
  // Below this nothing is recorded, only handed on.
  static constexpr std::size_t kLeastBytes = 1 << 16;
  static constexpr std::size_t kMostBytes = 256 << 20;
  // Of one text; what is longer is cut.
  static constexpr std::size_t kMostText = 16 << 10;

  Recorder(EventLog& next, const Clock& clock, std::size_t bytes);
  void Record(const LogEvent& event) override;
  Recording Copy() const;

  // Called at a defect ("defect") and when a key is quarantined ("quarantine"), once it is in the
  // ring; may be empty.
  std::function<void(std::string_view reason)> on_alarm;

 private:
  struct Slot {
    Instant at;
    WallMillis wall_ms;
    std::uint64_t connection;
    std::uint64_t request;
    std::int64_t value;
    std::uint64_t begin;  // of the text: bytes written before it, in all
    std::uint32_t size;
    std::uint32_t cut;
    EventKind kind;
  };

  void Keep(const LogEvent& event);
  Slot& At(std::uint64_t number) const { return slots_[number & (slot_count_ - 1)]; }
  WallMillis WallAt(Instant now);

  EventLog& next_;
  const Clock& clock_;
  const std::size_t slot_count_;
  const std::size_t arena_size_;
  const std::unique_ptr<Slot[]> slots_;
  // Not initialised: what nothing was put in takes no memory.
  const std::unique_ptr<char[]> arena_;
  std::uint64_t first_ = 0;    // the oldest event that is whole
  std::uint64_t count_ = 0;    // events, in all
  std::uint64_t written_ = 0;  // bytes of the arena, in all, with those left out at its end
  Instant wall_read_ = Instant::min();
  WallMillis wall_ms_ = 0;  // at wall_read_
};

}  // namespace oj
