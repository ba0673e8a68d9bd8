// Columns of a text on a terminal.
#include "terminal/width.h"

#include <gtest/gtest.h>

namespace oj::terminal {
namespace {

TEST(WidthOf, CountsColumnsNotBytes) {
  EXPECT_EQ(WidthOf("abc"), 3U);
  EXPECT_EQ(WidthOf("größe"), 5U);
  EXPECT_EQ(WidthOf("日本"), 4U);
  EXPECT_EQ(WidthOf("e\xcc\x81"), 1U);         // e and a combining acute
  EXPECT_EQ(WidthOf("\xf0\x9f\x98\x80"), 2U);  // an emoji
  EXPECT_EQ(WidthOf("✅❌✨⭐⚡"), 10U);
  EXPECT_EQ(WidthOf("✓✗→"), 3U);
  EXPECT_EQ(WidthOf("\xff\xe2\x82"), 3U);  // no UTF-8
}

TEST(Cut, EndsWithTheMarkOnlyWhereSomethingIsCut) {
  EXPECT_EQ(Cut("abcd", 4, "~"), "abcd");
  EXPECT_EQ(Cut("abcde", 4, "~"), "abc~");
  EXPECT_EQ(Cut("abcde", 4, "…"), "abc…");
  EXPECT_EQ(Cut("abc", 0, "~"), "");
}

TEST(Cut, NeverTakesMoreThanTheWidthWithWideCharacters) {
  EXPECT_EQ(Cut("日本語", 6, "~"), "日本語");
  EXPECT_EQ(Cut("日本語", 5, "~"), "日本~");
  EXPECT_EQ(Cut("日本語", 4, "~"), "日~");
  EXPECT_EQ(Cut("日本語", 1, "~"), "~");
  for (std::size_t width = 1; width < 12; ++width) {
    EXPECT_LE(WidthOf(Cut("a日b本c語d", width, "…")), width);
  }
}

}  // namespace
}  // namespace oj::terminal
