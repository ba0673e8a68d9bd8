#include "terminal/colour.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace oj::terminal {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool UsesColour(const Facts& facts) {
  if (!facts.no_color.empty()) return false;
  if (!facts.clicolor_force.empty() && facts.clicolor_force != "0") return true;
  return facts.is_terminal && facts.term != "dumb";
}

bool UsesColour(bool is_terminal) {
  return UsesColour(
      Facts{is_terminal, Variable("NO_COLOR"), Variable("CLICOLOR_FORCE"), Variable("TERM")});
}

std::string Styled(std::string_view text, Style style, bool color) {
  constexpr std::string_view kCodes[] = {"",         "\x1b[2m",  "\x1b[32m",
                                         "\x1b[33m", "\x1b[31m", "\x1b[1m"};
  if (!color || style == Style::kPlain || text.empty()) return std::string(text);
  return std::string(kCodes[static_cast<std::size_t>(style)]) + std::string(text) + "\x1b[0m";
}

bool Redraws(bool is_terminal) { return is_terminal && Variable("TERM") != "dumb"; }

bool DrawsUtf8() {
  std::string locale = Variable("LC_ALL");
  if (locale.empty()) locale = Variable("LC_CTYPE");
  if (locale.empty()) locale = Variable("LANG");
  std::transform(locale.begin(), locale.end(), locale.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
}

}  // namespace oj::terminal
