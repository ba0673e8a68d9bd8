// Clock: the only source of time for the core, and what follows from it: timers, sleeping,
// deadlines and shields.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "oj/deadline.h"
#include "oj/task.h"

namespace oj {

class TimerQueue;

// Something due at an instant. Owned by whoever waits; its destructor disarms it. OnDue() only
// unlinks and posts; it runs no user code.
class Timer {
 public:
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  bool armed() const { return queue_ != nullptr; }
  Instant due() const { return due_; }
  void Disarm() noexcept;
  virtual void OnDue() noexcept = 0;

 protected:
  Timer() = default;
  virtual ~Timer() { Disarm(); }

 private:
  friend class TimerQueue;
  TimerQueue* queue_ = nullptr;
  std::size_t place_ = 0;
  std::uint64_t order_ = 0;
  Instant due_;
};

// A binary heap of timers by (due, order of arming): O(log n), no allocation per timer once grown.
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue() {
    for (Timer* timer : heap_) timer->queue_ = nullptr;
  }

  void Arm(Timer& timer, Instant due) {
    timer.Disarm();
    timer.queue_ = this;
    timer.due_ = due;
    timer.order_ = ++armed_;
    timer.place_ = heap_.size();
    heap_.push_back(&timer);
    Up(timer.place_);
  }
  Timer* Earliest() const { return heap_.empty() ? nullptr : heap_.front(); }
  // Takes the timer out and returns it, if one is due at `now`.
  Timer* PopDue(Instant now) {
    Timer* timer = Earliest();
    if (timer == nullptr || timer->due_ > now) return nullptr;
    timer->Disarm();
    return timer;
  }
  // Appends all timers due at or before `until`, in the order in which they would fire.
  void Due(Instant until, std::vector<Timer*>& out) const {
    const auto first = static_cast<std::ptrdiff_t>(out.size());
    Collect(0, until, out);
    std::sort(out.begin() + first, out.end(), [](auto* a, auto* b) { return Before(*a, *b); });
  }

 private:
  friend class Timer;
  static bool Before(const Timer& a, const Timer& b) {
    return a.due_ != b.due_ ? a.due_ < b.due_ : a.order_ < b.order_;
  }
  void Collect(std::size_t at, Instant until, std::vector<Timer*>& out) const {
    if (at >= heap_.size() || heap_[at]->due_ > until) return;
    out.push_back(heap_[at]);
    Collect(2 * at + 1, until, out);
    Collect(2 * at + 2, until, out);
  }
  void Put(std::size_t at, Timer* timer) {
    heap_[at] = timer;
    timer->place_ = at;
  }
  void Up(std::size_t at) {
    Timer* timer = heap_[at];
    for (; at > 0 && Before(*timer, *heap_[(at - 1) / 2]); at = (at - 1) / 2) {
      Put(at, heap_[(at - 1) / 2]);
    }
    Put(at, timer);
  }
  void Down(std::size_t at) {
    Timer* timer = heap_[at];
    for (std::size_t child; (child = 2 * at + 1) < heap_.size(); at = child) {
      if (child + 1 < heap_.size() && Before(*heap_[child + 1], *heap_[child])) ++child;
      if (!Before(*heap_[child], *timer)) break;
      Put(at, heap_[child]);
    }
    Put(at, timer);
  }
  void Remove(Timer& timer) noexcept {
    Timer* last = heap_.back();
    heap_.pop_back();
    if (last == &timer) return;
    Put(timer.place_, last);
    Up(last->place_);
    Down(last->place_);
  }

  std::vector<Timer*> heap_;
  std::uint64_t armed_ = 0;
};

inline void Timer::Disarm() noexcept {
  if (queue_ != nullptr) std::exchange(queue_, nullptr)->Remove(*this);
}

// Implementations: AsioLoop (CLOCK_BOOTTIME), SimLoop (virtual time). Outlives all timers.
class Clock {
 public:
  virtual Instant Now() const = 0;
  virtual WallMillis WallNow() const = 0;
  // `timer.OnDue()` will be called at or after `due`; never from within Arm. A timer that is armed
  // already is moved. A due time in the past is due at once; Deadline::Never() never.
  void Arm(Timer& timer, Deadline due) {
    if (due.never()) {
      timer.Disarm();
    } else {
      timers_.Arm(timer, due.at());
    }
  }

 protected:
  ~Clock() = default;
  TimerQueue timers_;
};

// Waits until `due`.
class SleepUntil final : public Wait, private Timer {
 public:
  SleepUntil(Clock& clock, Deadline due) : clock_(clock), due_(due) {}
  void await_resume() const { ThrowIfCancelled(); }

 private:
  bool Start() override {
    clock_.Arm(*this, due_);
    return false;
  }
  void Abandon() noexcept override { Disarm(); }
  void OnDue() noexcept override { Complete(); }
  Clock& clock_;
  Deadline due_;
};
inline SleepUntil SleepFor(Clock& clock, Duration duration) {
  return SleepUntil(clock, Deadline::After(clock.Now(), duration));
}

// A scope that cancels itself with kDeadline at `deadline`.
class DeadlineScope final : public CancelScope, private Timer {
 public:
  DeadlineScope(CancelScope* parent, Clock& clock, Deadline deadline) : CancelScope(parent) {
    clock.Arm(*this, deadline);
  }
  bool struck() const { return struck_; }

 private:
  void OnDue() noexcept override {
    struck_ = !cancelled();
    Cancel(CancelReason::kDeadline);
  }
  bool struck_ = false;
};

// What a bounded task gives: its value (void: true), or nothing if its own bound struck.
template <class T>
struct Bounded {
  using type = std::optional<T>;
};
template <>
struct Bounded<void> {
  using type = bool;
};

namespace internal {
template <class T>
Task<typename Bounded<T>::type> RunBounded(Clock& clock, Deadline deadline, Task<T> task,
                                           bool shielded) {
  const Here here = co_await WhereAmI();
  DeadlineScope scope(shielded ? nullptr : &here.scope, clock, deadline);
  co_await task.EndIn(scope);
  if (task.cancelled() && scope.struck()) co_return typename Bounded<T>::type();
  if constexpr (std::is_void_v<T>) {
    task.Take();
    co_return true;
  } else {
    co_return task.Take();
  }
}
}  // namespace internal

// Runs `task`; at `deadline` it is cancelled with kDeadline and the result is empty. A task that
// completes nevertheless keeps its value; one whose outer scope was cancelled throws Cancelled.
template <class T>
Task<typename Bounded<T>::type> WithDeadline(Clock& clock, Deadline deadline, Task<T> task) {
  return internal::RunBounded(clock, deadline, std::move(task), false);
}

// Runs `task` where the awaiter's cancel does not reach it, always with a limit of its own; at the
// limit it is cancelled and the result is empty. The awaiter's cancel strikes at its next wait.
template <class T>
Task<typename Bounded<T>::type> Shield(Clock& clock, Deadline limit, Task<T> task) {
  return internal::RunBounded(clock, limit, std::move(task), true);
}

}  // namespace oj
