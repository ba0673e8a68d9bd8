// What is drawn from a mix, how scenarios are written, and how runs in two worlds are compared.
#include "explore/twin_compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "explore/draw.h"
#include "explore/runs.h"
#include "scenario/toml_writer.h"
#include "scenario/twin_setup.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

Scenario Loaded(const std::string& file) {
  const Result<Scenario> scenario = LoadScenario(std::string(OJ_SCENARIOS) + "/" + file);
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario ? *scenario : Scenario();
}
Scenario Parsed(const std::string& text) {
  const Result<Scenario> scenario = ParseScenario(text, "x.toml");
  EXPECT_TRUE(scenario) << scenario.error().message << text;
  return scenario ? *scenario : Scenario();
}

// A request with its keys in order.
std::string Sorted(const std::string& request) {
  std::map<std::string, std::string> sorted;
  const boost::json::value json = boost::json::parse(request);
  for (const auto& each : json.as_object()) {
    sorted[std::string(each.key())] = boost::json::serialize(each.value());
  }
  return boost::json::serialize(boost::json::value_from(sorted));
}

// But for where it was read, the order of settings and that of the keys of a request.
auto Parts(Scenario scenario) {
  // All that there are: one more, and this does not compile.
  auto& [path, about, failures, worlds, settings, config, sessions, repos, workspaces, agents, gone,
         tools, hangs, blows, clients, mix] = scenario;
  std::sort(settings.begin(), settings.end());
  std::vector<std::string> values;
  for (const ConfigKey& key : ConfigKeys()) values.push_back(GetConfig(config, key.key));
  for (ClientScript& client : clients) {
    for (Step& step : client.steps) {
      step.line = 0;
      const bool asks = step.what == Step::Do::kCall || step.what == Step::Do::kSend;
      if (asks) step.text = Sorted(step.text);
    }
  }
  return std::make_tuple(about, failures, worlds, settings, values, sessions, repos, workspaces,
                         agents, gone, tools, hangs, blows, clients, mix);
}

const Scenario& Story() {
  static const Scenario story = Parsed(R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" } }, { sleep_ms = 5 }, { call = { type = "Status" } }]
)");
  return story;
}
SimResult Simulated(const std::string& first, const std::string& second,
                    const std::vector<std::string>& left) {
  SimResult run;
  run.outcomes = {{"alice", 3, 0, first, true, {}}, {"alice", 3, 2, second, true, {}}};
  run.left = left;
  return run;
}
TwinRun Real(const std::string& first, const std::string& second,
             const std::vector<std::string>& left) {
  TwinRun run;
  run.steps = {{"alice", 3, 0, first, true, {}}, {"alice", 3, 2, second, true, {}}};
  run.left = left;
  return run;
}
std::vector<std::string> Compared(const std::vector<SimResult>& simulated, const TwinRun& real) {
  Admitted admitted;
  for (const SimResult& each : simulated) admitted.Add(Outcomes(each));
  return admitted.Differences(Outcomes(real), Story(), World::kFakes);
}

TEST(TwinCompare, WhatAnyRunDidIsAdmittedStepByStep) {
  EXPECT_THAT(Compared({Simulated("Pong", "busy", {}), Simulated("gave_up", "Status", {})},
                       Real("Pong", "Status", {})),
              IsEmpty());
}

TEST(TwinCompare, WhatNoRunDidIsNamedWithItsStep) {
  EXPECT_THAT(
      Compared({Simulated("Pong", "busy", {}), Simulated("Pong", "Status", {})},
               Real("Pong", "closed", {})),
      ElementsAre("alice, step 3, Status (line 4): simulation: Status, busy; fakes: closed"));
}

TEST(TwinCompare, AStepThatWasNeverReachedIsADifference) {
  TwinRun real = Real("Pong", "busy", {});
  real.steps.pop_back();
  EXPECT_THAT(Compared({Simulated("Pong", "busy", {})}, real),
              ElementsAre("alice, step 3, Status (line 4): simulation: busy; fakes: never"));
}

TEST(TwinCompare, WhatIsLeftMayBeThereOrGoneWhereRunsDiffer) {
  const std::vector<SimResult> simulated = {Simulated("Pong", "busy", {"session s1", "branch b"}),
                                            Simulated("Pong", "busy", {"branch b"})};
  EXPECT_THAT(Compared(simulated, Real("Pong", "busy", {"branch b"})), IsEmpty());
  EXPECT_THAT(Compared(simulated, Real("Pong", "busy", {"session s1", "branch b"})), IsEmpty());
  EXPECT_THAT(Compared(simulated, Real("Pong", "busy", {"session s2"})),
              ElementsAre("session s2: simulation: gone; fakes: there",
                          "branch b: simulation: there; fakes: gone"));
}

TEST(TwinCompare, NamesThatAreMadeUpAreAlike) {
  EXPECT_EQ(WithoutDigits("session a1-0c1fe69a"), "session a1-*");
  EXPECT_EQ(WithoutDigits("branch main"), "branch main");
  EXPECT_EQ(WithoutDigits("branch oj/w-newworld"), "branch oj/w-newworld");
}

TEST(TwinCompare, AMachineIsLateAndNeverEarly) {
  const Scenario story = Parsed(R"(
[[hang]]
tool = "tmux"
from_ms = 50
until_ms = 100
[[tool]]
tool = "git"
delay_ms = 10
[[client]]
name = "alice"
start_ms = 20
steps = [{ call = { type = "Ping" }, give_up_ms = 30 }]
)");
  std::set<Duration> starts;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Scenario late = Late(story, seed);
    EXPECT_EQ(late.hangs[0].from, milliseconds(50));
    EXPECT_GE(*late.hangs[0].until, milliseconds(100));
    EXPECT_GT(late.tools[0].delay, milliseconds(10));
    EXPECT_EQ(late.tools.size(), 3u) << "and every other call";
    EXPECT_GE(*late.clients[0].steps[0].give_up, milliseconds(30));
    starts.insert(late.clients[0].start);
  }
  EXPECT_EQ(*starts.begin(), milliseconds(20));
  EXPECT_GT(starts.size(), 2u);
}

TEST(TwinCompare, TheSimulationAdmitsBothOrdersOfTwoWhoMeet) {
  const Scenario story = Parsed(R"(
[[session]]
id = "work"
[[client]]
name = "alice"
steps = [{ call = { type = "SessionKill", id = "work" } }]
[[client]]
name = "bob"
steps = [{ call = { type = "PeekSession", session_id = "work" } }]
)");
  const SimAdmits admits = RunInSimulation(story, 60);
  EXPECT_EQ(admits.broken, "");
  EXPECT_EQ(admits.admitted.runs(), 60u);
  TwinRun real;
  real.steps = {{"alice", 0, 0, "Ok", true, {}}, {"bob", 0, 0, "SessionPeek", true, {}}};
  EXPECT_THAT(admits.admitted.Differences(Outcomes(real), story, World::kReal), IsEmpty());
  real.steps[1].outcome = "not_found";
  EXPECT_THAT(admits.admitted.Differences(Outcomes(real), story, World::kReal), IsEmpty());
  real.steps[1].outcome = "tool_timeout";
  EXPECT_EQ(admits.admitted.Differences(Outcomes(real), story, World::kReal).size(), 1u);
}

TEST(TwinDraw, TheSameSeedIsTheSameStoryAndAnotherIsAnother) {
  const Scenario mix = Loaded("fast/workspaces-mix.toml");
  std::set<std::string> stories;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string story = WriteScenario(DrawScenario(mix, seed, World::kFakes));
    EXPECT_EQ(story, WriteScenario(DrawScenario(mix, seed, World::kFakes)));
    stories.insert(story);
  }
  EXPECT_EQ(stories.size(), 50u);
}

TEST(TwinDraw, WhatIsDrawnIsAScenarioFile) {
  for (const char* file : {"fast/workspaces-mix.toml", "fast/standard-mix.toml"}) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      const Scenario drawn = DrawScenario(Loaded(file), seed, World::kFakes);
      const std::string text = WriteScenario(drawn);
      EXPECT_TRUE(Parts(Parsed(text)) == Parts(drawn)) << text;
    }
  }
}

TEST(TwinDraw, ToolsMisbehaveInEveryWayAndRealOnesInNone) {
  const Scenario mix = Loaded("fast/workspaces-mix.toml");
  std::string all;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    for (const ToolRule& rule : DrawScenario(mix, seed, World::kFakes).tools) {
      all += RuleLines(rule);
    }
    EXPECT_THAT(DrawScenario(mix, seed, World::kReal).tools, IsEmpty());
  }
  for (const char* key : {"delay_ms", "hang", "ignore_term", "exit_zero_on_term", "exit =",
                          "signal", "grandchild", "setsid", "flood_bytes", "nth", "match"}) {
    EXPECT_THAT(all, testing::HasSubstr(key));
  }
}

TEST(TomlWriter, EveryFileIsTheSameWhenItIsWrittenAndRead) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(OJ_SCENARIOS)) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const Scenario scenario = Loaded(fs::relative(entry.path(), OJ_SCENARIOS).string());
    const std::string text = WriteScenario(scenario);
    EXPECT_TRUE(Parts(Parsed(text)) == Parts(scenario)) << entry.path() << '\n' << text;
  }
  EXPECT_GE(files, 40u);
}

// It may still do its part of what a client has asked for that has gone.
TEST(TwinRuns, ADaemonThatHasBegunAUnitMayBeAsLongAsTheCheckerLets) {
  EXPECT_EQ(LongestUnitOf(Story(), {}), Duration());
  const Scenario story = Parsed(R"(
[config]
timeouts.git_worktree = 30000
[[client]]
name = "alice"
steps = [{ call = { type = "WorkspaceDrop", id = "w1" }, give_up_ms = 5 }]
)");
  EXPECT_GT(LongestUnitOf(story, {}), 10 * std::chrono::seconds(30));
}

TEST(TwinSetup, PathsOfAScenarioAreBelowTheRunsDirectory) {
  EXPECT_EQ(PlacedBelow("/d", R"({"repo":"/repos/main","cwd":"/tmp"})"),
            R"({"repo":"/d/repos/main","cwd":"/tmp"})");
  EXPECT_EQ(PlacedBelow("/d", "-C /state/workspaces/w1 status"),
            "-C /d/state/workspaces/w1 status");
  EXPECT_EQ(PlacedBelow("/d", "/home/repos/main"), "/home/repos/main");
}

}  // namespace
}  // namespace oj::sim
