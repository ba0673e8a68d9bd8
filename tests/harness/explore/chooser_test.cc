#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "explore/random_chooser.h"
#include "explore/replay_chooser.h"
#include "explore/tape.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Site kFault{"hangs", SiteClass::kProcess, 0.25};
constexpr Site kOther{"resets", SiteClass::kTransport, 0.25};
constexpr Site kStrand{"strand", SiteClass::kSchedule, 0.5};
constexpr Site kRequest{"request", SiteClass::kWorkload, 1};

std::vector<std::uint32_t> Draw(Chooser& chooser, const Site& site, int times, std::uint32_t n) {
  std::vector<std::uint32_t> choices;
  for (int i = 0; i < times; ++i) choices.push_back(chooser.Choose(site, 7, n));
  return choices;
}
// The first seed from `from` whose run is of that manner.
std::uint64_t SeedThatIs(bool swarm, std::uint64_t from = 1) {
  while (RandomChooser(from).swarm() != swarm) ++from;
  return from;
}

TEST(Chooser, ADecisionAmongOneIsNoDecision) {
  RandomChooser chooser(1);
  EXPECT_EQ(chooser.Choose(kRequest, 1, 1), 0u);
  EXPECT_THAT(chooser.tape(), IsEmpty());
}

TEST(Chooser, TheTapeHasAllDecisionsAndNamesTheirSites) {
  RandomChooser chooser(1);
  const std::uint32_t a = chooser.Choose(kRequest, 3, 5);
  const std::uint32_t b = chooser.Choose(kStrand, 4, 2);
  EXPECT_THAT(chooser.tape(), ElementsAre(Decision{0, 3, 5, a}, Decision{1, 4, 2, b}));
  EXPECT_THAT(chooser.site_names(), ElementsAre("request", "strand"));
}

TEST(Chooser, SitesWithOneNameAreOne) {
  const Site twin = kRequest;
  RandomChooser chooser(1);
  chooser.Choose(kRequest, 1, 5);
  chooser.Choose(twin, 1, 5);
  EXPECT_EQ(chooser.tape()[1].site, 0u);
}

TEST(RandomChooser, TheSameSeedDecidesAlike) {
  RandomChooser a(42);
  RandomChooser b(42);
  EXPECT_EQ(Draw(a, kRequest, 100, 10), Draw(b, kRequest, 100, 10));
  RandomChooser c(43);
  EXPECT_NE(Draw(b, kRequest, 100, 10), Draw(c, kRequest, 100, 10));
}

TEST(RandomChooser, MoreDrawsInOneClassDoNotShiftAnother) {
  RandomChooser a(42);
  RandomChooser b(42);
  Draw(a, kStrand, 17, 3);
  EXPECT_EQ(Draw(a, kRequest, 100, 10), Draw(b, kRequest, 100, 10));
}

TEST(RandomChooser, AnEvenSiteTakesAllChoicesAlike) {
  RandomChooser chooser(5);
  std::map<std::uint32_t, int> counts;
  for (const std::uint32_t each : Draw(chooser, kRequest, 10000, 4)) ++counts[each];
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(counts[i], 2500, 200) << i;
}

TEST(RandomChooser, WithAllFaultsOnARateIsKept) {
  RandomChooser chooser(SeedThatIs(false));
  int faults = 0;
  for (const std::uint32_t each : Draw(chooser, kFault, 10000, 4)) faults += each != 0;
  EXPECT_NEAR(faults, 2500, 200);
}

TEST(RandomChooser, HalfOfTheRunsAreSwarms) {
  int swarms = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) swarms += RandomChooser(seed).swarm();
  EXPECT_NEAR(swarms, 500, 60);
}

TEST(RandomChooser, ASwarmHasClassesOffAndOnAndItsOwnRates) {
  std::set<int> faults;
  std::set<bool> on;
  for (std::uint64_t seed = SeedThatIs(true), i = 0; i < 200; ++i) {
    RandomChooser chooser(seed);
    on.insert(chooser.on(SiteClass::kProcess));
    EXPECT_TRUE(chooser.on(SiteClass::kWorkload));
    EXPECT_TRUE(chooser.on(SiteClass::kSchedule));
    int count = 0;
    for (const std::uint32_t each : Draw(chooser, kFault, 1000, 4)) count += each != 0;
    faults.insert(count / 100);
    seed = SeedThatIs(true, seed + 1);
  }
  EXPECT_EQ(on.size(), 2u);
  EXPECT_TRUE(faults.contains(0));
  EXPECT_GE(faults.size(), 5u);
}

TEST(RandomChooser, ThreeSitesOfOneClassAreNotAlwaysOnTogether) {
  std::set<bool> together;
  for (std::uint64_t seed = 1; seed < 60; seed = SeedThatIs(true, seed + 1)) {
    RandomChooser chooser(seed);
    constexpr Site kSecond{"crashes", SiteClass::kProcess, 0.25};
    const auto some = [](const std::vector<std::uint32_t>& choices) {
      for (const std::uint32_t each : choices) {
        if (each != 0) return true;
      }
      return false;
    };
    together.insert(some(Draw(chooser, kFault, 500, 4)) == some(Draw(chooser, kSecond, 500, 4)));
  }
  EXPECT_EQ(together.size(), 2u);
}

// A run of a few decisions; `more` and `entity` make it another one.
void Play(Chooser& chooser, int more = 0, std::uint32_t entity = 1) {
  for (std::uint32_t i = 0; i < 20; ++i) {
    chooser.Choose(kStrand, i, 3);
    chooser.Choose(kFault, entity, 4);
  }
  for (int i = 0; i < more; ++i) chooser.Choose(kStrand, 0, 2);
}
Tape Recorded(int more = 0) {
  RandomChooser chooser(SeedThatIs(false));
  Play(chooser, more);
  return TapeOf(chooser);
}

TEST(ReplayChooser, ATapeDecidesAsItsRunDid) {
  RandomChooser chooser(SeedThatIs(false));
  Play(chooser);
  const Tape tape = TapeOf(chooser);
  EXPECT_FALSE(tape.decisions.empty());
  EXPECT_EQ(tape.total, 40u);
  ReplayChooser replay(tape);
  Play(replay);
  EXPECT_EQ(replay.Misfit(), "");
  EXPECT_EQ(replay.tape(), chooser.tape());
}

TEST(ReplayChooser, ARunThatDecidesMoreDoesNotFit) {
  const Tape tape = Recorded();
  ReplayChooser replay(tape);
  Play(replay, 1);
  EXPECT_THAT(replay.Misfit(), HasSubstr("more than the 40 recorded"));
}

TEST(ReplayChooser, ARunThatDecidesLessDoesNotFit) {
  const Tape tape = Recorded(1);
  ReplayChooser replay(tape);
  Play(replay);
  EXPECT_THAT(replay.Misfit(), HasSubstr("makes 40 decisions, but made 41"));
}

TEST(ReplayChooser, AnotherEntityDoesNotFit) {
  const Tape tape = Recorded();
  ReplayChooser replay(tape);
  Play(replay, 0, 2);
  EXPECT_THAT(replay.Misfit(), HasSubstr("hangs of 2 among 4, but was hangs of 1 among 4"));
}

TEST(ReplayChooser, EvenADefaultDecisionAboutSomethingElseDoesNotFit) {
  RandomChooser chooser(1);
  chooser.Choose(kOther, 1, 2);
  Tape tape = TapeOf(chooser);
  tape.decisions.clear();
  ReplayChooser replay(tape);
  replay.Choose(kFault, 1, 2);
  EXPECT_THAT(replay.Misfit(), HasSubstr("about other things"));
}

TEST(RandomChooser, AClassThatIsLeftOutStaysAtTheDefault) {
  RandomChooser chooser(SeedThatIs(false), {.without = BitOf(kFault.kind)});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(chooser.Choose(kFault, 1, 4), 0u);
  EXPECT_THAT(chooser.About(), HasSubstr("without"));
}

}  // namespace
}  // namespace oj::sim
