#include <gmock/gmock.h>

#include "sim/sites.h"
#include "sim_test_support.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using End = ProcessResult::End;

class ProcessTest : public LoopTest {
 protected:
  // The world is built at first use, when the test has said how tools behave.
  SimProcesses& world() {
    if (!world_) world_.emplace(loop, decisions, trace, scenario, tmux, git);
    return *world_;
  }
  TreeRunner& runner() {
    if (!host_) host_.emplace(loop, world(), violations);
    if (!runner_) runner_.emplace(*host_, loop);
    return *runner_;
  }
  ToolRule& Rule() {
    scenario.tools.emplace_back().tool = "git";
    return scenario.tools.back();
  }
  static ProcessSpec Git() {
    ProcessSpec spec;
    spec.argv = {"git", "--version"};
    spec.lease_tag = "abc.r7";
    spec.kill = {true, milliseconds(100), seconds(1)};
    return spec;
  }
  static ProcessSpec Tmux(std::vector<std::string> arguments) {
    ProcessSpec spec;
    spec.argv = std::move(arguments);
    spec.argv.insert(spec.argv.begin(), "tmux");
    spec.lease_tag = "abc.r7";
    return spec;
  }
  void Start(ProcessSpec spec) { tasks.Start(Run(std::move(spec))); }
  Task<void> Run(ProcessSpec spec) {
    auto run = runner().Run(std::move(spec));
    result = co_await std::move(run);
    took = elapsed();
    done = true;
  }
  // After a Cancel(), which ends the others.
  void StartAnew(ProcessSpec spec) { later_.Start(Run(std::move(spec))); }
  void Cancel() { tasks.scope().Cancel(CancelReason::kDisconnected); }

  Scenario scenario;
  SimTmux tmux;
  SimDisk disk;
  SimGit git{disk};
  std::vector<WorldViolation> violations;
  ProcessResult result;
  Duration took{};
  bool done = false;

 private:
  Nursery later_{loop, nullptr};
  std::optional<SimProcesses> world_;
  std::optional<SimProcessHost> host_;
  std::optional<TreeRunner> runner_;
};

TEST_F(ProcessTest, CommandThatEndsGivesItsOutputAndIsReaped) {
  Start(Git());
  RunToRest();
  EXPECT_TRUE(result.Succeeded());
  EXPECT_EQ(result.out, "git version 2.39.5\n");
  EXPECT_THAT(world().Left(), IsEmpty());
  EXPECT_EQ(trace.events()[0].kind, TraceKind::kProcessStarted);
  EXPECT_EQ(trace.events()[0].object, 7u) << "the request, from the tag";
}

TEST_F(ProcessTest, CancelledToolThatIgnoresTermIsDeadAfterTheGrace) {
  Rule().hang = true;
  scenario.tools[0].ignore_term = true;
  Start(Git());
  RunFor(seconds(5));
  EXPECT_FALSE(done);
  Cancel();
  RunToRest();
  EXPECT_EQ(result.end, End::kCancelled);
  EXPECT_GE(took, seconds(5) + milliseconds(100));
  EXPECT_LE(took, seconds(5) + milliseconds(150));
  EXPECT_THAT(world().Left(), IsEmpty());
}

TEST_F(ProcessTest, ToolThatObeysTermIsDeadAtOnce) {
  Rule().hang = true;
  Start(Git());
  RunFor(seconds(5));
  Cancel();
  RunToRest();
  EXPECT_LE(took, seconds(5) + milliseconds(5));
}

TEST_F(ProcessTest, GrandchildThatHoldsThePipeDiesWithTheTree) {
  Rule().grandchild = true;
  Start(Git());
  RunToRest();
  EXPECT_TRUE(result.Succeeded());
  EXPECT_LE(took, milliseconds(150));
  EXPECT_THAT(world().Left(), IsEmpty());
}

TEST_F(ProcessTest, EscapeeWithATagIsKilled) {
  Rule().grandchild = true;
  scenario.tools[0].setsid = true;
  Start(Git());
  RunFor(seconds(1));
  EXPECT_TRUE(done);
  EXPECT_THAT(world().Left(), IsEmpty());
}

TEST_F(ProcessTest, EscapeeWithoutATagIsLeftAlone) {
  Rule().grandchild = true;
  scenario.tools[0].setsid = true;
  ProcessSpec spec = Git();
  spec.lease_tag.clear();
  Start(std::move(spec));
  RunFor(seconds(1));
  EXPECT_TRUE(done);
  ASSERT_THAT(world().Left(), SizeIs(1));
  EXPECT_FALSE(world().Left()[0].of_tool);
}

TEST_F(ProcessTest, TreeThatForksWhileItIsKilledIsCleared) {
  chooser.Plan(sites::kBehaviour, {10});
  Start(Git());
  RunFor(seconds(1));
  Cancel();
  RunToRest();
  EXPECT_TRUE(done);
  EXPECT_FALSE(result.quarantine);
  EXPECT_THAT(world().Left(), IsEmpty());
}

TEST_F(ProcessTest, UninterruptibleLeaderIsQuarantinedThenReaped) {
  chooser.Plan(sites::kBehaviour, {16});
  chooser.Plan(sites::kParameter, {3});
  Start(Tmux({"list-sessions"}));
  RunFor(seconds(1));
  Cancel();
  RunFor(seconds(2));
  ASSERT_TRUE(done);
  ASSERT_TRUE(result.quarantine);
  EXPECT_EQ(result.quarantine->state, "D");
  Nursery background(loop, nullptr);
  background.Start(runner().Tend());
  for (int i = 0; i < 1000 && !result.quarantine->dead.is_set(); ++i) loop.Step();
  EXPECT_TRUE(result.quarantine->dead.is_set());
  EXPECT_THAT(world().Left(), IsEmpty());
}

TEST_F(ProcessTest, FloodEndsTheTree) {
  Rule().flood_bytes = 100'000;
  ProcessSpec spec = Git();
  spec.output_limit = 1000;
  Start(std::move(spec));
  RunToRest();
  EXPECT_EQ(result.end, End::kFlooded);
  EXPECT_THAT(world().Left(), IsEmpty());
}

TEST_F(ProcessTest, FloodCountsWithWhatWasWrittenBefore) {
  ToolRule& rule = Rule();
  rule.after = true;
  rule.out = std::string(100, 'o');
  rule.flood_bytes = 50;
  ProcessSpec spec = Git();
  spec.output_limit = 120;
  Start(std::move(spec));
  RunToRest();
  EXPECT_EQ(result.end, End::kFlooded);
  std::vector<std::uint64_t> misanswered;
  world().ListMisanswers(misanswered);
  EXPECT_THAT(misanswered, SizeIs(1));
}

TEST_F(ProcessTest, SpawnThatFailsTellsItsErrno) {
  chooser.Plan(sites::kBehaviour, {1});
  Start(Git());
  RunToRest();
  EXPECT_EQ(result.end, End::kSpawnFailed);
  EXPECT_EQ(result.status, 11);
  EXPECT_THAT(trace.events(), IsEmpty());
}

TEST_F(ProcessTest, CancelBeforeTheGateStartsNothing) {
  chooser.Plan(sites::kBehaviour, {2});
  Start(Git());
  RunFor(milliseconds(1));
  Cancel();
  RunToRest();
  EXPECT_FALSE(result.started);
  EXPECT_THAT(trace.events(), IsEmpty());
}

TEST_F(ProcessTest, WhatAKilledClientAskedOfAHungServerIsDoneWhenItResumes) {
  tmux.Create("work", "$ ");
  scenario.hangs.push_back({"tmux", Duration::zero(), seconds(8), false});
  Start(Tmux({"send-keys", "-t", "=work:", "-l", "--", "ls"}));
  RunFor(seconds(5));
  Cancel();
  RunFor(seconds(1));
  ASSERT_TRUE(done);
  EXPECT_EQ(tmux.sessions().at("work").screen, "$ ");
  RunToRest();
  EXPECT_EQ(tmux.sessions().at("work").screen, "$ ls");
}

TEST_F(ProcessTest, WhatAKilledClientAskedIsDoneNoSoonerThanItsRuleSays) {
  tmux.Create("work", "$ ");
  scenario.hangs.push_back({"tmux", Duration::zero(), seconds(2), false});
  Rule().tool = "tmux";
  scenario.tools[0].match = "send-keys";
  scenario.tools[0].late = seconds(5);
  Start(Tmux({"send-keys", "-t", "=work:", "-l", "--", "ls"}));
  RunFor(seconds(1));
  Cancel();
  RunFor(seconds(3));
  EXPECT_EQ(tmux.sessions().at("work").screen, "$ ");
  RunFor(seconds(2));
  StartAnew(Tmux({"has-session", "-t", "=work"}));
  RunToRest();
  EXPECT_EQ(tmux.sessions().at("work").screen, "$ ls");
}

TEST_F(ProcessTest, WhoIsToDieBeforeItsWorkHasAskedNothingOfAHungServer) {
  tmux.Create("work", "$ ");
  scenario.hangs.push_back({"tmux", Duration::zero(), seconds(2), false});
  Rule().tool = "tmux";
  scenario.tools[0].signal = 9;
  Start(Tmux({"send-keys", "-t", "=work:", "-l", "--", "ls"}));
  RunFor(seconds(1));
  Cancel();
  RunToRest();
  EXPECT_EQ(tmux.sessions().at("work").screen, "$ ");
}

TEST_F(ProcessTest, ALossOfPowerTakesWhatKilledClientsHadAskedFor) {
  tmux.Create("work", "$ ");
  Rule().tool = "tmux";
  scenario.tools[0].match = "send-keys";
  scenario.tools[0].hang = true;
  scenario.tools[0].late = Duration::zero();
  Start(Tmux({"send-keys", "-t", "=work:", "-l", "--", "ls"}));
  RunFor(seconds(1));
  Cancel();
  RunFor(seconds(1));
  world().PowerOff();
  StartAnew(Tmux({"has-session", "-t", "=work"}));
  RunToRest();
  EXPECT_EQ(tmux.sessions().at("work").screen, "$ ");
}

TEST_F(ProcessTest, ClientOfAHungServerExitsZeroOnTerm) {
  tmux.Create("work", "$ ");
  scenario.hangs.push_back({"tmux", Duration::zero(), std::nullopt, false});
  ProcessSpec spec = Tmux({"has-session", "-t", "=gone"});
  spec.kill.term_first = true;
  spec.kill.grace = milliseconds(500);
  Start(std::move(spec));
  RunFor(seconds(1));
  Cancel();
  RunFor(seconds(1));
  EXPECT_EQ(result.end, End::kCancelled);
  EXPECT_EQ(result.status, 0);
}

Task<void> SignalAfterReap(SimProcessHost& host, ProcessSpec spec) {
  SpawnFailure failure;
  auto spawn = host.Spawn(spec, &failure);
  auto child = co_await std::move(spawn);
  auto ended = child->LeaderEnded();
  co_await std::move(ended);
  child->Reap();
  child->Send(Signal::kKill);
}

TEST_F(ProcessTest, SignalToAReapedGroupIsAViolation) {
  SimProcessHost host(loop, world(), violations);
  tasks.Start(SignalAfterReap(host, Git()));
  RunToRest();
  EXPECT_THAT(violations, SizeIs(1));
}

}  // namespace
}  // namespace oj::sim
