#include "explore/explore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explore/random_chooser.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Scenario Parsed(const std::string& text) {
  const auto scenario = ParseScenario(text, "x.toml");
  EXPECT_TRUE(scenario.ok()) << (scenario ? "" : scenario.error().message);
  return scenario ? *scenario : Scenario{};
}
Scenario Mix() {
  return Parsed(R"(
[config]
timeouts.tmux = 2000
timeouts.handler = 6000
[mix]
clients = 4
calls = 3
sessions = 2
faults = ["all"]
)");
}
// Its client expects what no daemon says.
Scenario Failing() {
  return Parsed(R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" }, expect = "SessionPeek" }]
)");
}

TEST(Explore, TheSameSeedRunsTheSame) {
  const Scenario scenario = Mix();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Judged a = RunSeed(scenario, seed);
    const Judged b = RunSeed(scenario, seed);
    EXPECT_EQ(FirstDifference(a.run, b.run), "") << seed;
    EXPECT_EQ(a.tape, b.tape) << seed;
  }
}

TEST(Explore, OtherSeedsRunOtherwise) {
  const Scenario scenario = Mix();
  EXPECT_THAT(FirstDifference(RunSeed(scenario, 1).run, RunSeed(scenario, 2).run),
              HasSubstr("record"));
}

TEST(Explore, EachSeedTwiceFindsNoDifference) {
  ExploreOptions options;
  options.runs = 50;
  options.twice = true;
  const ExploreReport report = Explore(Mix(), options);
  EXPECT_EQ(report.runs, 50u);
  EXPECT_EQ(report.mismatches, 0u) << report.first_mismatch;
  options.twice = false;
  EXPECT_EQ(Explore(Mix(), options).digest.Hex(), report.digest.Hex());
  options.seed = 2;
  EXPECT_NE(Explore(Mix(), options).digest.Hex(), report.digest.Hex());
}

TEST(Explore, ABrokenExpectationIsAViolationAndItsSeedIsNamed) {
  ExploreOptions options;
  options.runs = 3;
  options.seed = 7;
  const ExploreReport report = Explore(Failing(), options);
  EXPECT_EQ(report.violations, 3u);
  EXPECT_EQ(report.laws.at("expect").runs, 3u);
  EXPECT_EQ(report.first_failure, 7u);
}

TEST(Explore, ItStopsWhenItsTimeIsOver) {
  ExploreOptions options;
  options.budget = std::chrono::seconds(5);
  int seconds = 0;
  options.now = [&seconds] { return std::chrono::seconds(seconds++); };
  EXPECT_EQ(Explore(Failing(), options).runs, 4u);
}

TEST(Explore, AFailureReplaysFromItsTape) {
  const Scenario scenario = Mix();
  const Judged judged = RunSeed(scenario, 3);
  const FailureFile file = FailureOf(scenario, 3, "L1", judged);
  const auto parsed = ParseFailure(WriteFailure(file), "f.txt");
  // A mix has no law that failed; all else must be there.
  const Tape& tape = parsed ? parsed->tape : file.tape;
  const auto replayed = Replay(scenario, 3, tape);
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  EXPECT_EQ(FirstDifference(judged.run, replayed->run), "");
}

TEST(Explore, ATapeOfAnotherScenarioIsRefused) {
  const Tape tape = RunSeed(Mix(), 3).tape;
  const auto replayed = Replay(Failing(), 3, tape);
  ASSERT_FALSE(replayed.ok());
  EXPECT_THAT(replayed.error().message, HasSubstr("does not fit"));
}

TEST(Judging, WhatTheWorldFindsIsAViolationOfItsLaw) {
  const Scenario scenario = Failing();
  Judged judged = RunSeed(scenario, 1);
  judged.run.violations = {{"L4", "something was left"}, {"L9", "a client starved"}};
  judged.run.processes.push_back({1001, true, true});
  const auto verdicts = Judging(scenario).Judge(judged.run, RandomChooser(1));
  std::vector<std::string> messages;
  for (const Verdict& verdict : verdicts) {
    for (const Violation& each : verdict.violations) {
      messages.push_back(verdict.law + ": " + each.message);
    }
  }
  EXPECT_THAT(messages, testing::UnorderedElementsAre(
                            "L4: 1 zombies left over", "L4: something was left",
                            "L9: a client starved", "expect: x.toml:4: alice: came out as Pong"));
}

}  // namespace
}  // namespace oj::sim
