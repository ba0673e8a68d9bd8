// What is drawn for a rule, without a process.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "../../fakes/vocabulary.h"

namespace oj::fakes {
namespace {

using std::chrono::milliseconds;

constexpr int kCalls = 20'000;

TEST(Draws, AreTheSameForTheSameSeedRuleAndCallOnly) {
  const double drawn = Draws(3, 0, 1).Next();
  EXPECT_EQ(Draws(3, 0, 1).Next(), drawn);
  EXPECT_NE(Draws(4, 0, 1).Next(), drawn);
  EXPECT_NE(Draws(3, 1, 1).Next(), drawn);
  EXPECT_NE(Draws(3, 0, 2).Next(), drawn);
}

TEST(Draws, AreEvenFromZeroToOne) {
  double sum = 0;
  for (int call = 1; call <= kCalls; ++call) {
    const double drawn = Draws(7, 0, call).Next();
    ASSERT_GE(drawn, 0);
    ASSERT_LT(drawn, 1);
    sum += drawn;
  }
  EXPECT_NEAR(sum / kCalls, 0.5, 0.02);
}

TEST(Draws, DelaysLieBetweenTheirBoundsAndReachThem) {
  const milliseconds from(20);
  const milliseconds to(120);
  milliseconds least = to;
  milliseconds most = from;
  for (int call = 1; call <= kCalls; ++call) {
    const milliseconds delay = Draws(1, 0, call).Delay(from, to, milliseconds(0));
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_EQ(least, from);
  EXPECT_EQ(most, to);
}

TEST(Draws, ExponentialDelaysHaveTheirMeanAndAreAtMostTenTimesIt) {
  const milliseconds mean(100);
  milliseconds sum{};
  milliseconds most{};
  for (int call = 1; call <= kCalls; ++call) {
    const milliseconds delay = Draws(1, 0, call).Delay(milliseconds(5), milliseconds(0), mean);
    ASSERT_GE(delay, milliseconds(5));
    sum += delay - milliseconds(5);
    most = std::max(most, delay);
  }
  EXPECT_NEAR(static_cast<double>(sum.count()) / kCalls, 100, 5);
  EXPECT_GT(most, 7 * mean);
  EXPECT_LE(most, milliseconds(5) + 10 * mean);
}

// The tail beyond ten times the mean is met once in 22,000 draws.
TEST(Draws, ExponentialDelaysAreCutOff) {
  milliseconds most{};
  for (int call = 1; call <= 20 * kCalls; ++call) {
    const milliseconds none{};
    most = std::max(most, Draws(1, 0, call).Delay(none, none, milliseconds(10)));
  }
  EXPECT_EQ(most, milliseconds(100));
}

TEST(Draws, WithoutBoundsNothingIsDrawn) {
  EXPECT_EQ(Draws(1, 0, 1).Delay(milliseconds(7), milliseconds(0), milliseconds(0)),
            milliseconds(7));
}

}  // namespace
}  // namespace oj::fakes
