#include "trace_maker.h"

namespace oj::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(LimitsChecker, MoreRequestsInFlightThanAllowedBreakTheLaw) {
  Facts facts;
  facts.max_requests = 1;
  TraceMaker maker;
  maker.Begun(1, "Ping", 1).Ended(2, 1).Begun(3, "Ping", 2).Begun(4, "Ping", 3);
  const Verdict verdict = CheckLimits(Story(maker.trace()), facts);
  ASSERT_THAT(verdict.violations, SizeIs(1));
  EXPECT_THAT(verdict.violations[0].message, HasSubstr("2 requests in flight at once"));
}

TEST(LimitsChecker, AsManyAsAllowedKeepTheLaw) {
  Facts facts;
  facts.max_requests = facts.max_children = 1;
  TraceMaker maker;
  maker.Begun(1, "Ping", 1).Starts(2, 10, "git status").Dies(3, 10).Ended(3, 1);
  maker.Begun(4, "Ping", 2).Starts(5, 11, "git status", 2).Starts(6, 12, "git status", 2, 11);
  EXPECT_TRUE(CheckLimits(Story(maker.trace()), facts).pass());
}

TEST(LimitsChecker, MoreChildrenThanAllowedBreakTheLaw) {
  Facts facts;
  facts.max_children = 1;
  TraceMaker maker;
  maker.Begun(1, "Ping", 1).Starts(2, 10, "git status").Starts(3, 11, "git status");
  EXPECT_THAT(CheckLimits(Story(maker.trace()), facts).violations, SizeIs(1));
}

TEST(LimitsChecker, AChildCountsUntilItIsReaped) {
  Facts facts;
  facts.max_children = 1;
  TraceMaker maker;
  maker.Begun(1, "Ping", 1).Starts(2, 10, "git status").Signal(3, 10);
  maker.Starts(4, 11, "git status").Dies(5, 10);
  EXPECT_THAT(CheckLimits(Story(maker.trace()), facts).violations, SizeIs(1));
}

}  // namespace
}  // namespace oj::sim
