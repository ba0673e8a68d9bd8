// What a program may do to the terminal that it writes to: one rule for all of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oj::terminal {

// What the rule looks at.
struct Facts {
  bool is_terminal = false;
  std::string no_color = {};        // $NO_COLOR
  std::string clicolor_force = {};  // $CLICOLOR_FORCE
  std::string term = {};            // $TERM
};

// NO_COLOR, if not empty: never. Else CLICOLOR_FORCE, if neither empty nor "0": always. Else: on a
// terminal that is not dumb.
bool UsesColour(const Facts& facts);
// By this process's environment.
bool UsesColour(bool is_terminal);

enum class Style : std::uint8_t { kPlain, kDim, kGood, kWarning, kBad, kBold };
// With the colour of the style, where there are colours.
std::string Styled(std::string_view text, Style style, bool color);

// Whether lines can be drawn over: on a terminal that is not dumb.
bool Redraws(bool is_terminal);

// Whether characters beyond ASCII are drawn as they are, by LC_ALL, LC_CTYPE and LANG.
bool DrawsUtf8();

}  // namespace oj::terminal
