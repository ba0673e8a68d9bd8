// WithDeadline and Shield.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "oj/clock.h"
#include "oj/wait_queue.h"
#include "test_loop.h"

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BoundedTest : public KernelTest {
 protected:
  Deadline In(Duration duration) const { return Deadline::After(loop.Now(), duration); }
};
using WithDeadlineTest = BoundedTest;
using ShieldTest = BoundedTest;

Task<int> ValueAfter(Clock& clock, Duration delay) {
  co_await SleepFor(clock, delay);
  co_return 7;
}
Task<int> ValueOnce(Event& event) {
  co_await event.WaitSet();
  co_return 7;
}
Task<int> ValueAtOnce() { co_return 7; }
Task<int> Fails(Clock& clock) {
  co_await SleepFor(clock, Duration(1));
  throw std::runtime_error("broken");
}
Task<int> Swallows(Clock& clock, Duration delay) {
  try {
    co_await SleepFor(clock, delay);
  } catch (const Cancelled&) {
  }
  co_return 8;
}

// Logs the bounded value or "struck", and then whether its own scope is cancelled.
Task<void> Report(Log& log, Task<std::optional<int>> bounded) {
  const std::optional<int> value = co_await std::move(bounded);
  log.push_back(value ? std::to_string(*value) : "struck");
  co_await CancellationPoint();
}

// Sets an event in the callback of its timer, before anything runs.
class SetterAt final : private Timer {
 public:
  SetterAt(Clock& clock, Deadline at, Event& event) : event_(event) { clock.Arm(*this, at); }

 private:
  void OnDue() noexcept override { event_.Set(); }
  Event& event_;
};

TEST_F(WithDeadlineTest, ValueInTimeIsReturnedAndTheTimerIsGone) {
  Start("a", Report(log, WithDeadline(loop, In(10ms), ValueAfter(loop, 3ms))));
  loop.Advance(3ms);
  EXPECT_THAT(log, ElementsAre("7", "a done"));
  EXPECT_FALSE(loop.has_timers());
}

TEST_F(WithDeadlineTest, StrikesAtTheDeadlineAndOnlyTheTaskIsCancelled) {
  Start("a", Report(log, WithDeadline(loop, In(10ms), ValueAfter(loop, 30ms))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("struck", "a done"));
  EXPECT_EQ(loop.elapsed(), 10ms);
}

Task<void> ReportVoid(Log& log, Task<bool> bounded) {
  const bool in_time = co_await std::move(bounded);
  log.push_back(in_time ? "in time" : "struck");
}

TEST_F(WithDeadlineTest, VoidTaskGivesWhetherItEndedInTime) {
  Start("a", ReportVoid(log, WithDeadline(loop, In(10ms), Sleep(loop, 3ms))));
  Start("b", ReportVoid(log, WithDeadline(loop, In(2ms), Watch(log, "inner", Sleep(loop, 3ms)))));
  loop.Run();
  EXPECT_THAT(log,
              ElementsAre("inner cancelled: deadline", "struck", "b done", "in time", "a done"));
}

TEST_F(WithDeadlineTest, OuterCancelIsThrownWithItsOwnReason) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Report(log, WithDeadline(loop, In(10ms), ValueAfter(loop, 30ms))));
  loop.RunReady();
  scope.Cancel(CancelReason::kOperator);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a cancelled: operator"));
  EXPECT_FALSE(loop.has_timers());
}

TEST_F(WithDeadlineTest, OuterCancelBeforeTheDeadlineIsThrownThoughBothStruckBeforeItRan) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Report(log, WithDeadline(loop, In(10ms), ValueAfter(loop, 30ms))));
  loop.RunReady();
  scope.Cancel(CancelReason::kOperator);
  loop.Stall(20ms);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a cancelled: operator"));
}

TEST_F(WithDeadlineTest, DeadlineBeforeTheOuterCancelStrikesAndTheCancelComesAtTheNextWait) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Report(log, WithDeadline(loop, In(10ms), ValueAfter(loop, 30ms))));
  loop.RunReady();
  loop.Stall(20ms);
  scope.Cancel(CancelReason::kOperator);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("struck", "a cancelled: operator"));
}

TEST_F(WithDeadlineTest, CompletionThatComesFirstAtTheSameInstantKeepsItsValue) {
  Event event;
  SetterAt setter(loop, In(10ms), event);  // armed first: fires first
  Start("a", Report(log, WithDeadline(loop, In(10ms), ValueOnce(event))));
  loop.RunReady();
  loop.Stall(10ms);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("7", "a done"));
}

TEST_F(WithDeadlineTest, DeadlineThatComesFirstAtTheSameInstantStrikes) {
  Event event;
  Start("a", Report(log, WithDeadline(loop, In(10ms), ValueOnce(event))));
  loop.RunReady();
  SetterAt setter(loop, In(10ms), event);
  loop.Stall(10ms);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("struck", "a done"));
}

TEST_F(WithDeadlineTest, ValueOfATaskThatCompletesThoughItWasCancelledIsKept) {
  Start("a", Report(log, WithDeadline(loop, In(10ms), Swallows(loop, 30ms))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("8", "a done"));
}

TEST_F(WithDeadlineTest, PassedDeadlineLetsATaskThatNeverWaitsComplete) {
  Start("a", Report(log, WithDeadline(loop, In(0ms), ValueAtOnce())));
  Start("b", Report(log, WithDeadline(loop, In(0ms), ValueAfter(loop, 1ms))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("7", "a done", "struck", "b done"));
  EXPECT_EQ(loop.elapsed(), 0ms);
}

TEST_F(WithDeadlineTest, NeverArmsNoTimer) {
  Event event;
  Start("a", Report(log, WithDeadline(loop, Deadline::Never(), ValueOnce(event))));
  loop.RunReady();
  EXPECT_FALSE(loop.has_timers());
  event.Set();
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("7", "a done"));
}

Task<void> FailsUnderRoof(Log& log, Clock& clock) {
  Task<std::optional<int>> bounded = WithDeadline(clock, Deadline::Never(), Fails(clock));
  try {
    co_await std::move(bounded);
  } catch (const std::runtime_error& error) {
    log.push_back(error.what());
  }
}

TEST_F(WithDeadlineTest, ErrorOfTheTaskPassesThrough) {
  Start("a", FailsUnderRoof(log, loop));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("broken", "a done"));
}

Task<int> InnerOfTwo(Log& log, Clock& clock, Deadline inner) {
  const auto value = co_await WithDeadline(clock, inner, ValueAfter(clock, 30ms));
  log.push_back("inner struck");
  co_return value.value_or(0);
}

TEST_F(WithDeadlineTest, EarlierOfTwoNestedDeadlinesStrikesAtItsOwnLevel) {
  Start("a", Report(log, WithDeadline(loop, In(10ms), InnerOfTwo(log, loop, In(20ms)))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("struck", "a done"));
  log.clear();
  Start("b", Report(log, WithDeadline(loop, In(20ms), InnerOfTwo(log, loop, In(10ms)))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("inner struck", "0", "b done"));
}

Task<std::unique_ptr<int>> MoveOnly() { co_return std::make_unique<int>(3); }
Task<void> TakeMoveOnly(Log& log, Clock& clock) {
  auto bounded = WithDeadline(clock, Deadline::Never(), MoveOnly());
  auto value = co_await std::move(bounded);
  log.push_back(std::to_string(**value));
}

TEST_F(WithDeadlineTest, MoveOnlyValuePasses) {
  Start("a", TakeMoveOnly(log, loop));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("3", "a done"));
}

TEST_F(ShieldTest, OuterCancelStaysOutAndStrikesAtTheNextWaitAfter) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Report(log, Shield(loop, In(100ms), ValueAfter(loop, 10ms))));
  loop.RunReady();
  scope.Cancel(CancelReason::kDisconnected);
  loop.Advance(9ms);
  EXPECT_THAT(log, IsEmpty());
  loop.Advance(1ms);
  EXPECT_THAT(log, ElementsAre("7", "a cancelled: disconnected"));
}

TEST_F(ShieldTest, RunsInAScopeThatIsCancelledAlready) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kDisconnected);
  StartIn(scope, "a", Report(log, Shield(loop, In(100ms), ValueAfter(loop, 10ms))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("7", "a cancelled: disconnected"));
}

TEST_F(ShieldTest, OwnLimitStrikes) {
  Start("a", Report(log, Shield(loop, In(10ms), ValueAfter(loop, 30ms))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("struck", "a done"));
  EXPECT_EQ(loop.elapsed(), 10ms);
}

Task<int> InnerShield(Log& log, Clock& clock, Deadline limit) {
  Task<std::optional<int>> inner = Shield(clock, limit, ValueAfter(clock, 30ms));
  const auto value = co_await std::move(inner);
  log.push_back(value ? "inner value" : "inner struck");
  co_await CancellationPoint();
  co_return 1;
}

TEST_F(ShieldTest, LimitOfAShieldDoesNotEnterAShieldInsideIt) {
  Start("a", Report(log, Shield(loop, In(10ms), InnerShield(log, loop, In(50ms)))));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("inner value", "struck", "a done"));
  EXPECT_EQ(loop.elapsed(), 30ms);
}

TEST_F(ShieldTest, OuterCancelEntersNeitherOfTwoShields) {
  CancelScope scope(nullptr);
  StartIn(scope, "a", Report(log, Shield(loop, In(60ms), InnerShield(log, loop, In(20ms)))));
  loop.RunReady();
  scope.Cancel(CancelReason::kOperator);
  loop.Run();
  EXPECT_THAT(log, ElementsAre("inner struck", "1", "a cancelled: operator"));
  EXPECT_EQ(loop.elapsed(), 20ms);
}

}  // namespace
}  // namespace oj
