#include "trace_maker.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPeek = "tmux capture-pane -t =a: -p";

auto Check(const TraceMaker& made, std::vector<std::uint64_t> misanswered) {
  Facts facts;
  facts.misanswered = std::move(misanswered);
  return Of(CheckExpected, made, facts);
}

TraceMaker Failed() {
  TraceMaker made;
  made.Sends(0, "PeekSession").Begun(1, "PeekSession").Starts(2, 10, kPeek).Dies(3, 10);
  made.Ended(4).Receives(5, "tool_failed");
  return made;
}

TEST(Expected, ToolFailedWithoutAToolThatFailedIsNotExpected) {
  EXPECT_THAT(Check(Failed(), {}), ElementsAre(HasSubstr("got tool_failed to PeekSession, r1")));
  EXPECT_THAT(Check(Failed(), {9, 11}), ElementsAre(HasSubstr("tool_failed")));
}

TEST(Expected, ToolFailedAfterAToolThatFailedIsExpected) {
  EXPECT_THAT(Check(Failed(), {9, 10}), IsEmpty());
}

TEST(Expected, WhereToolsAreNotKnownToolFailedIsNotJudged) {
  EXPECT_THAT(Of(CheckExpected, Failed()), IsEmpty());
}

TEST(Expected, ThoseWhoJoinShareTheBlame) {
  TraceMaker made;
  made.Sends(0, "PeekSession").Begun(1, "PeekSession").Sends(2, "PeekSession", 2, 2, 2);
  made.Joined(3, 1, 2).Starts(4, 10, kPeek).Dies(5, 10).Ended(6).Receives(7, "tool_failed", 2, 2);
  EXPECT_THAT(Check(made, {10}), IsEmpty());
  EXPECT_THAT(Check(made, {}), ElementsAre(HasSubstr("client 2")));
}

TEST(Expected, ARepeatedAnswerIsNotBlamedOnLaterTools) {
  TraceMaker made;
  made.Sends(0, "PeekSession").Receives(1, "tool_failed");
  EXPECT_THAT(Check(made, {}), IsEmpty());
}

}  // namespace
}  // namespace oj::sim
