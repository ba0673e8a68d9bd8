// What the mixes must come to see; shards; the strategies on whole runs.
#include "explore/probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explore/explore.h"
#include "explore/shards.h"

namespace oj::sim {
namespace {

using testing::IsEmpty;

Scenario Loaded(const std::string& name) {
  auto scenario = LoadScenario(std::string(OJ_SCENARIOS) + "/fast/" + name + ".toml");
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario ? std::move(*scenario) : Scenario{};
}

// A probe that nothing hits any more means that something is not tried any more.
TEST(Probes, TogetherTheMixesHitAllOfThem) {
  Coverage coverage;
  for (const char* name :
       {"standard-mix", "workspaces-mix", "few-children-mix", "last-session-mix"}) {
    ExploreOptions options;
    options.runs = 600;
    const ExploreReport report = Explore(Loaded(name), options);
    EXPECT_EQ(report.violations, 0u) << name << ", seed " << report.first_failure.value_or(0);
    coverage.Merge(report.coverage);
  }
  EXPECT_EQ(coverage.runs(), 2400u);
  EXPECT_THAT(coverage.NeverHit(), IsEmpty());
}

TEST(Probes, ARunInWhichNothingGoesWrongHitsFew) {
  ExploreOptions options;
  options.runs = 1;
  options.exhaustive = 1;
  const ExploreReport report = Explore(Loaded("add-and-drop-workspaces"), options);
  EXPECT_EQ(report.coverage.hits(Probe::kKilled), 0u);
  EXPECT_EQ(report.coverage.hits(Probe::kDaemonKilled), 0u);
  EXPECT_FALSE(report.coverage.NeverHit().empty());
}

TEST(Probes, CoverageIsTheSameWrittenAndRead) {
  ExploreOptions options;
  options.runs = 20;
  const Coverage coverage = Explore(Loaded("standard-mix"), options).coverage;
  const Coverage read = Coverage::Parse(coverage.Write());
  EXPECT_EQ(read.Write(), coverage.Write());
  EXPECT_GT(read.behaviours(), 100u);
}

TEST(Shards, AnyNumberOfThemMakesTheSameRuns) {
  const Scenario scenario = Loaded("standard-mix");
  ExploreOptions options;
  options.runs = 31;
  const ExploreReport one = Explore(scenario, options);
  const ExploreReport three = ExploreInShards(scenario, options, 3);
  EXPECT_EQ(three.runs, 31u);
  EXPECT_EQ(three.digest.Hex(), one.digest.Hex());
  EXPECT_EQ(three.steps, one.steps);
  EXPECT_EQ(three.coverage.behaviours(), one.coverage.behaviours());
  EXPECT_EQ(three.coverage.sites(), one.coverage.sites());
}

TEST(Shards, TheFirstFailureIsTheFirstOfAll) {
  const auto scenario = ParseScenario(R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" }, expect = "SessionPeek" }]
)",
                                      "x.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  ExploreOptions options;
  options.runs = 9;
  options.seed = 5;
  const ExploreReport report = ExploreInShards(*scenario, options, 4);
  EXPECT_EQ(report.violations, 9u);
  EXPECT_EQ(report.laws.at("expect").runs, 9u);
  EXPECT_EQ(report.first_failure, 5u);
}

TEST(Strategies, WithPrioritiesTheLawsAreKept) {
  ExploreOptions options;
  options.runs = 200;
  options.way.pct = 3;
  const ExploreReport report = Explore(Loaded("standard-mix"), options);
  EXPECT_EQ(report.violations, 0u) << "seed " << report.first_failure.value_or(0);
  EXPECT_GT(report.strands, 5u);
  EXPECT_GT(report.schedule, 50u);
}

TEST(Strategies, AllOrdersOfASmallWorldKeepTheLaws) {
  const auto scenario = ParseScenario(R"(
[[session]]
id = "work"
[[client]]
name = "alice"
steps = [{ call = { type = "PeekSession", session_id = "work" }, expect = "SessionPeek" }]
[[client]]
name = "bob"
steps = [{ call = { type = "Ping" }, expect = "Pong" }]
)",
                                      "x.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  ExploreOptions options;
  options.runs = 100'000;
  options.exhaustive = 4;
  const ExploreReport report = Explore(*scenario, options);
  EXPECT_TRUE(report.complete);
  EXPECT_GT(report.runs, 50u);
  EXPECT_EQ(report.violations, 0u);
  std::printf("%llu orders\n", static_cast<unsigned long long>(report.runs));
}

}  // namespace
}  // namespace oj::sim
