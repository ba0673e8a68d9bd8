// The order of a kill: what the runner does to a tree, step by step.
#include "core/tree_runner.h"

#include "fake_host.h"

namespace oj {
namespace {

using End = ProcessResult::End;

class TreeRunnerTest : public ::testing::Test {
 protected:
  // TERM first, then after 500 ms KILL, then at most 1 s.
  static ProcessSpec Gentle() {
    ProcessSpec spec;
    spec.argv = {"tool"};
    spec.kill = KillPolicy{true, 500ms, 1s};
    return spec;
  }
  static ProcessSpec Hard() {
    ProcessSpec spec = Gentle();
    spec.kill.term_first = false;
    return spec;
  }
  void Begin(ProcessSpec spec) { root.Start(RunIn(scope, KeepValue(runner.Run(spec), &result))); }
  void RunFor(Duration duration) { loop.Advance(duration); }

  TestLoop loop;
  FakeHost host{loop};
  TreeRunner runner{host, loop};
  CancelScope scope{nullptr};
  std::optional<ProcessResult> result;
  Nursery root{loop, nullptr};
};

struct Watcher final : ProcessObserver {
  void OnStarted(int pid) override { heard.push_back("started " + std::to_string(pid)); }
  void OnEnding(int pid) override { heard.push_back("ending " + std::to_string(pid)); }
  void OnEnded(int pid) override { heard.push_back("ended " + std::to_string(pid)); }
  Log heard;
};

TEST_F(TreeRunnerTest, NaturalEndIsSweptThenReapedAndNothingIsSignalled) {
  Watcher watcher;
  host.script.ends_after = 10ms;
  host.script.exit = {false, 3};
  ProcessSpec spec = Gentle();
  spec.observer = &watcher;
  Begin(spec);
  RunFor(10ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(host.steps, (Log{"spawn@0", "sweep 0@10", "reap@10"}));
  EXPECT_EQ(result->end, End::kExited);
  EXPECT_EQ(result->status, 3);
  EXPECT_TRUE(result->started);
  EXPECT_EQ(result->out + result->err, "outerr");
  EXPECT_EQ(watcher.heard, (Log{"started 100", "ended 100"}));
  EXPECT_FALSE(loop.has_timers());
}

TEST_F(TreeRunnerTest, ObserverHearsThatATreeIsKilledBeforeItsEnd) {
  Watcher watcher;
  ProcessSpec spec = Gentle();
  spec.observer = &watcher;
  spec.deadline = Deadline::After(loop.Now(), 10ms);
  Begin(spec);
  RunFor(2s);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kTimedOut);
  EXPECT_EQ(watcher.heard, (Log{"started 100", "ending 100", "ended 100"}));
}

TEST_F(TreeRunnerTest, EndByASignalNotOursIsToldFromAnExit) {
  host.script.ends_after = 10ms;
  host.script.exit = {true, 11};
  Begin(Gentle());
  RunFor(10ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kSignaled);
  EXPECT_EQ(result->status, 11);
}

TEST_F(TreeRunnerTest, CancelSendsTermAndOneThatObeysIsNeverKilled) {
  host.script.term_takes = 2ms;
  Begin(Gentle());
  RunFor(10ms);
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(2ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(host.steps, (Log{"spawn@0", "TERM@10", "sweep 0@12", "reap@12"}));
  EXPECT_EQ(result->end, End::kCancelled);
}

TEST_F(TreeRunnerTest, TermIgnoredIsFollowedByKillAfterTheGrace) {
  Begin(Gentle());
  RunFor(10ms);
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(500ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(host.steps, (Log{"spawn@0", "TERM@10", "KILL@510", "sweep 0@510", "reap@510"}));
}

TEST_F(TreeRunnerTest, PolicyWithoutTermKillsAtOnce) {
  Begin(Hard());
  RunFor(10ms);
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(0ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(host.steps, (Log{"spawn@0", "KILL@10", "sweep 0@10", "reap@10"}));
}

TEST_F(TreeRunnerTest, DeadlineKillsAndSaysTimedOut) {
  ProcessSpec spec = Hard();
  spec.deadline = Deadline::After(loop.Now(), 30ms);
  Begin(spec);
  RunFor(29ms);
  EXPECT_FALSE(result);
  RunFor(1ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kTimedOut);
  EXPECT_EQ(host.steps[1], "KILL@30");
}

// L5: a tmux client exits 0 on TERM; what was killed proves nothing.
TEST_F(TreeRunnerTest, ExitCodeOfAKilledChildIsNoSuccess) {
  host.script.term_takes = 1ms;
  host.script.exit = {false, 0};
  ProcessSpec spec = Gentle();
  spec.deadline = Deadline::After(loop.Now(), 30ms);
  Begin(spec);
  RunFor(40ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 0);
  EXPECT_EQ(result->end, End::kTimedOut);
  EXPECT_FALSE(result->Succeeded());
}

TEST_F(TreeRunnerTest, SurvivorOfANaturalEndIsKilledBeforeTheLeaderIsReaped) {
  host.script.ends_after = 10ms;
  host.script.members = 2;
  Begin(Hard());
  RunFor(30ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(host.steps, (Log{"spawn@0", "sweep 2@10", "KILL@10", "sweep 0@10", "reap@10"}));
  EXPECT_EQ(result->end, End::kExited);
}

TEST_F(TreeRunnerTest, SurvivorThatIgnoresTermIsKilledAfterTheGrace) {
  host.script.ends_after = 10ms;
  host.script.members = 1;
  Begin(Gentle());
  RunFor(600ms);
  ASSERT_TRUE(result);
  ASSERT_GE(host.steps.size(), 5U);
  EXPECT_EQ(host.steps[2], "TERM@10");
  EXPECT_TRUE(host.steps[4].starts_with("KILL@5")) << host.steps[4];
  EXPECT_TRUE(host.steps.back().starts_with("reap@5"));
}

TEST_F(TreeRunnerTest, FloodKillsAndSaysSo) {
  host.script.floods_after = 5ms;
  Begin(Hard());
  RunFor(5ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kFlooded);
  EXPECT_EQ(host.steps[1], "KILL@5");
}

TEST_F(TreeRunnerTest, CancelBeforeTheSpawnStartsNothing) {
  scope.Cancel(CancelReason::kDisconnected);
  Begin(Gentle());
  RunFor(0ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kCancelled);
  EXPECT_FALSE(result->started);
  EXPECT_EQ(host.steps, Log{});
}

TEST_F(TreeRunnerTest, SpawnFailureCarriesTheErrno) {
  host.spawn_errno = 2;
  Begin(Gentle());
  RunFor(0ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kSpawnFailed);
  EXPECT_EQ(result->status, 2);
  EXPECT_FALSE(result->started);
}

// Done means reaped: a stranger may hold the pipes for ever.
TEST_F(TreeRunnerTest, SpawnThatHangsEndsAtTheDeadlineOfTheCommand) {
  host.spawn_hangs = true;
  ProcessSpec spec = Hard();
  spec.deadline = Deadline::After(loop.Now(), 2s);
  Begin(spec);
  RunFor(1999ms);
  EXPECT_FALSE(result);
  RunFor(1ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kTimedOut);
  EXPECT_FALSE(result->started);
}

TEST_F(TreeRunnerTest, OutputThatStaysOpenDelaysTheEndByABoundedMomentOnly) {
  host.script.ends_after = 10ms;
  host.script.output_stays_open = true;
  Begin(Gentle());
  RunFor(10ms);
  EXPECT_FALSE(result);
  RunFor(50ms);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->end, End::kExited);
  EXPECT_EQ(result->out, "out");
}

class QuarantineTest : public TreeRunnerTest {
 protected:
  QuarantineTest() {
    root.Start(RunIn(tending, runner.Tend()));
    host.script.kill_takes = std::nullopt;
  }
  ~QuarantineTest() override {
    tending.Cancel(CancelReason::kShutdown);
    loop.RunReady();
  }
  CancelScope tending{nullptr};
};

TEST_F(QuarantineTest, LeaderInStateDIsQuarantinedAfterTheReapLimit) {
  Begin(Hard());
  RunFor(10ms);
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(999ms);
  EXPECT_FALSE(result);
  RunFor(51ms);
  ASSERT_TRUE(result);
  ASSERT_NE(result->quarantine, nullptr);
  EXPECT_EQ(result->quarantine->pid, 100);
  EXPECT_EQ(result->quarantine->state, "D");
  EXPECT_FALSE(result->quarantine->dead.is_set());
  EXPECT_EQ(result->end, End::kCancelled);
}

TEST_F(QuarantineTest, TendReapsItWhenItDiesAtLastAndSetsDead) {
  Begin(Hard());
  RunFor(0ms);
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(3s);
  ASSERT_TRUE(result && result->quarantine);
  host.last->EndNow();
  RunFor(300ms);
  EXPECT_TRUE(result->quarantine->dead.is_set());
  EXPECT_TRUE(host.steps.back().starts_with("reap@")) << host.steps.back();
  EXPECT_EQ(host.last, nullptr) << "the child is forgotten";
  const std::size_t steps = host.steps.size();
  RunFor(2s);
  EXPECT_EQ(host.steps.size(), steps) << "a pid that was reaped is not signalled";
  EXPECT_FALSE(loop.has_timers());
}

TEST_F(QuarantineTest, MemberThatCannotBeKilledQuarantinesTheTree) {
  host.script.kill_takes = 0ms;
  host.script.members = 1;
  Begin(Hard());
  RunFor(0ms);
  host.last->stubborn = true;
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(1100ms);
  ASSERT_TRUE(result && result->quarantine);
  host.last->stubborn = false;
  RunFor(300ms);
  EXPECT_TRUE(result->quarantine->dead.is_set());
}

// The machine was suspended, or the loop stood still, while the tree had its grace: the bound
// around it all strikes together with the grace. The tree must not be given up for all that.
TEST_F(TreeRunnerTest, StallDuringTheGraceDoesNotAbandonTheTree) {
  host.script.kill_takes = 1ms;
  Begin(Gentle());
  RunFor(10ms);
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(10ms);
  loop.Stall(10s);
  RunFor(3s);
  ASSERT_TRUE(result);
  EXPECT_TRUE(host.steps.back().starts_with("reap") || result->quarantine) << host.steps.back();
}

// All limits have passed then, and what each KILL leaves behind has not had one yet.
TEST_F(TreeRunnerTest, StallDuringAKillDoesNotAbandonWhatForksWhenKilled) {
  host.script.kill_takes = 1ms;
  Begin(Hard());
  RunFor(10ms);
  host.last->forks_on_kill = 3;
  scope.Cancel(CancelReason::kDisconnected);
  RunFor(0ms);
  loop.Stall(10s);
  RunFor(20ms);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->quarantine);
}

// L5: and its exit code, which nobody has seen, must not read as 0.
TEST_F(TreeRunnerTest, StallWithASurvivorDoesNotReadAsSuccess) {
  host.script.ends_after = 10ms;
  host.script.exit = {false, 7};
  host.script.members = 1;
  Begin(Gentle());
  RunFor(20ms);
  host.last->stubborn = true;
  loop.Stall(10s);
  RunFor(3s);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->Succeeded());
}

}  // namespace
}  // namespace oj
