// Watching, killing, sweeping and reaping process trees.
#include "os/posix_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <vector>

#include "oj/nursery.h"
#include "os/posix_process_host.h"
#include "process_test_support.h"

namespace oj {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Command;
using test::EndTree;
using test::RunTask;
using test::Shell;
using test::Until;

class PosixChildTest : public testing::Test {
 protected:
  std::unique_ptr<ChildProcess> Spawn(const ProcessSpec& spec) {
    SpawnFailure failure;
    auto child = RunTask(loop_, host_.Spawn(spec, &failure));
    EXPECT_EQ(failure.error, 0);
    return child;
  }
  bool In(Task<void> task, Duration limit) {
    return RunTask(loop_,
                   WithDeadline(loop_, Deadline::After(loop_.Now(), limit), std::move(task)));
  }
  bool Eventually(std::function<bool()> condition) {
    return RunTask(loop_, Until(loop_, std::move(condition)));
  }
  // The pid that the script of a child has written to `Note()`; it is renamed into place.
  int NotedPid() {
    int pid = 0;
    EXPECT_TRUE(Eventually([&] { return bool(std::ifstream(Note()) >> pid); }));
    return pid;
  }
  std::string Note() const { return directory_.path() / "note"; }
  std::string WriteNote(const std::string& what) const {
    return "echo " + what + " > " + Note() + ".new; mv " + Note() + ".new " + Note() + "; ";
  }

  AsioLoop loop_;
  PosixProcessHost host_{loop_};
  test::TempDirectory directory_;
};

TEST_F(PosixChildTest, TheLeaderIsAZombieUntilItIsReaped) {
  const auto child = Spawn(Command({"true"}));

  ASSERT_TRUE(In(child->LeaderEnded(), test::kGenerous));
  EXPECT_EQ(child->State(), "Z");
  EXPECT_TRUE(In(child->LeaderEnded(), milliseconds(0)));
  child->Reap();

  EXPECT_EQ(test::CountChildren(), 0);
}

TEST_F(PosixChildTest, StateTellsASleepingLeader) {
  const auto child = Spawn(Command({"sleep", "100"}));

  EXPECT_TRUE(Eventually([&] { return child->State() == "S"; }));
  EXPECT_FALSE(child->HasEnded());
  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
}

TEST_F(PosixChildTest, HasEndedLooksAndDoesNotWaitForTheLoop) {
  const auto child = Spawn(Command({"true"}));
  const pid_t pid = child->pid();
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);

  EXPECT_TRUE(child->HasEnded());
  child->Reap();
}

TEST_F(PosixChildTest, TermCanBeObeyed) {
  const auto child =
      Spawn(Shell("trap 'exit 7' TERM; " + WriteNote("$$") + "while :; do sleep 1; done"));
  NotedPid();

  child->Send(Signal::kTerm);

  ASSERT_TRUE(In(child->LeaderEnded(), test::kGenerous));
  EXPECT_EQ(child->Reap().value, 7);
}

TEST_F(PosixChildTest, AGroupOf21IsKilledAndSwept) {
  constexpr int kTimes = 20;
  std::vector<Duration> times;
  for (int i = 0; i < kTimes; ++i) {
    std::filesystem::remove(Note());
    const auto child =
        Spawn(Shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                    "sleep 100 & done; " +
                    WriteNote("$$") + "wait"));
    NotedPid();
    const Instant start = loop_.Now();
    ASSERT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
    times.push_back(loop_.Now() - start);
    ASSERT_EQ(test::CountChildren(), 0);
  }
  std::ranges::sort(times);
  std::printf("group of 21, kill to reaped: p50 %ld us, max %ld us\n",
              static_cast<long>(times[kTimes / 2].count() / 1000),
              static_cast<long>(times.back().count() / 1000));
}

// K3
TEST_F(PosixChildTest, AnEscapeeIsFoundByItsLeaseAndKilled) {
  ProcessSpec spec = Shell("setsid sh -c '" + WriteNote("$$") + "exec sleep 100' & wait $!");
  spec.lease_tag = "lease-1";
  const auto child = Spawn(spec);
  const int escapee = NotedPid();

  child->Send(Signal::kKill);
  ASSERT_TRUE(In(child->LeaderEnded(), test::kGenerous));
  const Survivors survivors = child->Sweep();
  EXPECT_EQ(survivors.count, 1);
  EXPECT_EQ(survivors.pid, escapee);
  EXPECT_FALSE(survivors.state.empty());
  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));

  EXPECT_FALSE(test::Lives(escapee));
  EXPECT_EQ(test::CountChildren(), 0);
}

// K4
TEST_F(PosixChildTest, AnEscapeeThatForksDuringTheKillIsCleared) {
  ProcessSpec spec =
      Shell("setsid sh -c '" + WriteNote("$$") +
            "i=0; while [ $i -lt 2000 ]; do sleep 0.2 & i=$((i+1)); done' & wait $!");
  spec.lease_tag = "lease-2";
  const auto child = Spawn(spec);
  const int escapee = NotedPid();

  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));

  EXPECT_FALSE(test::Lives(escapee));
  EXPECT_EQ(test::CountChildren(), 0);
}

// T8: such as a tmux server.
TEST_F(PosixChildTest, AnEscapeeWithoutALeaseIsLeftAloneAndReapedWhenItDies) {
  const auto child = Spawn(Shell("setsid sh -c '" + WriteNote("$$") + "exec sleep 100' & wait $!"));
  const int server = NotedPid();

  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
  EXPECT_TRUE(test::Lives(server));
  EXPECT_EQ(test::CountChildren(), 1);

  kill(server, SIGKILL);
  EXPECT_TRUE(Eventually([] { return test::CountChildren() == 0; }));
}

// A leader that has ended stays a zombie, however many looks for strays there are.
TEST_F(PosixChildTest, AStrayIsReapedWithoutStealingALeadersStatus) {
  const auto child = Spawn(Shell("exit 5"));
  ASSERT_TRUE(In(child->LeaderEnded(), test::kGenerous));
  // The stray dies later than its parent, with no other event.
  const auto other = Spawn(Shell("setsid sleep 0.2 & true"));
  ASSERT_TRUE(In(other->LeaderEnded(), test::kGenerous));
  other->Reap();

  EXPECT_TRUE(Eventually([] { return test::CountChildren() == 1; }));
  EXPECT_EQ(child->Reap().value, 5);
}

TEST_F(PosixChildTest, AMemberThatOutlivesTheLeaderIsASurvivorUntilItIsKilled) {
  const auto child = Spawn(Shell("sleep 100 & true"));
  ASSERT_TRUE(In(child->LeaderEnded(), test::kGenerous));

  EXPECT_EQ(child->Sweep().count, 1);
  child->Send(Signal::kKill);
  EXPECT_TRUE(Eventually([&] { return child->Sweep().count == 0; }));
  EXPECT_EQ(child->Reap().value, 0);
  EXPECT_EQ(test::CountChildren(), 0);
}

// K2
TEST_F(PosixChildTest, AGrandchildThatHoldsThePipesDoesNotDelayTheLeadersEnd) {
  const auto child = Spawn(Shell("echo text; sleep 100 & true"));

  EXPECT_TRUE(In(child->LeaderEnded(), test::kGenerous));
  EXPECT_FALSE(In(child->OutputClosed(), milliseconds(30)));
  EXPECT_EQ(child->TakeOut(), "text\n");
  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
}

// O1
TEST_F(PosixChildTest, AFloodIsToldAndCutAtTheLimit) {
  ProcessSpec spec = Command({"yes"});
  spec.output_limit = 100'000;
  const auto child = Spawn(spec);

  ASSERT_TRUE(In(child->EndedOrFlooded(), test::kGenerous));
  EXPECT_TRUE(child->Flooded());
  EXPECT_FALSE(child->HasEnded());
  EXPECT_EQ(child->TakeOut().size(), 100'000U);
  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
}

// All of it is there, with the end of file behind it, before the first read.
TEST_F(PosixChildTest, MoreThanOneTurnReadsIsReadToItsEnd) {
  const auto child = Spawn(Command(
      {"perl", "-e", "fcntl(STDOUT, 1031, 1 << 20) or die; syswrite(STDOUT, 'x' x 1000000);"}));
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child->pid()), &info, WEXITED | WNOWAIT), 0);

  EXPECT_TRUE(In(child->OutputClosed(), seconds(5)));
  EXPECT_EQ(child->TakeOut().size(), 1'000'000U);
  EXPECT_TRUE(child->HasEnded());
  EXPECT_EQ(child->Reap().value, 0);
}

TEST_F(PosixChildTest, AnEndlessWriterDoesNotHoldUpTheLoop) {
  const auto child = Spawn(Command({"yes"}));
  Duration worst{};
  const auto body = [](AsioLoop& l, Duration& longest) -> Task<void> {
    for (int i = 0; i < 20; ++i) {
      const Instant start = l.Now();
      co_await SleepFor(l, milliseconds(1));
      longest = std::max(longest, l.Now() - start);
    }
  };

  loop_.Run(body(loop_, worst));

  EXPECT_LT(worst, seconds(1));
  EXPECT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
}

// K13
TEST_F(PosixChildTest, AChildThatIsDestroyedUnreapedIsKilledWithItsTreeAndReaped) {
  ProcessSpec spec = Shell("sleep 100 & setsid sleep 100 & " + WriteNote("$$") + "wait");
  spec.lease_tag = "lease-3";
  const int descriptors = test::CountDescriptors();
  auto child = Spawn(spec);
  NotedPid();

  child.reset();

  EXPECT_TRUE(Eventually([] { return test::CountChildren() == 0; }));
  EXPECT_EQ(test::CountDescriptors(), descriptors);
}

TEST_F(PosixChildTest, NothingIsSignalledAfterTheReap) {
  const auto child = Spawn(Shell("sleep 100 & true"));
  ASSERT_TRUE(In(child->LeaderEnded(), test::kGenerous));
  const int member = child->Sweep().pid;
  child->Reap();

  child->Send(Signal::kKill);

  In(child->OutputClosed(), milliseconds(30));
  EXPECT_TRUE(test::Lives(member));
  kill(member, SIGKILL);
  EXPECT_TRUE(Eventually([] { return test::CountChildren() == 0; }));
}

// L4
TEST_F(PosixChildTest, AThousandKilledChildrenLeaveNothing) {
  constexpr int kTimes = 1000;
  const int descriptors = test::CountDescriptors();
  std::vector<Duration> times;
  for (int i = 0; i < kTimes; ++i) {
    const auto child = Spawn(Command({"sleep", "100"}));
    const Instant start = loop_.Now();
    ASSERT_TRUE(RunTask(loop_, EndTree(loop_, *child)));
    times.push_back(loop_.Now() - start);
  }

  EXPECT_EQ(test::CountChildren(), 0);
  EXPECT_EQ(test::CountDescriptors(), descriptors);
  std::ranges::sort(times);
  std::printf("kill to reaped: p50 %ld us, p99 %ld us\n",
              static_cast<long>(times[kTimes / 2].count() / 1000),
              static_cast<long>(times[kTimes * 99 / 100].count() / 1000));
}

Task<void> RunMany(AsioLoop& loop, ProcessHost& host, int count, int& good) {
  for (int i = 0; i < count; ++i) {
    auto run = test::RunToEnd(loop, host, Command({"echo", "text"}));
    const test::Ended ended = co_await std::move(run);
    if (ended.in_time && ended.out == "text\n" && ended.status.value == 0) ++good;
  }
}

TEST_F(PosixChildTest, ManyAtOnceEachHaveTheirOwnOutput) {
  constexpr int kTasks = 16;
  constexpr int kEach = 60;
  int good = 0;
  const auto body = [](AsioLoop& l, ProcessHost& h, int& to) -> Task<void> {
    Nursery nursery(l, nullptr);
    for (int i = 0; i < kTasks; ++i) nursery.Start(RunMany(l, h, kEach, to));
    co_await nursery.Join();
  };
  const Instant start = loop_.Now();

  loop_.Run(body(loop_, host_, good));

  EXPECT_EQ(good, kTasks * kEach);
  EXPECT_EQ(test::CountChildren(), 0);
  std::printf("echo, spawned to reaped, %d at once: %.0f a second\n", kTasks,
              kTasks * kEach * 1e9 / static_cast<double>((loop_.Now() - start).count()));
}

}  // namespace
}  // namespace oj
