// A wait allocates nothing: this binary counts every allocation.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "oj/wait_queue.h"
#include "test_loop.h"

namespace {
long allocations = 0;
}

// Not inlined: g++ 12 takes the malloc() and free() for a mismatch with the other operator.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace oj {
namespace {

constexpr int kWarmUp = 16;
constexpr int kWaits = 1000;

// Allocations of kWaits turns of the loop in `task`, which calls Mark() at each.
class AllocTest : public KernelTest {
 protected:
  void Mark() {
    if (++marks_ == kWarmUp) before_ = allocations;
    if (marks_ == kWarmUp + kWaits) after_ = allocations;
  }
  bool Done() const { return marks_ >= kWarmUp + kWaits; }
  long Measure(Task<void> task) {
    root.Start(std::move(task));
    loop.Run();
    EXPECT_TRUE(Done());
    return after_ - before_;
  }

  static Task<void> SleepAll(AllocTest& test) {
    for (; !test.Done(); test.Mark()) co_await SleepFor(test.loop, Duration(1));
  }
  static Task<void> YieldAll(AllocTest& test) {
    for (; !test.Done(); test.Mark()) co_await Yield();
  }
  static Task<void> EnterAll(AllocTest& test) {
    for (; !test.Done(); test.Mark()) co_await test.queue.Enter(1);
  }
  static Task<void> WakeAll(AllocTest& test) {
    while (!test.Done()) {
      if (!test.queue.empty()) test.queue.WakeFront();
      co_await Yield();
    }
  }
  static Task<void> BoundAll(AllocTest& test) {
    for (; !test.Done(); test.Mark()) {
      DeadlineScope scope(nullptr, test.loop, Deadline::After(test.loop.Now(), Duration(9)));
      co_await SleepFor(test.loop, Duration(1));
    }
  }
  static Task<void> EventAll(AllocTest& test) {
    for (; !test.Done(); test.Mark()) {
      Event event;
      Wakes wakes(test.loop, event);
      co_await event.WaitSet();
    }
  }
  class Wakes final : private Timer {
   public:
    Wakes(Clock& clock, Event& event) : event_(event) {
      clock.Arm(*this, Deadline::After(clock.Now(), Duration(1)));
    }

   private:
    void OnDue() noexcept override { event_.Set(); }
    Event& event_;
  };

  WaitQueue<int> queue;
  int marks_ = 0;
  long before_ = 0;
  long after_ = -1;
};

TEST_F(AllocTest, TheCounterCounts) {
  const long before = allocations;
  ::operator delete(::operator new(1));  // unlike a new-expression never optimized away
  EXPECT_EQ(allocations, before + 1);
}
TEST_F(AllocTest, SleepingAllocatesNothing) { EXPECT_EQ(Measure(SleepAll(*this)), 0); }
TEST_F(AllocTest, YieldingAllocatesNothing) { EXPECT_EQ(Measure(YieldAll(*this)), 0); }
TEST_F(AllocTest, DeadlineScopeAllocatesNothing) { EXPECT_EQ(Measure(BoundAll(*this)), 0); }
TEST_F(AllocTest, QueueingAllocatesNothing) {
  root.Start(WakeAll(*this));
  EXPECT_EQ(Measure(EnterAll(*this)), 0);
}
// WaitSet is a task, so its frame is the one allocation.
TEST_F(AllocTest, WaitingForAnEventAllocatesItsTaskAndNothingElse) {
  EXPECT_LE(Measure(EventAll(*this)), kWaits);
}

}  // namespace
}  // namespace oj
