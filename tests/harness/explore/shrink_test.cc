#include "explore/shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explore/keyed_chooser.h"
#include "explore/random_chooser.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;

// Alice's peek fails where a tool does; the clients of the mix only add to the story.
Scenario NoisyPeek() {
  const auto scenario = ParseScenario(R"(
[config]
timeouts.tmux = 2000
timeouts.handler = 6000
[[session]]
id = "s9"
screen = "hello"
[[client]]
name = "alice"
steps = [{ call = { type = "PeekSession", session_id = "s9" }, expect = "SessionPeek" }]
[mix]
clients = 3
calls = 3
sessions = 2
faults = ["all"]
)",
                                      "x.toml");
  EXPECT_TRUE(scenario.ok()) << (scenario ? "" : scenario.error().message);
  return scenario ? *scenario : Scenario{};
}

// The first seed whose run ends otherwise than alice expects.
std::uint64_t FailingSeed(const Scenario& scenario) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    for (const Verdict& each : RunSeed(scenario, seed).verdicts) {
      if (each.law == "expect" && !each.pass()) return seed;
    }
  }
  return 0;
}

TEST(KeyedChooser, DecisionsByKeyMakeTheSameRun) {
  const Scenario scenario = NoisyPeek();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomChooser random(seed);
    SimOptions options;
    options.seed = seed;
    const SimResult run = RunSim(scenario, random, options);
    KeyedChooser keyed(KeyedOf(random, false));
    EXPECT_EQ(FirstDifference(run, RunSim(scenario, keyed, options)), "") << seed;
    EXPECT_EQ(TapeOf(keyed), TapeOf(random)) << seed;
  }
}

TEST(KeyedChooser, ADecisionKeepsItsMeaningWhenOthersOfItsSiteFallAway) {
  static constexpr Site kSite{"site", SiteClass::kProcess, 0.5};
  KeyedChooser chooser({{"site", SiteClass::kProcess, 7, 1, 4, 3}});
  EXPECT_EQ(chooser.Choose(kSite, 5, 4), 0u);
  EXPECT_EQ(chooser.Choose(kSite, 7, 4), 0u);
  EXPECT_EQ(chooser.Choose(kSite, 7, 4), 3u);
  EXPECT_EQ(chooser.Choose(kSite, 7, 4), 0u);
}

TEST(KeyedChooser, WhereFewerWaysAreLeftTheLastIsTaken) {
  static constexpr Site kSite{"site", SiteClass::kProcess, 0.5};
  KeyedChooser chooser({{"site", SiteClass::kProcess, 7, 0, 4, 3}});
  EXPECT_EQ(chooser.Choose(kSite, 7, 2), 1u);
}

TEST(Shrink, WhatDoesNotBelongToTheStoryFallsAway) {
  const Scenario scenario = NoisyPeek();
  const std::uint64_t seed = FailingSeed(scenario);
  ASSERT_NE(seed, 0u);
  const Judged judged = RunSeed(scenario, seed);
  ShrinkOptions options;
  options.seed = seed;
  options.law = "expect";
  const auto shrunk = Shrink(scenario, judged.tape, options);
  ASSERT_TRUE(shrunk.ok()) << shrunk.error().message;
  EXPECT_TRUE(shrunk->complete);
  EXPECT_LE(shrunk->operations, 1u);
  EXPECT_LE(shrunk->decisions, 4u);
  EXPECT_GT(shrunk->before, 20u);
  const auto again = Replay(scenario, seed, shrunk->judged.tape);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(FirstDifference(shrunk->judged.run, again->run), "");
}

TEST(Shrink, ItEndsWithTheBudgetAndKeepsWhatItHas) {
  const Scenario scenario = NoisyPeek();
  const std::uint64_t seed = FailingSeed(scenario);
  ShrinkOptions options;
  options.seed = seed;
  options.law = "expect";
  options.most_runs = 3;
  const auto shrunk = Shrink(scenario, RunSeed(scenario, seed).tape, options);
  ASSERT_TRUE(shrunk.ok()) << shrunk.error().message;
  EXPECT_FALSE(shrunk->complete);
  EXPECT_EQ(shrunk->runs, 3u);
  EXPECT_FALSE(AllPass(shrunk->judged.verdicts));
}

TEST(Shrink, ARunThatBreaksNothingIsRefused) {
  const Scenario scenario = NoisyPeek();
  ShrinkOptions options;
  options.seed = FailingSeed(scenario);
  options.law = "L3";
  const auto shrunk = Shrink(scenario, RunSeed(scenario, options.seed).tape, options);
  ASSERT_FALSE(shrunk.ok());
  EXPECT_THAT(shrunk.error().message, HasSubstr("does not break L3"));
}

TEST(Shrink, ATapeOfAnotherScenarioIsRefused) {
  Scenario other = NoisyPeek();
  other.mix.clients = 1;
  ShrinkOptions options;
  options.law = "expect";
  const auto shrunk = Shrink(other, RunSeed(NoisyPeek(), 1).tape, options);
  ASSERT_FALSE(shrunk.ok());
  EXPECT_THAT(shrunk.error().message, HasSubstr("does not fit"));
}

}  // namespace
}  // namespace oj::sim
