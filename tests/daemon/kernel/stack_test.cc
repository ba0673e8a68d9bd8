// Awaiting uses no stack, whatever the build type: everything here runs on a small one.
#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <stdexcept>

#include "oj/nursery.h"
#include "oj/wait_queue.h"
#include "test_loop.h"

namespace oj {
namespace {

constexpr std::size_t kSmallStack = 256 << 10;
constexpr int kMany = 1'000'000;
constexpr int kDeep = 100'000;

void* Call(void* function) {
  (*static_cast<std::function<void()>*>(function))();
  return nullptr;
}

// Runs `task` to its end in a thread of its own; an overflow of its stack ends the process.
void RunOnSmallStack(Task<void> (*task)(TestLoop&)) {
  std::function<void()> run = [task] {
    TestLoop loop;
    Nursery root(loop, nullptr);
    root.Start(task(loop));
    loop.Run();
    EXPECT_TRUE(root.empty());
  };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kSmallStack), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, &Call, &run), 0);
  pthread_attr_destroy(&attributes);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
}

Task<int> One() { co_return 1; }
Task<int> ThrowsAtOnce() {
  throw std::runtime_error("broken");
  co_return 1;
}

Task<void> AwaitMany(TestLoop&) {
  int sum = 0;
  for (int i = 0; i < kMany; ++i) sum += co_await One();
  EXPECT_EQ(sum, kMany);
}
TEST(StackTest, AMillionTasksThatEndAtOnceUseNone) { RunOnSmallStack(&AwaitMany); }

Task<void> AwaitManyFailures(TestLoop&) {
  int caught = 0;
  for (int i = 0; i < kDeep; ++i) {
    try {
      co_await ThrowsAtOnce();
    } catch (const std::runtime_error&) {
      ++caught;
    }
  }
  EXPECT_EQ(caught, kDeep);
}
TEST(StackTest, TasksThatFailAtOnceUseNone) { RunOnSmallStack(&AwaitManyFailures); }

Task<void> WaitMany(TestLoop& loop) {
  for (int i = 0; i < kMany / 4; ++i) {
    co_await CancellationPoint();
    co_await Yield();
    co_await SleepFor(loop, Duration(1));
  }
  EXPECT_EQ(loop.elapsed(), Duration(kMany / 4));
}
TEST(StackTest, WaitsThatCompleteAtOnceUseNone) { RunOnSmallStack(&WaitMany); }

Task<int> Depth(TestLoop& loop, int depth) {
  if (depth == 0) {
    co_await Yield();
    co_return 0;
  }
  Task<int> deeper = Depth(loop, depth - 1);
  const int below = co_await std::move(deeper);
  co_return below + 1;
}
Task<void> AwaitDeep(TestLoop& loop) {
  const int depth = co_await Depth(loop, kDeep);
  EXPECT_EQ(depth, kDeep);
}
TEST(StackTest, ADeepChainOfTasksUsesNone) { RunOnSmallStack(&AwaitDeep); }

Task<void> CancelDeep(TestLoop& loop) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kOperator);
  Task<int> deep = Depth(loop, kDeep);
  bool cancelled = false;
  try {
    co_await std::move(deep).In(scope);
  } catch (const Cancelled&) {
    cancelled = true;
  }
  EXPECT_TRUE(cancelled);
}
TEST(StackTest, CancelThatUnwindsADeepChainUsesNone) { RunOnSmallStack(&CancelDeep); }

Task<void> NoBody(Nursery& nursery) {
  struct Child {
    static Task<void> Run() { co_return; }
  };
  nursery.Start(Child::Run());
  co_return;
}
Task<void> NurseMany(TestLoop&) {
  for (int i = 0; i < kDeep; ++i) co_await WithNursery(&NoBody);
}
TEST(StackTest, NurseriesOneAfterTheOtherUseNone) { RunOnSmallStack(&NurseMany); }

}  // namespace
}  // namespace oj
