// What is shown while many runs go on.
#include "explore/meter.h"

#include <gtest/gtest.h>

namespace oj::sim {
namespace {

using std::chrono::seconds;

class MeterTest : public testing::Test {
 protected:
  terminal::StatusLine::Screen Screen(bool redraws) {
    return {.write = [this](std::string_view text) { written_ += text; },
            .columns = [] { return 100; },
            .now = [this] { return now_; },
            .redraws = redraws};
  }
  Instant now_{seconds(1)};
  std::string written_;
};

TEST_F(MeterTest, TellsRunsPaceFailuresAndTimeLeftAndIsTakenOff) {
  {
    Meter meter("explore", "broke a law", {}, Screen(true));
    meter.Tell()({300, 1000, 2, seconds(3)});
  }
  EXPECT_EQ(written_,
            "\rexplore: 300 of 1000 runs, 100 a second, 2 broke a law, 7 s left\x1b[K\r\x1b[K");
}

TEST_F(MeterTest, TimeThatIsUpFirstIsWhatIsLeft) {
  Meter meter("explore", "broke a law", seconds(4), Screen(true));
  meter.Tell()({10, 1'000'000, 0, seconds(3)});
  EXPECT_NE(written_.find(", 1 s left"), std::string::npos) << written_;
}

TEST_F(MeterTest, TellsNothingWhereThereIsNoTerminal) {
  Meter meter("explore", "broke a law", {}, Screen(false));
  EXPECT_FALSE(meter.Tell());
  meter.Show({1, 2, 0, seconds(1)});
  EXPECT_EQ(written_, "");
}

}  // namespace
}  // namespace oj::sim
