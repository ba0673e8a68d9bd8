// TestLoop: the smallest Executor and Clock that can run the kernel: one thread, virtual time that
// moves only when told, FIFO among strands or, with a seed, a free choice among them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "oj/clock.h"
#include "oj/nursery.h"

namespace oj {

class TestLoop final : public Executor, public Clock {
 public:
  TestLoop() = default;
  explicit TestLoop(std::uint64_t seed) : chooses_(true), random_(seed) {}

  Instant Now() const override { return now_; }
  WallMillis WallNow() const override { return wall; }
  Duration elapsed() const { return now_.time_since_epoch(); }
  bool has_timers() const { return timers_.Earliest() != nullptr; }

  // A strand stays linked while it runs, so that one with more wakes is not forgotten and one that
  // dies takes itself out; the next round drops it if it has nothing left to run.
  void OnReady(Strand& strand) noexcept override { ready_.PushBack(strand); }

  // One turn of one strand. False: nothing is ready.
  bool RunTurn() {
    Strand* strand = Choose();
    if (strand == nullptr) return false;
    strand->Unlink();
    ready_.PushBack(*strand);
    strand->RunOne();
    return true;
  }
  // Stands still until a test sets it.
  WallMillis wall = 0;

  void RunReady() {
    while (RunTurn()) {
    }
  }
  // Fires the timers due until then, one by one and at their own times, and runs what each of them
  // makes ready.
  void Advance(Duration duration) {
    const Instant end = now_ + duration;
    RunReady();
    while (FireNext(end)) RunReady();
    now_ = end;
  }
  // Moves the time and fires all that is due before anything runs, as after a stall.
  void Stall(Duration duration) {
    now_ += duration;
    while (FireNext(now_)) {
    }
  }
  // Until nothing is ready and no timer is armed.
  void Run() {
    RunReady();
    while (FireNext(Instant::max())) RunReady();
  }

 private:
  Strand* Choose() {
    std::uint64_t count = 0;
    ready_.ForEach([&](Strand& strand) {
      if (strand.ready()) {
        ++count;
      } else {
        strand.Unlink();
      }
    });
    if (count == 0) return nullptr;
    std::uint64_t skip = chooses_ ? random_() % count : 0;
    Strand* chosen = nullptr;
    ready_.ForEach([&](Strand& strand) {
      if (skip-- == 0) chosen = &strand;
    });
    return chosen;
  }
  bool FireNext(Instant until) {
    Timer* timer = timers_.PopDue(until);
    if (timer == nullptr) return false;
    now_ = std::max(now_, timer->due());
    timer->OnDue();
    return true;
  }

  Instant now_{};
  bool chooses_ = false;
  std::mt19937_64 random_;
  HookList<Strand, ExecutorTag> ready_;
};

using Log = std::vector<std::string>;

// Logs how `inner` ends: "a done", "a cancelled: deadline", "a failed: what".
inline Task<void> Watch(Log& log, std::string name, Task<void> inner) {
  try {
    co_await std::move(inner);
    log.push_back(name + " done");
  } catch (const Cancelled& cancelled) {
    log.push_back(name + " cancelled: " + std::string(Name(cancelled.reason)));
    throw;
  } catch (const std::exception& error) {
    log.push_back(name + " failed: " + error.what());
    throw;
  }
}

inline Task<void> Sleep(Clock& clock, Duration duration) { co_await SleepFor(clock, duration); }

// Runs `task` in `scope`, which must outlive it.
inline Task<void> RunIn(CancelScope& scope, Task<void> task) { co_await std::move(task).In(scope); }

// A loop and a nursery below which tests start their tasks.
class KernelTest : public ::testing::Test {
 protected:
  void Start(std::string name, Task<void> task) {
    root.Start(Watch(log, std::move(name), std::move(task)));
  }
  void StartIn(CancelScope& scope, std::string name, Task<void> task) {
    Start(std::move(name), RunIn(scope, std::move(task)));
  }

  TestLoop loop;
  Log log;
  Nursery root{loop, nullptr};
};

}  // namespace oj
