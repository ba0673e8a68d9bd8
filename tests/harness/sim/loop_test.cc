#include "sim/sites.h"
#include "sim_test_support.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

Task<void> Spin(int turns) {
  for (int i = 0; i < turns; ++i) {
    Yield turn;
    co_await turn;
  }
}

Task<void> Tick(SimLoop& loop, int ticks) {
  for (int i = 0; i < ticks; ++i) {
    auto pause = SleepFor(loop, milliseconds(40));
    co_await pause;
  }
}

TEST_F(LoopTest, TimersOvertakeReadyWorkForOneSecondAtMost) {
  chooser.Plan(sites::kStall, std::deque<std::uint32_t>(5000, 1));
  tasks.Start(Tick(loop, 100));
  tasks.Start(Spin(1000));
  RunToRest();
  EXPECT_GT(loop.stalled(), milliseconds(900));
  EXPECT_LE(loop.stalled(), SimLoop::kMostStall);
}

TEST_F(LoopTest, TimersThatAreDueAtOneInstantMayFireTogether) {
  chooser.Plan(sites::kTogether, {1});
  tasks.Start(Tick(loop, 1));
  tasks.Start(Tick(loop, 1));
  while (elapsed() == Duration::zero()) loop.Step();
  EXPECT_EQ(loop.armed_timers(), 1u);
  loop.Step();
  EXPECT_EQ(loop.armed_timers(), 0u);
  EXPECT_EQ(loop.stalled(), Duration::zero());
}

TEST_F(LoopTest, TimersAtOneInstantFireOneAfterTheOtherByDefault) {
  tasks.Start(Tick(loop, 1));
  tasks.Start(Tick(loop, 1));
  while (elapsed() == Duration::zero()) loop.Step();
  loop.Step();
  EXPECT_EQ(loop.armed_timers(), 1u);
}

TEST_F(LoopTest, TimeStandsStillWhileWorkIsReady) {
  tasks.Start(Tick(loop, 1));
  tasks.Start(Spin(1000));
  for (int i = 0; i < 900; ++i) loop.Step();
  EXPECT_EQ(elapsed(), Duration::zero());
}

}  // namespace
}  // namespace oj::sim
