#include "trace_maker.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPeek = "/usr/bin/tmux capture-pane -t =a: -p";

Facts Limits() {
  Facts facts;
  facts.tmux_limit = milliseconds(1000);
  facts.handler_limit = milliseconds(3000);
  facts.kill_grace = milliseconds(100);
  return facts;
}
auto Check(const TraceMaker& made, const Facts& facts = Limits()) {
  return Of(CheckBounded, made, facts);
}

TEST(Bounded, ACommandThatIsKilledAtItsLimitKeepsTheLaw) {
  TraceMaker made;
  made.Sends(0, "PeekSession").Begun(1, "PeekSession").Starts(2, 10, kPeek);
  made.Signal(1002, 10).Dies(1003, 10).Ended(1004);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Bounded, ACommandThatOutlivesItsLimitBreaksIt) {
  TraceMaker made;
  made.Begun(1, "PeekSession").Starts(2, 10, kPeek).Dies(1500, 10).Ended(1501);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("neither dead nor killed by 1152.000 ms")));
}

TEST(Bounded, ACommandOfTheDaemonsOwnIsBoundedToo) {
  TraceMaker made;
  made.Starts(2, 10, "tmux list-sessions", 0).Until(5000);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("process 10")));
}

TEST(Bounded, WhatLeavesItsTreeOnPurposeIsNotBounded) {
  TraceMaker made;
  made.Begun(1, "SessionNew").Starts(2, 10, "tmux new-session -d -s a -- sh", 0);
  made.Daemon(2, EventKind::kProcessStarted, 0, 1, 10, "").Ended(20).Dies(10, 10);
  made.Starts(3, 11, "tmux new-session -d -s a -- sh", 0).Until(9000);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Bounded, ACommandThatNeverEndsIsSeenOnceItsLimitIsOver) {
  TraceMaker made;
  made.Starts(2, 10, kPeek).Until(900);
  EXPECT_THAT(Check(made), IsEmpty());
  made.Until(1200);
  EXPECT_FALSE(Check(made).empty());
}

TEST(Bounded, AHandlerThatOutlivesItsLimitBreaksIt) {
  TraceMaker made;
  made.Begun(1, "SessionKill").Ended(3200);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("SessionKill r1")));
}

TEST(Bounded, AJoinedFlightHasTheTimeOfItsLastWaiter) {
  TraceMaker made;
  made.Begun(1, "PeekSession").Joined(1000, 1, 2).Ended(4100);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Bounded, AHandlerThatOutlivesItsClientsTimeoutBreaksIt) {
  TraceMaker made;
  made.Sends(0, "PeekSession").Begun(1, "PeekSession").Ended(1500);
  Facts facts = Limits();
  EXPECT_THAT(Check(made, facts), IsEmpty());
  facts.calls[1].timeout = milliseconds(1000);
  EXPECT_THAT(Check(made, facts), ElementsAre(HasSubstr("had not ended by 1151.000 ms")));
}

TEST(Bounded, TimeThatAProcessTakesToDieOfSigkillIsNotTheHandlers) {
  TraceMaker made;
  made.Begun(1, "PeekSession").Starts(2500, 10, kPeek).Signal(3001, 10).Dies(3900, 10).Ended(3901);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Bounded, AClientThatWaitedInVainAsLongAsItHadSaidBreaksIt) {
  TraceMaker made;
  made.Sends(0, "PeekSession").GivesUp(2000);
  Facts facts = Limits();
  EXPECT_THAT(Check(made, facts), IsEmpty());
  facts.calls[1].timeout = milliseconds(2000);
  EXPECT_THAT(Check(made, facts), ElementsAre(HasSubstr("in vain")));
  facts.stalled = milliseconds(200);
  EXPECT_THAT(Check(made, facts), IsEmpty());
  facts.stalled = {};
  facts.shielded = milliseconds(200);
  EXPECT_THAT(Check(made, facts), IsEmpty());
}

TEST(Bounded, AClientThatWaitedForAProcessToDieDidNotWaitInVain) {
  TraceMaker made;
  made.Sends(0, "PeekSession").Begun(1, "PeekSession").Starts(900, 10, kPeek).Signal(1800, 10);
  made.GivesUp(2000).Dies(2100, 10).Ended(2101);
  Facts facts = Limits();
  facts.calls[1].timeout = milliseconds(2000);
  EXPECT_THAT(Check(made, facts), IsEmpty());
}

TEST(Bounded, AnEmptyTraceBreaksNothing) { EXPECT_THAT(Check(TraceMaker()), IsEmpty()); }

TEST(Bounded, ADeadlineThatStrikesTooEarlyBreaksTheLaw) {
  Facts facts;
  facts.calls[1] = {"a", std::chrono::seconds(5), ""};
  const auto latched = [](double at) {
    TraceMaker made;
    made.Sends(1, "Ping").Begun(2, "Ping");
    made.Daemon(at, EventKind::kRequestLatched, 0, 1, 0, "deadline").Ended(at);
    return made.Receives(at, "deadline_exceeded");
  };
  EXPECT_THAT(Of(CheckBounded, latched(1000), facts),
              testing::Contains(HasSubstr("met a deadline")));
  EXPECT_THAT(Of(CheckBounded, latched(4500), facts), IsEmpty());
}

TEST(Bounded, APipelinedCallIsTakenUpWhenTheOneBeforeItIsAnswered) {
  TraceMaker made;
  made.Sends(0, "PeekSession", 1).Sends(0, "PeekSession", 2).Begun(1, "PeekSession", 1).Ended(50);
  made.Receives(51, "SessionPeek", 1);
  TraceMaker served = made;
  served.Begun(52, "PeekSession", 2).Ended(2000, 2).Receives(2001, "SessionPeek", 2);
  EXPECT_THAT(Check(served), IsEmpty());
  EXPECT_THAT(Check(made.GivesUp(2500, 2)),
              ElementsAre(HasSubstr("client 1 had pipelined a PeekSession, had its turn at 51")));
}

TEST(Bounded, WhatHasEndedIsReapedSoon) {
  const auto reaped = [](double at) {
    TraceMaker made;
    made.Begun(1, "Ping").Starts(2, 10, "tmux capture-pane").Dies(3, 10, false);
    return made.Add(at, TraceKind::kProcessReaped, 10, 0, 0, "").Ended(at);
  };
  EXPECT_THAT(Of(CheckBounded, reaped(2000)), testing::Contains(HasSubstr("was not reaped by")));
  EXPECT_THAT(Of(CheckBounded, reaped(20)), IsEmpty());
}

}  // namespace
}  // namespace oj::sim
