// The crash matrix: every step of these scenarios, struck in every way (L6, L7).
#include "explore/sweep.h"

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "scenario/scenario.h"

namespace oj::sim {
namespace {

class SweepOf : public testing::TestWithParam<const char*> {};

TEST_P(SweepOf, EndsAsTheUndisturbedRunAndLosesNothing) {
  const auto scenario = LoadScenario(std::string(OJ_SCENARIOS) + "/fast/" + GetParam() + ".toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  const SweepReport report = Sweep(*scenario, {});
  std::cout << AsText(report);
  EXPECT_EQ(report.wrong, "");
  EXPECT_GE(report.steps, 90u);
  for (const SweepRow& row : report.rows) {
    EXPECT_GE(row.points, 30u) << row.kind;
    EXPECT_EQ(row.covered, row.points) << row.kind;
    EXPECT_EQ(row.converged, row.judged) << row.kind << " " << row.first;
    EXPECT_EQ(row.bytes_lost, 0u) << row.kind << " " << row.first;
    EXPECT_EQ(row.broke_laws, 0u) << row.kind << " " << row.first;
  }
  EXPECT_EQ(report.violations(), 0u);
}

TEST_P(SweepOf, EndsAsTheUndisturbedRunWhateverOneThingFails) {
  const auto scenario = LoadScenario(std::string(OJ_SCENARIOS) + "/fast/" + GetParam() + ".toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  SweepOptions options;
  options.faults = true;
  const SweepReport report = Sweep(*scenario, options);
  std::cout << AsText(report);
  EXPECT_GE(report.points(), 100u);
  EXPECT_EQ(report.covered(), report.points());
  for (const SweepRow& row : report.rows) EXPECT_TRUE(row.pass()) << row.kind << " " << row.first;
}

INSTANTIATE_TEST_SUITE_P(Crashes, SweepOf,
                         testing::Values("prune-five-workspaces", "add-and-drop-workspaces",
                                         "resume-three-agents"),
                         [](const auto& each) {
                           std::string name = each.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

// What sweeps have found in this project; each file tells what.
class FoundBySweeps : public testing::TestWithParam<const char*> {};

TEST_P(FoundBySweeps, IsNotFoundAnyMore) {
  const auto scenario =
      LoadScenario(std::string(OJ_SCENARIOS) + "/regressions/" + GetParam() + ".toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  for (const bool faults : {false, true}) {
    SweepOptions options;
    options.faults = faults;
    const SweepReport report = Sweep(*scenario, options);
    EXPECT_GE(report.points(), 60u);
    EXPECT_EQ(report.covered(), report.points());
    EXPECT_EQ(report.violations(), 0u) << AsText(report);
  }
}

INSTANTIATE_TEST_SUITE_P(Regressions, FoundBySweeps,
                         testing::Values("session-in-doubt", "torn-worktree-entry"),
                         [](const auto& each) {
                           std::string name = each.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

// What has a request_id finds what was begun by the first. What runs in tmux does not survive a
// loss of power, and is not started anew by a request that was seen through before.
TEST(Sweep, RunsAndAddsWithARequestIdConvergeUnlessThePowerIsLost) {
  const auto scenario = ParseScenario(R"(
about = "test"
[config]
timeouts.handler = 20000
[[repo]]
path = "/repos/main"
files = 3
[[tool]]
tool = "git"
delay_ms = 4
[[tool]]
tool = "tmux"
delay_ms = 4
[[client]]
name = "alice"
steps = [
  { call = { type = "AgentRun", name = "a", command = ["sh"], repo = "/repos/main", request_id = "1" }, expect = "AgentStarted" },
  { call = { type = "WorkspaceAdd", repo = "/repos/main", request_id = "2" }, expect = "WorkspaceCreated" },
  { call = { type = "AgentRun", name = "b", command = ["sh"], cwd = "/tmp", request_id = "3" }, expect = "AgentStarted" },
]
)",
                                      "test.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  const SweepReport report = Sweep(*scenario, {});
  std::cout << AsText(report);
  EXPECT_EQ(report.wrong, "");
  for (const SweepRow& row : report.rows) {
    EXPECT_GE(row.points, 40u) << row.kind;
    EXPECT_EQ(row.bytes_lost, 0u) << row.kind << " " << row.first;
    EXPECT_EQ(row.broke_laws, 0u) << row.kind << " " << row.first;
    if (row.kind.starts_with("power")) continue;
    EXPECT_EQ(row.converged, row.judged) << row.kind << " " << row.first;
  }
}

// An agent that is run once more is another agent.
TEST(Sweep, FindsARequestThatIsNotTheSameDoneTwice) {
  const auto scenario = ParseScenario(R"(
about = "test"
[[client]]
name = "alice"
steps = [ { call = { type = "AgentRun", name = "a", command = ["sh"], cwd = "/tmp" } } ]
)",
                                      "test.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  const SweepReport report = Sweep(*scenario, {});
  EXPECT_EQ(report.wrong, "");
  EXPECT_FALSE(report.pass());
  EXPECT_NE(report.rows[0].first.find("L6: "), std::string::npos) << report.rows[0].first;
}

TEST(Sweep, FindsAnUndisturbedRunThatIsWrong) {
  const auto scenario = ParseScenario(R"(
about = "test"
[[client]]
name = "alice"
steps = [ { call = { type = "Ping" }, expect = "not_found" } ]
)",
                                      "test.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  const SweepReport report = Sweep(*scenario, {});
  EXPECT_NE(report.wrong, "");
  EXPECT_FALSE(report.pass());
}

TEST(Sweep, BasesFromSeedsAreStruckAtAllTheirSteps) {
  const auto scenario = LoadScenario(std::string(OJ_SCENARIOS) + "/fast/hung-tmux-peek.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  SweepOptions options;
  options.bases = 5;
  const SweepReport report = Sweep(*scenario, options);
  std::cout << AsText(report);
  EXPECT_GE(report.steps, 300u);
  EXPECT_GE(report.points(), 2000u);
  EXPECT_EQ(report.covered(), report.points());
  EXPECT_EQ(report.violations(), 0u) << report.wrong;
}

TEST(Sweep, TwoStrikesOneAfterTheOtherBreakNothing) {
  const auto scenario = ParseScenario(R"(
about = "test"
[[session]]
id = "work"
[[client]]
name = "alice"
steps = [ { call = { type = "PeekSession", session_id = "work" }, expect = "SessionPeek" } ]
)",
                                      "test.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  SweepOptions options;
  options.pairs = true;
  options.kinds = {SweepKind::kDisconnect, SweepKind::kDaemonKill, SweepKind::kPowerLoss};
  const SweepReport report = Sweep(*scenario, options);
  std::cout << AsText(report);
  EXPECT_EQ(report.rows.size(), 3u + 9u);
  EXPECT_GE(report.points(), 1000u);
  EXPECT_EQ(report.violations(), 0u) << report.wrong;
}

}  // namespace
}  // namespace oj::sim
