// A line that is drawn over: how often, how wide, and gone in the end.
#include "terminal/status_line.h"

#include <gtest/gtest.h>

namespace oj::terminal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StatusLineTest : public testing::Test {
 protected:
  StatusLine::Screen Screen(bool redraws = true) {
    return {.write = [this](std::string_view text) { written_ += text; },
            .columns = [] { return 10; },
            .now = [this] { return now_; },
            .redraws = redraws};
  }
  std::string Written() { return std::exchange(written_, ""); }

  Instant now_{seconds(5)};
  std::string written_;
};

TEST_F(StatusLineTest, FirstIsDrawnAtOnceAndTheNextAfterATenthOfASecond) {
  StatusLine line(Screen());
  line.Show("one");
  EXPECT_EQ(Written(), "\rone\x1b[K");
  now_ += milliseconds(99);
  line.Show("two");
  EXPECT_EQ(Written(), "");
  now_ += milliseconds(1);
  line.Flush();
  EXPECT_EQ(Written(), "\rtwo\x1b[K");
  line.Flush();
  EXPECT_EQ(Written(), "");
}

TEST_F(StatusLineTest, NothingIsDrawnFromTheBackground) {
  bool in_front = false;
  StatusLine::Screen screen = Screen();
  screen.in_front = [&in_front] { return in_front; };
  StatusLine line(std::move(screen));
  line.Show("behind");
  EXPECT_EQ(Written(), "");
  in_front = true;
  line.Flush();
  EXPECT_EQ(Written(), "\rbehind\x1b[K");
  in_front = false;
  line.Clear();
  EXPECT_EQ(Written(), "");
}

TEST_F(StatusLineTest, AtMostTenASecondAreDrawn) {
  StatusLine line(Screen());
  for (int i = 0; i < 1000; ++i, now_ += milliseconds(1)) line.Show("x");
  const std::string written = Written();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\r'), 10);
}

TEST_F(StatusLineTest, IsCutToTheTerminalAndTakenOffInTheEnd) {
  {
    StatusLine line(Screen());
    line.Show("0123456789");
    EXPECT_EQ(Written(), "\r01234567~\x1b[K");
  }
  EXPECT_EQ(Written(), "\r\x1b[K");
}

TEST_F(StatusLineTest, NothingIsWrittenWhereLinesCannotBeRedrawn) {
  {
    StatusLine line(Screen(false));
    line.Show("x");
  }
  EXPECT_EQ(Written(), "");
}

TEST(TimeLeft, GoesOnAtThePaceSoFar) {
  EXPECT_EQ(TimeLeft(10, 40, seconds(4)), "12 s");
  EXPECT_EQ(TimeLeft(1, 1000, seconds(1)), "17 min");
  EXPECT_EQ(TimeLeft(0, 10, seconds(4)), "");
  EXPECT_EQ(TimeLeft(10, 10, seconds(4)), "");
  EXPECT_EQ(TimeLeft(1, 10, milliseconds(100)), "");
}

}  // namespace
}  // namespace oj::terminal
