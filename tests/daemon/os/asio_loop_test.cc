#include "os/asio_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "oj/nursery.h"
#include "oj/wait_queue.h"

namespace oj {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

Task<void> SleepThenNote(Clock& clock, Duration sleep, int note, std::vector<int>& notes) {
  co_await SleepFor(clock, sleep);
  notes.push_back(note);
}

Task<void> Fail() {
  co_await Yield();
  throw std::runtime_error("broken");
}

Task<void> YieldUntil(const bool& stop) {
  while (!stop) co_await Yield();
}

TEST(AsioLoopTest, TimersFireInTheOrderOfTheirDueTimes) {
  AsioLoop loop;
  std::vector<int> notes;
  const auto body = [](AsioLoop& l, std::vector<int>& to) -> Task<void> {
    Nursery nursery(l, nullptr);
    nursery.Start(SleepThenNote(l, milliseconds(9), 3, to));
    nursery.Start(SleepThenNote(l, milliseconds(1), 1, to));
    nursery.Start(SleepThenNote(l, milliseconds(5), 2, to));
    co_await nursery.Join();
  };

  loop.Run(body(loop, notes));

  EXPECT_THAT(notes, ElementsAre(1, 2, 3));
}

TEST(AsioLoopTest, ATimerIsNeverEarly) {
  AsioLoop loop;
  Duration slept{};
  const auto body = [](AsioLoop& l, Duration& took) -> Task<void> {
    const Instant start = l.Now();
    co_await SleepFor(l, microseconds(1500));
    took = l.Now() - start;
  };

  loop.Run(body(loop, slept));

  EXPECT_GE(slept, microseconds(1500));
}

TEST(AsioLoopTest, AnEarlierTimerMovesTheAlarmAndAPastOneIsDueAtOnce) {
  AsioLoop loop;
  std::vector<int> notes;
  const auto body = [](AsioLoop& l, std::vector<int>& to) -> Task<void> {
    DeadlineScope late(nullptr, l, Deadline::After(l.Now(), hours(1)));
    co_await SleepFor(l, milliseconds(2));  // the alarm is set for the hour, then for this
    to.push_back(1);
    co_await SleepUntil(l, Deadline(Instant(seconds(-1))));
    to.push_back(2);
    co_await SleepFor(l, milliseconds(2));
    to.push_back(3);
  };

  loop.Run(body(loop, notes));

  EXPECT_THAT(notes, ElementsAre(1, 2, 3));
}

TEST(AsioLoopTest, TheFailureOfTheRootTaskIsRethrown) {
  AsioLoop loop;

  EXPECT_THROW(loop.Run(Fail()), std::runtime_error);
}

TEST(AsioLoopTest, ALoopRunsAgainAfterItHasReturned) {
  AsioLoop loop;
  std::vector<int> notes;

  loop.Run(SleepThenNote(loop, milliseconds(1), 1, notes));
  loop.Run(SleepThenNote(loop, milliseconds(1), 2, notes));

  EXPECT_THAT(notes, ElementsAre(1, 2));
}

TEST(AsioLoopTest, StrandsThatAreAlwaysReadyStarveNeitherTimersNorPosts) {
  AsioLoop loop;
  const auto body = [](AsioLoop& l) -> Task<void> {
    bool stop = false;
    Event posted;
    Nursery nursery(l, nullptr);
    for (int i = 0; i < 300; ++i) nursery.Start(YieldUntil(stop));
    co_await SleepFor(l, milliseconds(5));
    boost::asio::post(l.io(), [&posted] { posted.Set(); });
    auto wait = posted.WaitSet();
    co_await std::move(wait);
    stop = true;
    co_await nursery.Join();
  };

  loop.Run(body(loop));
}

TEST(AsioLoopTest, APostFromAnotherThreadWakesAnIdleLoop) {
  AsioLoop loop;
  Event posted;
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(20));
    boost::asio::post(loop.io(), [&posted] { posted.Set(); });
  });

  loop.Run(posted.WaitSet());
  other.join();

  EXPECT_TRUE(posted.is_set());
}

TEST(AsioLoopTest, AnIdleLoopUsesNoProcessorTime) {
  AsioLoop loop;
  std::vector<int> notes;
  const double before = CpuSeconds();

  loop.Run(SleepThenNote(loop, milliseconds(300), 1, notes));

  EXPECT_LT(CpuSeconds() - before, 0.1);
}

TEST(AsioLoopTest, ClocksAdvance) {
  AsioLoop loop;
  const Instant start = loop.Now();
  const WallMillis wall = loop.WallNow();
  std::this_thread::sleep_for(milliseconds(2));

  EXPECT_GE(loop.Now() - start, milliseconds(2));
  EXPECT_GT(loop.WallNow(), wall);
  EXPECT_GT(wall, 1'600'000'000'000);
}

TEST(AsioLoopTest, PrintsWhatATurnCosts) {
  AsioLoop loop;
  constexpr int kTurns = 200'000;
  const auto body = []() -> Task<void> {
    for (int i = 0; i < kTurns; ++i) co_await Yield();
  };
  const Instant start = loop.Now();

  loop.Run(body());

  std::printf("a turn of a strand: %.0f ns\n",
              static_cast<double>((loop.Now() - start).count()) / kTurns);
}

}  // namespace
}  // namespace oj
