// Examples in help texts, and the calls in them.
#include "terminal/examples.h"

#include <gmock/gmock.h>

namespace oj::terminal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ExamplesIn, AreTheIndentedLinesAfterTheWord) {
  EXPECT_THAT(ExamplesIn("Exit status: 0\n  no\nExample:\n  a b\n  c\nmore"),
              ElementsAre("a b", "c"));
  EXPECT_THAT(ExamplesIn("Exit status: 0\n"), IsEmpty());
}

TEST(CallsIn, AreTheWordsOfEachCallOfTheProgram) {
  EXPECT_THAT(CallsIn("oj a 'b c' && X=1 oj d | less", "oj"),
              ElementsAre(ElementsAre("a", "b c"), ElementsAre("d")));
  EXPECT_THAT(CallsIn("source <(oj x y)", "oj"), ElementsAre(ElementsAre("x", "y")));
  EXPECT_THAT(CallsIn("oj a \"\"  # not b", "oj"), ElementsAre(ElementsAre("a", "")));
  EXPECT_THAT(CallsIn("echo oj", "oj"), IsEmpty());
}

}  // namespace
}  // namespace oj::terminal
