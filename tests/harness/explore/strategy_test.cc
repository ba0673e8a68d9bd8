#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "explore/odometer.h"
#include "explore/pct.h"
#include "explore/random_chooser.h"

namespace oj::sim {
namespace {

constexpr Site kStrand{"strand", SiteClass::kSchedule, 0.3};
constexpr Site kFault{"fault", SiteClass::kProcess, 0.5};

TEST(Pct, TheStrandOfTheHighestPriorityRunsWheneverItIsReady) {
  Pct pct(7, 1);
  const std::uint32_t all[] = {1, 2, 3};
  const std::uint32_t first = all[pct.Pick(all)];
  const std::uint32_t turned[] = {3, 2, 1};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(turned[pct.Pick(turned)], first);
  EXPECT_EQ(pct.strands(), 3u);
  EXPECT_EQ(pct.steps(), 21u);
}

TEST(Pct, PrioritiesChangeAsOftenAsTheDepthSays) {
  for (const unsigned depth : {1u, 2u, 4u}) {
    std::size_t most = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      Pct pct(seed, depth);
      std::size_t changes = 0;
      std::uint32_t last = 9;
      const std::uint32_t all[] = {1, 2, 3, 4, 5, 6};
      for (std::uint32_t i = 0; i < Pct::kSteps; ++i) {
        const std::uint32_t choice = pct.Pick(all);
        changes += last != 9 && choice != last;
        last = choice;
      }
      most = std::max(most, changes);
    }
    EXPECT_EQ(most, depth - 1);
  }
}

TEST(Pct, OtherSeedsPreferOtherStrands) {
  std::set<std::uint32_t> first;
  const std::uint32_t all[] = {1, 2, 3, 4};
  for (std::uint64_t seed = 1; seed <= 100; ++seed) first.insert(Pct(seed, 3).Pick(all));
  EXPECT_EQ(first.size(), 4u);
}

TEST(Pct, OnlyTheChoiceAmongStrandsIsByPriority) {
  RandomChooser with(5, {.pct = 3});
  RandomChooser plain(5, {});
  const std::uint32_t all[] = {1, 2, 3};
  ASSERT_TRUE(with.AsksWho());
  ASSERT_FALSE(plain.AsksWho());
  for (int i = 0; i < 50; ++i) {
    with.Among(all);
    with.Choose(kStrand, 1, 3);
    EXPECT_EQ(with.Choose(kFault, 1, 4), plain.Choose(kFault, 1, 4));
  }
}

TEST(Odometer, EachOrderComesOnce) {
  Odometer odometer(3);
  std::set<std::string> orders;
  int runs = 0;
  do {
    OdometerChooser chooser(odometer);
    std::string order;
    // Who goes left has a choice less.
    const std::uint32_t left = chooser.Choose(kStrand, 1, 2);
    order += std::to_string(left);
    if (left == 0) order += std::to_string(chooser.Choose(kStrand, 1, 3));
    order += std::to_string(chooser.Choose(kStrand, 1, 2));
    EXPECT_EQ(chooser.Choose(kFault, 1, 4), 0u);
    orders.insert(order);
    ++runs;
  } while (odometer.Advance());
  EXPECT_EQ(runs, 3 * 2 + 2);
  EXPECT_EQ(orders.size(), 8u);
}

TEST(Odometer, BeyondItsLengthAllIsInOrder) {
  Odometer odometer(1);
  int runs = 0;
  do {
    OdometerChooser chooser(odometer);
    chooser.Choose(kStrand, 1, 5);
    EXPECT_EQ(chooser.Choose(kStrand, 1, 5), 0u);
    ++runs;
  } while (odometer.Advance());
  EXPECT_EQ(runs, 5);
}

}  // namespace
}  // namespace oj::sim
