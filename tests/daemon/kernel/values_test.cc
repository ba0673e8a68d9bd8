// Result, Error, Deadline: the plain values.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include "oj/deadline.h"
#include "oj/error.h"

namespace oj {
namespace {

using namespace std::chrono_literals;

TEST(ResultTest, HoldsAValue) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(**result, 3);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 3);
}

TEST(ResultTest, HoldsAnError) {
  const Status status(Error{ErrorCode::kBusy, "session a: held by 12", ""});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kBusy);
  EXPECT_EQ(status.error().message, "session a: held by 12");
}

TEST(ResultTest, LookingAtTheAbsentOneThrows) {
  const Status error(Error{});
  const Status ok(Ok{});
  EXPECT_THROW(error.value(), std::bad_variant_access);
  EXPECT_THROW(ok.error(), std::bad_variant_access);
}

TEST(ErrorCodeTest, NamesFollowTheEnumeration) {
  EXPECT_EQ(Name(ErrorCode::kInvalidRequest), "invalid_request");
  EXPECT_EQ(Name(ErrorCode::kConflict), "conflict");
  EXPECT_EQ(Name(ErrorCode::kToolTimeout), "tool_timeout");
  EXPECT_EQ(Name(ErrorCode::kInternal), "internal");
}

TEST(DeadlineTest, AfterALongTimeoutIsNeverAndDoesNotOverflow) {
  const Instant now(1h);
  EXPECT_TRUE(Deadline::After(now, Duration::max()).never());
  EXPECT_TRUE(Deadline::After(now, Duration::max() - 1h).never());
  EXPECT_FALSE(Deadline::After(now, Duration::max() - 2h).never());
}

TEST(DeadlineTest, PassesAtItsInstant) {
  const Deadline deadline = Deadline::After(Instant(10ms), 5ms);
  EXPECT_FALSE(deadline.PassedAt(Instant(15ms) - Duration(1)));
  EXPECT_TRUE(deadline.PassedAt(Instant(15ms)));
}

TEST(DeadlineTest, TimeLeftIsNeverBelowZero) {
  const Deadline deadline(Instant(10ms));
  EXPECT_EQ(deadline.LeftAt(Instant(4ms)), 6ms);
  EXPECT_EQ(deadline.LeftAt(Instant(14ms)), 0ms);
  EXPECT_EQ(Deadline::Never().LeftAt(Instant(14ms)), Duration::max());
}

TEST(DeadlineTest, EarlierIsTheSmallerOfTwo) {
  const Deadline early(Instant(1ms));
  const Deadline late(Instant(2ms));
  EXPECT_EQ(early.Earlier(late), early);
  EXPECT_EQ(late.Earlier(early), early);
  EXPECT_EQ(Deadline::Never().Earlier(late), late);
}

TEST(MillisTest, RoundsToTheNearest) {
  EXPECT_EQ(Millis(1499us), 1);
  EXPECT_EQ(Millis(1501us), 2);
  EXPECT_EQ(Millis(-1501us), -2);
}

}  // namespace
}  // namespace oj
