#include "oj/nursery.h"

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "oj/wait_queue.h"
#include "test_loop.h"

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Task<void> FailAfter(Clock& clock, Duration delay, std::string what) {
  co_await SleepFor(clock, delay);
  throw std::runtime_error(what);
}

// A child whose clean-up takes a while, whatever its scope says.
Task<void> CleanUpFor(Clock& clock, Duration sleep, Duration clean_up) {
  bool cancelled = false;
  try {
    co_await SleepFor(clock, sleep);
  } catch (const Cancelled&) {
    cancelled = true;
  }
  if (!cancelled) co_return;
  co_await Shield(clock, Deadline::Never(), Sleep(clock, clean_up));
  co_await CancellationPoint();
}

// The same, and the clean-up fails.
Task<void> FailInCleanUp(Clock& clock, std::string what) {
  try {
    co_await SleepFor(clock, 1h);
  } catch (const Cancelled&) {
    throw std::runtime_error(what);
  }
}

// The body of a nursery as data: its children, then how long it takes and how it ends.
struct Body {
  TestLoop& loop;
  Log& log;
  std::vector<std::pair<std::string, Task<void>>> children;
  Duration takes = Duration::zero();
  std::string fails;

  Body& With(std::string name, Task<void> child) {
    children.emplace_back(std::move(name), std::move(child));
    return *this;
  }
  static Task<void> Run(Body& body, Nursery& nursery) {
    for (auto& [name, child] : body.children) {
      nursery.Start(Watch(body.log, name, std::move(child)));
    }
    if (body.takes > Duration::zero()) co_await SleepFor(body.loop, body.takes);
    if (!body.fails.empty()) throw std::runtime_error(body.fails);
    body.log.push_back("body done");
  }
};

class NurseryTest : public KernelTest {
 protected:
  Task<void> WithBody(WhenBodyEnds then = WhenBodyEnds::kJoin) {
    return WithNursery([this](Nursery& nursery) { return Body::Run(body, nursery); }, then);
  }
  Body body{loop, log, {}, Duration::zero(), ""};
};

TEST_F(NurseryTest, IsLeftOnlyWhenTheLastChildHasEnded) {
  body.With("a", Sleep(loop, 10ms)).With("b", Sleep(loop, 3ms));
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("body done", "b done", "a done", "nursery done"));
  EXPECT_EQ(loop.elapsed(), 10ms);
}

TEST_F(NurseryTest, WithoutChildrenIsLeftAtOnce) {
  Start("nursery", WithBody());
  ASSERT_TRUE(loop.RunTurn());
  EXPECT_THAT(log, ElementsAre("body done", "nursery done"));
}

TEST_F(NurseryTest, ChildrenStartInLaterTurnsInTheirOrder) {
  body.With("a", Sleep(loop, 0ms)).With("b", Sleep(loop, 0ms));
  Start("nursery", WithBody());
  ASSERT_TRUE(loop.RunTurn());
  EXPECT_THAT(log, ElementsAre("body done"));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("body done", "a done", "b done", "nursery done"));
}

TEST_F(NurseryTest, FailingChildCancelsItsSiblingsAndIsRethrown) {
  body.With("a", Sleep(loop, 10ms)).With("b", FailAfter(loop, 3ms, "broken"));
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("body done", "b failed: broken", "a cancelled: sibling",
                               "nursery failed: broken"));
  EXPECT_EQ(loop.elapsed(), 3ms);
}

TEST_F(NurseryTest, TheFirstOfTwoFailuresIsRethrown) {
  body.With("a", FailInCleanUp(loop, "second")).With("b", FailAfter(loop, 3ms, "first"));
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_EQ(log.back(), "nursery failed: first");
}

TEST_F(NurseryTest, FailingChildCancelsTheBodyToo) {
  body.With("a", FailAfter(loop, 3ms, "broken")).takes = 10ms;
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("a failed: broken", "nursery failed: broken"));
  EXPECT_EQ(loop.elapsed(), 3ms);
}

TEST_F(NurseryTest, FailingBodyCancelsTheChildrenAndWaitsForThem) {
  body.With("a", CleanUpFor(loop, 1h, 5ms)).takes = 3ms;
  body.fails = "broken";
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("a cancelled: sibling", "nursery failed: broken"));
  EXPECT_EQ(loop.elapsed(), 8ms);
}

TEST_F(NurseryTest, FailureOfTheBodyIsRethrownThoughAChildFailsAfterIt) {
  body.With("a", FailInCleanUp(loop, "second")).takes = 3ms;
  body.fails = "first";
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("a failed: second", "nursery failed: first"));
}

TEST_F(NurseryTest, FailureOfAChildWinsOverTheCancelThatCameToTheBody) {
  CancelScope scope(nullptr);
  body.With("a", FailInCleanUp(loop, "broken")).takes = 10ms;
  StartIn(scope, "nursery", WithBody());
  loop.RunReady();
  scope.Cancel(CancelReason::kOperator);
  loop.Run();
  EXPECT_EQ(log.back(), "nursery failed: broken");
}

Task<void> CancelOwnScope(Clock& clock) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kOperator);
  co_await RunIn(scope, Sleep(clock, 1ms));
}

TEST_F(NurseryTest, CancelledChildIsNoFailure) {
  body.With("a", CancelOwnScope(loop)).With("b", Sleep(loop, 3ms));
  Start("nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("body done", "a cancelled: operator", "b done", "nursery done"));
}

TEST_F(NurseryTest, EndOfTheBodyCancelsTheChildrenWhereAskedTo) {
  body.With("a", Sleep(loop, 1h)).takes = 3ms;
  Start("nursery", WithBody(WhenBodyEnds::kCancel));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("body done", "a cancelled: sibling", "nursery done"));
  EXPECT_EQ(loop.elapsed(), 3ms);
}

TEST_F(NurseryTest, OuterCancelReachesBodyAndChildrenAndIsRethrown) {
  CancelScope scope(nullptr);
  body.With("a", Sleep(loop, 10ms)).takes = 10ms;
  StartIn(scope, "nursery", WithBody());
  loop.RunReady();
  scope.Cancel(CancelReason::kShutdown);
  loop.Run();
  EXPECT_THAT(log, ElementsAre("a cancelled: shutdown", "nursery cancelled: shutdown"));
  EXPECT_EQ(loop.elapsed(), 0ms);
}

TEST_F(NurseryTest, OuterCancelDoesNotLeaveAChildBehind) {
  CancelScope scope(nullptr);
  body.With("a", CleanUpFor(loop, 1h, 5ms)).takes = 10ms;
  StartIn(scope, "nursery", WithBody());
  loop.RunReady();
  scope.Cancel(CancelReason::kShutdown);
  loop.Advance(4ms);
  EXPECT_THAT(log, IsEmpty());
  loop.Advance(1ms);
  EXPECT_THAT(log, ElementsAre("a cancelled: shutdown", "nursery cancelled: shutdown"));
}

TEST_F(NurseryTest, ChildStartedBelowACancelledScopeEndsAtItsFirstWait) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kShutdown);
  body.With("a", Sleep(loop, 10ms));
  StartIn(scope, "nursery", WithBody());
  loop.Run();
  EXPECT_THAT(log, ElementsAre("body done", "a cancelled: shutdown", "nursery done"));
  EXPECT_EQ(loop.elapsed(), 0ms);
}

Task<void> StartLate(TestLoop& loop, Log& log, Nursery& nursery) {
  co_await SleepFor(loop, 3ms);
  nursery.Start(Watch(log, "late", Sleep(loop, 3ms)));
}
Task<void> BodyWithLateStarter(TestLoop& loop, Log& log, Nursery& nursery) {
  nursery.Start(Watch(log, "starter", StartLate(loop, log, nursery)));
  co_return;
}

TEST_F(NurseryTest, ChildStartedByAChildIsWaitedForAfterTheBodyHasEnded) {
  Start("nursery",
        WithNursery([this](Nursery& nursery) { return BodyWithLateStarter(loop, log, nursery); }));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("starter done", "late done", "nursery done"));
  EXPECT_EQ(loop.elapsed(), 6ms);
}

// Counts those alive.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  Counted(const Counted& other) : alive_(other.alive_) { ++alive_; }
  ~Counted() { --alive_; }

 private:
  int& alive_;
};

Task<void> Holding(Counted counted, Task<void> task) {
  Counted local(counted);
  co_await std::move(task);
}
Task<void> HoldingBody(TestLoop& loop, int& alive, WaitQueue<int>& queue, Nursery& nursery) {
  Counted local(alive);
  nursery.Start(Holding(local, Sleep(loop, 1h)));
  nursery.Start(Holding(local, FailInCleanUp(loop, "never")));
  co_await queue.Enter(1);
}

TEST_F(NurseryTest, DestroyedInMidAirFreesAllFramesAndRunsNothing) {
  int alive = 0;
  WaitQueue<int> queue;
  std::optional<Nursery> world(std::in_place, loop, nullptr);
  world->Start(
      WithNursery([&](Nursery& nursery) { return HoldingBody(loop, alive, queue, nursery); }));
  loop.RunReady();
  ASSERT_EQ(alive, 5);
  world.reset();
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(loop.has_timers());
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(loop.RunTurn());
}

TEST_F(NurseryTest, DestroyedBeforeItsChildrenHaveBegunFreesTheirArguments) {
  int alive = 0;
  {
    Nursery world(loop, nullptr);
    world.Start(Holding(Counted(alive), Sleep(loop, 1ms)));
    ASSERT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(loop.RunTurn());
}

Task<void> JoinAndLog(Log& log, Nursery& nursery) {
  co_await nursery.Join();
  log.push_back("joined");
}

TEST_F(NurseryTest, JoinerDestroyedWhileWaitingIsForgotten) {
  Nursery joined(loop, nullptr);
  joined.Start(Sleep(loop, 3ms));
  {
    Nursery world(loop, nullptr);
    world.Start(JoinAndLog(log, joined));
    loop.RunReady();
  }
  loop.Run();
  EXPECT_TRUE(joined.empty());
  EXPECT_THAT(log, IsEmpty());
}

}  // namespace
}  // namespace oj
