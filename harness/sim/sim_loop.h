// SimLoop: runs strands one turn at a time, in virtual time. Which ready strand is next, whether
// timers that are due at one instant fire together, and whether one that is due soon overtakes
// ready work, is a decision; within a strand the order is FIFO.
#pragma once

#include <cstdint>
#include <vector>

#include "oj/clock.h"
#include "sim/decisions.h"

namespace oj::sim {

// A timer of the simulated world: calls one of its owner's functions.
template <class Owner, void (Owner::*kCall)()>
class WorldTimer final : public Timer {
 public:
  explicit WorldTimer(Owner& owner) : owner_(owner) {}

 private:
  void OnDue() noexcept override { (owner_.*kCall)(); }
  Owner& owner_;
};

class SimLoop final : public Executor, public Clock {
 public:
  static constexpr Duration kLongestStall = std::chrono::milliseconds(50);
  static constexpr Duration kMostStall = std::chrono::seconds(1);

  SimLoop(Decisions& decisions, Digest& digest, std::uint64_t max_steps, Duration max_time)
      : decisions_(decisions), digest_(digest), max_steps_(max_steps), max_time_(max_time) {}

  Instant Now() const override { return now_; }
  WallMillis WallNow() const override;
  void OnReady(Strand& strand) noexcept override { ready_.PushBack(strand); }

  // One turn of one strand, or one timer. False: the world is at rest, or a budget is used up.
  bool Step();
  std::uint64_t steps() const { return steps_; }
  // By which things were late: in a loop that stalled, in a machine that slept.
  Duration stalled() const { return stalled_ + slept_; }
  // The machine sleeps: all that comes due meanwhile comes late.
  void Sleep(Duration time);
  void SetWallClock(Duration by) { wall_ += by; }
  bool exhausted() const { return exhausted_; }
  // The budget for what follows: `Step` goes on where it was used up.
  void Extend(std::uint64_t steps, Duration time);
  std::size_t armed_timers();

 private:
  std::uint32_t CountReady();
  bool Overtakes(const Timer& timer);
  void RunStrand(std::uint32_t count);
  void FireEarliest();
  void Fire(Timer& timer);
  void Note(std::uint64_t who, std::uint64_t choice);

  Decisions& decisions_;
  Digest& digest_;
  std::uint64_t max_steps_;
  Duration max_time_;
  Instant now_{};
  std::uint64_t steps_ = 0;
  Duration stalled_{};
  Duration slept_{};
  Duration wall_{};  // by which the wall clock was set
  bool exhausted_ = false;
  HookList<Strand, ExecutorTag> ready_;
  std::vector<Timer*> due_;
  std::vector<std::uint32_t> who_;  // the strands that are ready
};

}  // namespace oj::sim
