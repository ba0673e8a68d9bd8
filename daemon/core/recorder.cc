#include "core/recorder.h"

#include <algorithm>
#include <bit>

namespace oj {
namespace {

// The wall clock is read this often; in between it goes as the other.
constexpr Duration kWallLasts = std::chrono::milliseconds(100);

}  // namespace

// Half for the events, half for their texts; both are powers of two, so that no place is found by
// a division.
Recorder::Recorder(EventLog& next, const Clock& clock, std::size_t bytes)
    : next_(next),
      clock_(clock),
      slot_count_(bytes < kLeastBytes ? 0 : std::bit_floor(bytes / 2 / sizeof(Slot))),
      arena_size_(bytes < kLeastBytes ? 0 : std::bit_floor(bytes / 2)),
      slots_(std::make_unique_for_overwrite<Slot[]>(slot_count_)),
      arena_(std::make_unique_for_overwrite<char[]>(arena_size_)) {}

void Recorder::Record(const LogEvent& event) {
  next_.Record(event);
  if (slot_count_ == 0) return;
  Keep(event);
  const bool alarm = event.kind == EventKind::kDefect || event.kind == EventKind::kKeyQuarantined;
  if (alarm && on_alarm) on_alarm(event.kind == EventKind::kDefect ? "defect" : "quarantine");
}

void Recorder::Keep(const LogEvent& event) {
  const std::size_t size = std::min(event.text.size(), kMostText);
  // A text is in one piece: what is left at the arena's end is left out.
  const std::size_t left = arena_size_ - (written_ & (arena_size_ - 1));
  const std::uint64_t begin = left < size ? written_ + left : written_;
  if (count_ - first_ == slot_count_) ++first_;
  // Whoever's text is about to be overwritten goes as a whole.
  while (first_ < count_ && At(first_).begin + arena_size_ < begin + size) ++first_;
  std::copy_n(event.text.data(), size, arena_.get() + (begin & (arena_size_ - 1)));
  written_ = begin + size;
  const Instant now = clock_.Now();
  At(count_++) = Slot{now,
                      WallAt(now),
                      event.connection,
                      event.request,
                      event.value,
                      begin,
                      static_cast<std::uint32_t>(size),
                      static_cast<std::uint32_t>(event.text.size() - size),
                      event.kind};
}

WallMillis Recorder::WallAt(Instant now) {
  if (wall_ms_ == 0 || now - wall_read_ >= kWallLasts) {
    wall_read_ = now;
    wall_ms_ = clock_.WallNow();
  }
  return wall_ms_ + Millis(now - wall_read_);
}

Recording Recorder::Copy() const {
  Recording copy;
  copy.lost = first_;
  copy.entries.reserve(count_ - first_);
  for (std::uint64_t i = first_; i < count_; ++i) {
    const Slot& slot = At(i);
    copy.entries.push_back({slot.at, slot.wall_ms, slot.kind, slot.connection, slot.request,
                            slot.value, copy.texts.size(), slot.size, slot.cut});
    copy.texts.append(arena_.get() + (slot.begin & (arena_size_ - 1)), slot.size);
  }
  return copy;
}

}  // namespace oj
