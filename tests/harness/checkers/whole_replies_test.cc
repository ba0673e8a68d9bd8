#include "trace_maker.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

auto Check(const TraceMaker& made, const Facts& facts = {}) {
  return Of(CheckWholeReplies, made, facts);
}

TEST(WholeReplies, OneReplyEachInOrderKeepsTheLaw) {
  TraceMaker made;
  made.Sends(1, "Ping", 1).Sends(1, "PeekSession", 2).Receives(2, "Pong", 1);
  EXPECT_THAT(Check(made.Receives(3, "not_found", 2)), IsEmpty());
}

TEST(WholeReplies, AClosedConnectionIsAnAnswerToo) {
  TraceMaker made;
  made.Sends(1, "Ping").Add(2, TraceKind::kClientSawClose, 1, 0, 1, "");
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(WholeReplies, ACallThatIsNeverAnsweredBreaksIt) {
  TraceMaker made;
  EXPECT_THAT(Check(made.Sends(1, "Ping").Until(9000)),
              ElementsAre(HasSubstr("never got a reply")));
}

TEST(WholeReplies, ATornReplyBreaksIt) {
  TraceMaker made;
  made.Sends(1, "Ping").Add(2, TraceKind::kClientTornReply, 1, 0, 0, "half").Closes(3);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("torn reply: half")));
}

TEST(WholeReplies, ADaemonThatIsKilledMayLeaveTheBeginningOfAReply) {
  TraceMaker made;
  made.Add(0, TraceKind::kClientConnected, 1, 1, 0, "").Sends(1, "Ping");
  made.Add(2, TraceKind::kDaemonDied, 1, 0, 1, "");
  made.Add(2, TraceKind::kClientTornReply, 1, 0, 0, kCutReply).Closes(3);
  EXPECT_THAT(Check(made), IsEmpty());
  made.Add(4, TraceKind::kClientConnected, 1, 2, 0, "");
  made.Add(5, TraceKind::kClientTornReply, 1, 0, 0, kCutReply);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("torn reply")));
}

TEST(WholeReplies, OneThatEndsMayLeaveItATurnBeforeItSaysSo) {
  for (const double says : {2.0, 2.5}) {
    TraceMaker made;
    made.Add(0, TraceKind::kClientConnected, 1, 1, 0, "").Sends(1, "Ping");
    made.Add(2, TraceKind::kClientTornReply, 1, 0, 0, kCutReply);
    made.Daemon(says, EventKind::kDraining, 0, 0, 0, "").Closes(3);
    EXPECT_EQ(Check(made).empty(), says == 2.0);
  }
}

TEST(WholeReplies, ASecondReplyBreaksIt) {
  TraceMaker made;
  made.Sends(1, "Ping").Receives(2, "Pong").Receives(3, "Pong");
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("second reply")));
}

TEST(WholeReplies, AReplyThatNobodyAskedForBreaksIt) {
  TraceMaker made;
  EXPECT_THAT(Check(made.Receives(3, "Pong", 0)), ElementsAre(HasSubstr("had not asked for")));
}

TEST(WholeReplies, ARefusalMayComeUnasked) {
  TraceMaker made;
  EXPECT_THAT(Check(made.Receives(3, "busy", 0)), IsEmpty());
}

TEST(WholeReplies, TheReplyToAnotherRequestBreaksIt) {
  TraceMaker made;
  made.Sends(1, "Ping").Receives(2, "SessionPeek");
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("got SessionPeek in answer to Ping")));
}

TEST(WholeReplies, TheReplyToAnotherClientBreaksIt) {
  TraceMaker made;
  made.Sends(1, "Ping", 1).Receives(2, "Pong", 1, 2);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("a call of client 1")));
}

TEST(WholeReplies, RepliesOutOfOrderBreakIt) {
  TraceMaker made;
  made.Sends(1, "Ping", 1).Sends(1, "Ping", 2).Receives(2, "Pong", 2).Receives(3, "Pong", 1);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("out of order")));
}

TEST(WholeReplies, WhoSendsRawBytesMayGetAnything) {
  TraceMaker made;
  Facts facts;
  facts.raw_clients = {1};
  EXPECT_THAT(Check(made.Receives(2, "Pong", 0), facts), IsEmpty());
}

TEST(Vacuity, ARunInWhichNothingHappenedFails) {
  TraceMaker made;
  EXPECT_THAT(Of(CheckVacuity, made.Sends(1, "Ping")), ElementsAre(HasSubstr("no request")));
  Facts none;
  none.has_clients = false;
  EXPECT_THAT(Of(CheckVacuity, made, none), IsEmpty());
  EXPECT_THAT(Of(CheckVacuity, made.Receives(2, "Pong")), IsEmpty());
}

TEST(Expected, WhatTheScenarioDoesNotExpectFails) {
  Facts facts;
  facts.unexpected = {"x.toml:3: alice: came out as busy"};
  EXPECT_THAT(Of(CheckExpected, TraceMaker(), facts), ElementsAre(HasSubstr("x.toml:3")));
}

TEST(Judge, SaysWhichLawFailedFirst) {
  TraceMaker made;
  made.Sends(1, "Ping").Receives(2, "Ok");
  const auto verdicts = Judge(made.trace(), {});
  EXPECT_FALSE(AllPass(verdicts));
  ASSERT_NE(FirstFailure(verdicts), nullptr);
  EXPECT_EQ(FirstFailure(verdicts)->law, "L8");
}

TEST(WholeReplies, AnAnswerFromAnotherSessionBreaksTheLaw) {
  Facts facts;
  facts.calls[1] = {"a", {}, ""};
  TraceMaker made;
  made.Sends(1, "PeekSession").Begun(2, "PeekSession");
  made.Starts(3, 10, "tmux capture-pane -t =b: -p").Dies(4, 10).Ended(5);
  EXPECT_THAT(Of(CheckWholeReplies, made.Receives(6, "SessionPeek"), facts),
              testing::Contains(HasSubstr("asked about a and was answered from b")));
}

TEST(WholeReplies, WhatIsAskedTwiceUnderOneNameIsDoneOnce) {
  Facts facts;
  facts.calls[1] = facts.calls[2] = {"a", {}, "one"};
  const auto asked = [] {
    TraceMaker made;
    made.Sends(1, "Ping").Begun(2, "Ping");
    made.Daemon(3, EventKind::kRequestEnded, 0, 1, 0, "Ping").Receives(3, "Pong");
    return made.Sends(4, "Ping", 2);
  };
  EXPECT_THAT(Of(CheckWholeReplies, asked().Receives(5, "Pong", 2), facts), IsEmpty());
  EXPECT_THAT(Of(CheckWholeReplies, asked().Begun(5, "Ping", 2).Receives(6, "Pong", 2), facts),
              testing::Contains(HasSubstr("had one done twice")));
  facts.forgets = true;
  EXPECT_THAT(Of(CheckWholeReplies, asked().Begun(5, "Ping", 2).Receives(6, "Pong", 2), facts),
              IsEmpty());
}

}  // namespace
}  // namespace oj::sim
