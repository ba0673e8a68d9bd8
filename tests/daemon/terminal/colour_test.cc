// One rule for colours.
#include "terminal/colour.h"

#include <gtest/gtest.h>

namespace oj::terminal {
namespace {

TEST(UsesColour, IsForTerminalsThatAreNotDumb) {
  EXPECT_TRUE(UsesColour({.is_terminal = true, .term = "xterm"}));
  EXPECT_FALSE(UsesColour({.is_terminal = false, .term = "xterm"}));
  EXPECT_FALSE(UsesColour({.is_terminal = true, .term = "dumb"}));
}

TEST(UsesColour, IsNotWithNoColorUnlessThatIsEmpty) {
  EXPECT_FALSE(UsesColour({.is_terminal = true, .no_color = "0", .clicolor_force = "1"}));
  EXPECT_TRUE(UsesColour({.is_terminal = true, .no_color = ""}));
}

TEST(UsesColour, IsForcedAlsoIntoAPipeUnlessForceIsZero) {
  EXPECT_TRUE(UsesColour({.is_terminal = false, .clicolor_force = "1"}));
  EXPECT_TRUE(UsesColour({.is_terminal = true, .clicolor_force = "1", .term = "dumb"}));
  EXPECT_FALSE(UsesColour({.is_terminal = false, .clicolor_force = "0"}));
}

TEST(Styled, IsPlainWithoutColours) {
  EXPECT_EQ(Styled("x", Style::kBad, true), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Styled("x", Style::kBad, false), "x");
  EXPECT_EQ(Styled("x", Style::kPlain, true), "x");
}

}  // namespace
}  // namespace oj::terminal
