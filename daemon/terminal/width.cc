#include "terminal/width.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace oj::terminal {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// The blocks that matter, not all of Unicode's table.
constexpr std::array<Range, 12> kCombining = {{{0x0300, 0x036f},
                                               {0x0483, 0x0489},
                                               {0x0591, 0x05bd},
                                               {0x0610, 0x061a},
                                               {0x064b, 0x065f},
                                               {0x0e34, 0x0e3a},
                                               {0x1ab0, 0x1aff},
                                               {0x1dc0, 0x1dff},
                                               {0x200b, 0x200f},
                                               {0x20d0, 0x20ff},
                                               {0xfe00, 0xfe0f},
                                               {0xfe20, 0xfe2f}}};
constexpr std::array<Range, 21> kWide = {
    {{0x1100, 0x115f},  {0x231a, 0x231b}, {0x23e9, 0x23ec}, {0x2614, 0x2615}, {0x26a1, 0x26a1},
     {0x2705, 0x2705},  {0x2728, 0x2728}, {0x274c, 0x274c}, {0x2753, 0x2755}, {0x2757, 0x2757},
     {0x2b50, 0x2b50},  {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3},
     {0xf900, 0xfaff},  {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff},
     {0x20000, 0x3fffd}}};

template <std::size_t n>
bool In(const std::array<Range, n>& ranges, std::uint32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& each) { return code >= each.first && code <= each.last; });
}

struct Character {
  std::size_t bytes = 1;
  std::size_t width = 1;
};

// The first of a text that is not empty.
Character First(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t bytes = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {};
  std::uint32_t code = byte(0) & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  return {bytes, In(kCombining, code) ? 0U : In(kWide, code) ? 2U : 1U};
}

}  // namespace

std::size_t WidthOf(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character first = First(text);
    width += first.width;
    text.remove_prefix(first.bytes);
  }
  return width;
}

std::string Cut(std::string_view text, std::size_t width, std::string_view mark) {
  if (width == 0) return {};
  std::size_t bytes = 0;
  std::size_t used = 0;
  std::size_t keeps = 0;  // bytes that leave room for the mark
  while (bytes < text.size()) {
    const Character next = First(text.substr(bytes));
    if (used + next.width > width) {
      return std::string(text.substr(0, keeps)).append(mark);
    }
    bytes += next.bytes;
    used += next.width;
    if (used < width) keeps = bytes;
  }
  return std::string(text);
}

}  // namespace oj::terminal
