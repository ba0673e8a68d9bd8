// Time as the core sees it: a Deadline is an absolute instant that is handed down; a timeout is a
// configured duration and exists at the edge only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace oj {

using Duration = std::chrono::nanoseconds;

// The monotonic clock behind Clock::Now(). It has no now() of its own, so nothing can bypass the
// seam. It counts the time that the machine was suspended: a client's five seconds are over after
// a night with the lid closed.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

// Wall-clock time, milliseconds since the epoch: for records, never for decisions.
using WallMillis = std::int64_t;

class Deadline {
 public:
  constexpr explicit Deadline(Instant at) : at_(at) {}
  static constexpr Deadline Never() { return Deadline(Instant::max()); }
  static constexpr Deadline After(Instant now, Duration timeout) {
    return timeout >= Instant::max() - now ? Never() : Deadline(now + timeout);
  }

  constexpr Instant at() const { return at_; }
  constexpr bool never() const { return at_ == Instant::max(); }
  constexpr bool PassedAt(Instant now) const { return now >= at_; }
  // Time left, not below zero.
  constexpr Duration LeftAt(Instant now) const {
    return never() ? Duration::max() : std::max(Duration::zero(), at_ - now);
  }
  constexpr Deadline Earlier(Deadline other) const { return at_ <= other.at_ ? *this : other; }
  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  Instant at_;
};

// Whole milliseconds, rounded to the nearest: for messages and the wire.
constexpr std::int64_t Millis(Duration d) {
  return std::chrono::round<std::chrono::milliseconds>(d).count();
}

}  // namespace oj
