#include "oj/cancel.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <optional>

#include "oj/wait_queue.h"
#include "test_loop.h"

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using CancelTest = KernelTest;

Task<void> WaitFor(Event& event) { co_await event.WaitSet(); }

TEST_F(CancelTest, CancelBeforeStartThrowsAtTheFirstWaitAndArmsNothing) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Sleep(loop, 10ms));
  scope.Cancel(CancelReason::kOperator);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a cancelled: operator"));
  EXPECT_FALSE(loop.has_timers());
}

TEST_F(CancelTest, CancelWhileWaitingUnlinksAtOnceAndRunsNoUserCode) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Sleep(loop, 10ms));
  loop.RunReady();
  ASSERT_TRUE(loop.has_timers());

  scope.Cancel(CancelReason::kDisconnected);
  EXPECT_FALSE(loop.has_timers());
  EXPECT_THAT(log, IsEmpty());

  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a cancelled: disconnected"));
  EXPECT_EQ(loop.elapsed(), 0ms);
}

TEST_F(CancelTest, CompletedBeforeTheCancelKeepsItsResult) {
  CancelScope scope(nullptr);
  Event event;
  StartIn(scope, "a", WaitFor(event));
  loop.RunReady();
  event.Set();
  scope.Cancel(CancelReason::kDisconnected);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a done"));
}

TEST_F(CancelTest, CancelledBeforeTheCompletionThrows) {
  CancelScope scope(nullptr);
  Event event;
  StartIn(scope, "a", WaitFor(event));
  loop.RunReady();
  scope.Cancel(CancelReason::kDisconnected);
  event.Set();
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a cancelled: disconnected"));
}

TEST_F(CancelTest, TheFirstOfTwoReasonsWins) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Sleep(loop, 10ms));
  loop.RunReady();
  scope.Cancel(CancelReason::kDisconnected);
  scope.Cancel(CancelReason::kShutdown);
  loop.RunReady();
  EXPECT_EQ(scope.reason(), CancelReason::kDisconnected);
  EXPECT_THAT(log, ElementsAre("a cancelled: disconnected"));
}

Task<void> CancelAt(Clock& clock, Duration delay, CancelScope& scope) {
  co_await SleepFor(clock, delay);
  scope.Cancel(CancelReason::kOperator);
}

TEST_F(CancelTest, SiblingCancelsWhatWaits) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Sleep(loop, 10ms));
  Start("b", CancelAt(loop, 3ms, scope));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("b done", "a cancelled: operator"));
  EXPECT_EQ(loop.elapsed(), 3ms);
}

TEST_F(CancelTest, TaskThatCancelsItselfGoesOnToItsNextWait) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", CancelAt(loop, 3ms, scope));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("a done"));
}

TEST_F(CancelTest, ScopeBelowACancelledParentIsBornCancelled) {
  CancelScope parent(nullptr);
  parent.Cancel(CancelReason::kShutdown);
  CancelScope child(&parent);
  EXPECT_EQ(child.reason(), CancelReason::kShutdown);
}

TEST_F(CancelTest, CancelReachesTheWholeTreeBelowAndNothingAbove) {
  CancelScope parent(nullptr);
  CancelScope child(&parent);
  CancelScope grandchild(&child);
  StartIn(parent, "parent", Sleep(loop, 10ms));
  StartIn(grandchild, "grandchild", Sleep(loop, 10ms));
  loop.RunReady();
  child.Cancel(CancelReason::kOperator);
  loop.Run();
  EXPECT_THAT(log, ElementsAre("grandchild cancelled: operator", "parent done"));
}

TEST_F(CancelTest, GrandchildKeepsItsOwnEarlierReason) {
  CancelScope parent(nullptr);
  CancelScope child(&parent);
  child.Cancel(CancelReason::kDeadline);
  parent.Cancel(CancelReason::kShutdown);
  EXPECT_EQ(child.reason(), CancelReason::kDeadline);
}

TEST_F(CancelTest, DestroyedChildScopeIsForgotten) {
  CancelScope parent(nullptr);
  {
    CancelScope child(&parent);
  }
  parent.Cancel(CancelReason::kShutdown);  // asan sees it if the child was still linked
  EXPECT_TRUE(parent.cancelled());
}

// Tries each kind of wait and logs the ones that did not throw.
Task<void> TryEveryWait(TestLoop& loop, Log& log) {
  WaitQueue<int> queue;
  for (int kind = 0; kind < 8; ++kind) {
    try {
      if (kind % 4 == 0) co_await SleepFor(loop, Duration(1));
      if (kind % 4 == 1) co_await Yield();
      if (kind % 4 == 2) co_await CancellationPoint();
      if (kind % 4 == 3) co_await queue.Enter(1);
      log.push_back("went on");
    } catch (const Cancelled& cancelled) {
      log.push_back(std::string(Name(cancelled.reason)));
    }
  }
}

TEST_F(CancelTest, EveryLaterWaitThrowsAtOnceThoughTheFirstCancelledWasCaught) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kDeadline);
  StartIn(scope, "a", TryEveryWait(loop, log));
  ASSERT_TRUE(loop.RunTurn());
  EXPECT_FALSE(loop.RunTurn());  // all of it took one turn
  Log expected(8, "deadline");
  expected.push_back("a done");
  EXPECT_EQ(log, expected);
}

Task<void> SetThenSleep(Clock& clock, Event& begun) {
  begun.Set();
  co_await SleepFor(clock, Duration(1));
}

TEST_F(CancelTest, TaskInACancelledScopeRunsToItsFirstWait) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kShutdown);
  Event begun;
  StartIn(scope, "a", SetThenSleep(loop, begun));
  loop.RunReady();
  EXPECT_TRUE(begun.is_set());
  EXPECT_THAT(log, ElementsAre("a cancelled: shutdown"));
}

TEST_F(CancelTest, YieldGivesTheOtherStrandsATurn) {
  struct Steps {
    static Task<void> Two(Log& log, std::string name) {
      log.push_back(name + "1");
      co_await Yield();
      log.push_back(name + "2");
    }
  };
  root.Start(Steps::Two(log, "a"));
  root.Start(Steps::Two(log, "b"));
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a1", "b1", "a2", "b2"));
}

TEST_F(CancelTest, DestroyingASleepingFrameDisarmsItsTimer) {
  std::optional<Nursery> world(std::in_place, loop, nullptr);
  world->Start(Sleep(loop, 10ms));
  loop.RunReady();
  ASSERT_TRUE(loop.has_timers());
  world.reset();
  EXPECT_FALSE(loop.has_timers());
}

Task<void> EnterQueue(WaitQueue<int>& queue) { co_await queue.Enter(1); }

TEST_F(CancelTest, DestroyingAQueuedFrameTakesItOutOfTheQueue) {
  WaitQueue<int> queue;
  std::optional<Nursery> world(std::in_place, loop, nullptr);
  world->Start(EnterQueue(queue));
  loop.RunReady();
  ASSERT_FALSE(queue.empty());
  world.reset();
  EXPECT_TRUE(queue.empty());
}

TEST_F(CancelTest, DestroyingAReadyFrameTakesItOutOfTheReadyQueue) {
  WaitQueue<int> queue;
  std::optional<Nursery> world(std::in_place, loop, nullptr);
  world->Start(EnterQueue(queue));
  loop.RunReady();
  queue.WakeFront();
  world.reset();
  EXPECT_FALSE(loop.RunTurn());
}

TEST_F(CancelTest, DestroyingAWaitingFrameTakesItOutOfItsScope) {
  CancelScope scope(nullptr);
  std::optional<Nursery> world(std::in_place, loop, nullptr);
  world->Start(RunIn(scope, Sleep(loop, 10ms)));
  loop.RunReady();
  world.reset();
  scope.Cancel(CancelReason::kOperator);
  EXPECT_FALSE(loop.RunTurn());
}

TEST(CancelReasonTest, NamesFollowTheEnumeration) {
  EXPECT_EQ(Name(CancelReason::kNone), "none");
  EXPECT_EQ(Name(CancelReason::kDisconnected), "disconnected");
  EXPECT_EQ(Name(CancelReason::kSibling), "sibling");
}

}  // namespace
}  // namespace oj
