// Units: work that goes on when the request that began it is cancelled.
#include "core/unit.h"

#include <stdexcept>

#include "core_test_support.h"

namespace oj {
namespace {

Task<Result<int>> Work(Clock& clock, Log& log) {
  co_await SleepFor(clock, 1s);
  log.push_back("worked");
  co_return 7;
}
Task<Result<int>> Break(Clock& clock) {
  co_await SleepFor(clock, 1s);
  throw std::runtime_error("index out of range");
}
Task<void> AwaitUnit(Unit<int> unit, CancelScope& scope, std::optional<Result<int>>* out,
                     Log& log) {
  auto wait = unit.Done();
  co_await wait.EndIn(scope);
  if (wait.cancelled()) {
    log.push_back("gave up");
  } else {
    out->emplace(wait.Take());
  }
}

class UnitTest : public ::testing::Test {
 protected:
  void Begin(Task<Result<int>> work) {
    auto unit = Unit<int>::Begin(units, events, std::move(work));
    root.Start(AwaitUnit(std::move(unit), request, &result, log));
    loop.RunReady();
  }
  TestLoop loop;
  RecordingLog events;
  Log log;
  CancelScope request{nullptr};
  std::optional<Result<int>> result;
  Nursery units{loop, nullptr};
  Nursery root{loop, nullptr};
};

TEST_F(UnitTest, GivesItsValueToWhoBeganIt) {
  Begin(Work(loop, log));
  loop.Advance(1s);
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(**result, 7);
  EXPECT_TRUE(units.empty());
}

TEST_F(UnitTest, GoesOnWhenItsRequestIsCancelledWhichEndsAtOnce) {
  Begin(Work(loop, log));
  request.Cancel(CancelReason::kDisconnected);
  loop.RunReady();
  EXPECT_EQ(log, Log({"gave up"}));
  loop.Advance(1s);
  EXPECT_EQ(log, Log({"gave up", "worked"}));
  EXPECT_TRUE(units.empty());
}

TEST_F(UnitTest, DefectOfItIsInternalAndLoggedAndItsNeighboursLive) {
  Begin(Break(loop));
  units.Start([](Clock& clock, Log& steps) -> Task<void> {
    co_await SleepFor(clock, 2s);
    steps.push_back("neighbour");
  }(loop, log));
  loop.Advance(1s);
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().code, ErrorCode::kInternal);
  EXPECT_EQ(events.Count(EventKind::kDefect), 1U);
  loop.Advance(1s);
  EXPECT_EQ(log, Log({"neighbour"}));
}

TEST_F(UnitTest, IsCutOffByTheEndOfTheDaemon) {
  Begin(Work(loop, log));
  units.scope().Cancel(CancelReason::kShutdown);
  loop.RunReady();
  EXPECT_TRUE(units.empty());
  request.Cancel(CancelReason::kShutdown);
  loop.RunReady();
  EXPECT_EQ(log, Log({"gave up"}));
}

}  // namespace
}  // namespace oj
