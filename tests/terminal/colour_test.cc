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

}  // namespace
}  // namespace oj::terminal
