// WaitQueue: waiters in FIFO order. Event: a latch that any number of tasks can wait for.
#pragma once

#include "oj/task.h"

namespace oj {

// FIFO with hand-off: WakeFront gives the front waiter what it waits for before it runs, so nobody
// can overtake it. A waiter that is cancelled while it waits is taken out of the queue; one that
// was woken first owns what it was given, and passes it on when it unwinds. `T` says what is
// waited for (a mode, an amount).
template <class T>
class WaitQueue {
 public:
  class Waiter final : public Wait, private Hook<WaitQueue> {
   public:
    Waiter(WaitQueue& queue, T wants) : queue_(queue), wants_(std::move(wants)) {}
    void await_resume() const { ThrowIfCancelled(); }

   private:
    friend class WaitQueue;
    template <class, class>
    friend class HookList;
    bool Start() override {
      queue_.waiters_.PushBack(*this);
      return false;
    }
    void Abandon() noexcept override { Hook<WaitQueue>::Unlink(); }
    WaitQueue& queue_;
    T wants_;
  };

  // Wait for one's turn: `co_await queue.Enter(wants)`. Throws Cancelled.
  Waiter Enter(T wants) { return Waiter(*this, std::move(wants)); }
  bool empty() const { return waiters_.empty(); }
  const T& front() { return waiters_.Front().wants_; }
  void WakeFront() { waiters_.PopFront().Complete(); }
  template <class Visit>
  void ForEach(Visit visit) {
    waiters_.ForEach([&](Waiter& waiter) { visit(waiter.wants_); });
  }

 private:
  HookList<Waiter, WaitQueue> waiters_;
};

// Set once, stays set; waiting for a set event ends at once. Must outlive its waiters.
class Event {
 public:
  void Set() noexcept {
    set_ = true;
    while (!waiters_.empty()) waiters_.WakeFront();
  }
  bool is_set() const { return set_; }

  // `co_await event.WaitSet()`. Throws Cancelled.
  Task<void> WaitSet() {
    if (set_) co_return;
    auto turn = waiters_.Enter(true);
    co_await turn;
  }

 private:
  bool set_ = false;
  WaitQueue<bool> waiters_;
};

// Wakes the one task that has nothing to do. It looks for work before it waits, so a ring that
// nobody heard is no loss.
class Bell {
 public:
  void Ring() {
    if (!idle_.empty()) idle_.WakeFront();
  }
  WaitQueue<bool>::Waiter Heard() { return idle_.Enter(true); }

 private:
  WaitQueue<bool> idle_;
};

}  // namespace oj
