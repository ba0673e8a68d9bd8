#include "trace_maker.h"

namespace oj::sim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPeek = "tmux capture-pane -t =a: -p";
constexpr const char* kKey = "session:a";

// A client that leaves at 100 ms while its peek hangs; kill grace 500, slack 50.
TraceMaker Hanging() {
  TraceMaker made;
  made.Sends(1, "PeekSession").Begun(2, "PeekSession");
  made.Lease(2, EventKind::kLeaseGranted, 1, kKey, false).Starts(3, 10, kPeek);
  return made;
}
TraceMaker Left() { return Hanging().GivesUp(100).Closes(100); }

auto Check(const TraceMaker& made, const Facts& facts = {}) {
  return Of(CheckDisconnect, made, facts);
}

TEST(Disconnect, ACancelThatKillsAndReleasesKeepsTheLaw) {
  auto made = Left().Latched(100).Signal(100, 10).Dies(101, 10);
  made.Lease(101, EventKind::kLeaseReleased, 1, kKey).Ended(101).Until(5000);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Disconnect, ARequestThatIsNotCancelledBreaksIt) {
  auto made = Left().Dies(5000, 10).Lease(5000, EventKind::kLeaseReleased, 1, kKey).Ended(5000);
  EXPECT_THAT(Check(made),
              ElementsAre(HasSubstr("was not cancelled"), HasSubstr("lived beyond"),
                          HasSubstr("had not ended"), HasSubstr("held session:a beyond")));
}

TEST(Disconnect, AProcessThatStartsAfterTheLatchBreaksIt) {
  auto made = Left().Latched(100).Dies(100.2, 10).Starts(100.3, 11, kPeek).Dies(100.4, 11);
  made.Lease(101, EventKind::kLeaseReleased, 1, kKey).Ended(101);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("process 11 (tmux capture-pane")));
}

TEST(Disconnect, AFlightThatIsJoinedAfterTheLatchBreaksIt) {
  auto made = Left().Latched(100).Joined(101, 1, 2).Dies(102, 10);
  made.Lease(102, EventKind::kLeaseReleased, 1, kKey).Ended(102);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("was joined after it was latched")));
}

TEST(Disconnect, AMemberThatIsForkedDuringTheKillIsNotStartedByTheDaemon) {
  auto made = Left().Latched(100).Starts(100.1, 11, kPeek, 1, 10).Dies(100.2, 10);
  made.Dies(100.4, 11).Lease(101, EventKind::kLeaseReleased, 1, kKey).Ended(101);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Disconnect, AProcessThatOutlivesTheKillGraceBreaksIt) {
  auto made = Left().Latched(100).Signal(100, 10, 15).Dies(700, 10);
  made.Lease(640, EventKind::kLeaseReleased, 1, kKey).Ended(640);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("lived beyond 650.000 ms")));
}

TEST(Disconnect, WhatDoesNotDieOfSigkillIsNotTheDaemonsFault) {
  auto made = Left().Latched(100).Signal(100, 10).Ended(1200);
  made.Lease(1200, EventKind::kKeyQuarantined, 1, kKey).Until(9000);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Disconnect, AnInjectedStallBelongsToTheBound) {
  auto made = Left().Latched(350).Signal(350, 10).Dies(900, 10);
  made.Lease(900, EventKind::kLeaseReleased, 1, kKey).Ended(900);
  Facts facts;
  EXPECT_FALSE(Check(made, facts).empty());
  facts.stalled = std::chrono::milliseconds(300);
  EXPECT_THAT(Check(made, facts), IsEmpty());
}

TEST(Disconnect, AFlightWithAnotherWaiterMayGoOn) {
  auto made = Hanging().Joined(50, 1, 2).GivesUp(100).Closes(100).Dies(3000, 10);
  made.Lease(3000, EventKind::kLeaseReleased, 1, kKey).Ended(3000);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Disconnect, AFlightWhoseLastWaiterLeavesIsCancelled) {
  auto made = Hanging().Joined(50, 1, 2).Closes(100).Sends(40, "PeekSession", 2, 2, 2);
  made.Closes(1000, 2, 2).Until(9000);
  EXPECT_THAT(Check(made), testing::Contains(HasSubstr("last client left at 1000.000 ms")));
}

TEST(Disconnect, ALeaseThatIsGrantedAfterTheLatchBreaksIt) {
  TraceMaker made;
  made.Sends(1, "SessionKill").Begun(2, "SessionKill");
  made.Lease(2, EventKind::kLeaseWaiting, 1, kKey).Closes(100).Latched(100).Ended(120);
  made.Lease(110, EventKind::kLeaseGranted, 1, kKey).Lease(120, EventKind::kLeaseReleased, 1, kKey);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("was left waiting")));
}

TEST(Disconnect, AHalfCloseCountsAsConfigured) {
  auto made = Hanging().HalfCloses(100).Dies(3000, 10);
  made.Lease(3000, EventKind::kLeaseReleased, 1, kKey).Ended(3000);
  Facts facts;
  EXPECT_FALSE(Check(made, facts).empty());
  facts.half_close_cancels = false;
  EXPECT_THAT(Check(made, facts), IsEmpty());
}

TEST(Disconnect, AClientThatLeavesAfterItsReplyCancelsNothing) {
  auto made = Hanging().Dies(10, 10).Lease(10, EventKind::kLeaseReleased, 1, kKey).Ended(10);
  made.Receives(11, "SessionPeek").Closes(12).Until(9000);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(Disconnect, ADaemonThatIsKilledIsNotBlamedForWhatLivesOn) {
  auto made = Left().Latched(100).Add(101, TraceKind::kDaemonDied, 1, 0, 1, "").Until(9000);
  EXPECT_THAT(Check(made), IsEmpty());
}

// Where only clients and processes are seen, as around a real daemon.
TraceMaker FromOutside() {
  TraceMaker made;
  return made.Sends(1, "PeekSession").Starts(3, 10, kPeek, 0).GivesUp(100).Closes(100);
}
Facts OnA() {
  Facts facts;
  facts.calls[1] = {"a", {}};
  facts.calls[2] = {"b", {}};
  return facts;
}

TEST(Disconnect, FromOutsideADeadProcessKeepsTheLaw) {
  EXPECT_THAT(Check(FromOutside().Dies(120, 10).Until(9000), OnA()), IsEmpty());
}

TEST(Disconnect, FromOutsideALivingProcessThatNobodyWantsBreaksIt) {
  EXPECT_THAT(Check(FromOutside().Until(9000), OnA()),
              ElementsAre(HasSubstr("lived beyond 650.000 ms")));
}

TEST(Disconnect, FromOutsideACallForAnotherSessionDoesNotExcuse) {
  auto made = FromOutside().Sends(90, "PeekSession", 2, 2, 2).Until(9000);
  EXPECT_THAT(Check(made, OnA()), ElementsAre(HasSubstr("lived beyond")));
}

TEST(Disconnect, FromOutsideAProcessThatStartsForNobodyBreaksIt) {
  auto made = FromOutside().Dies(110, 10).Starts(400, 11, kPeek, 0).Dies(401, 11);
  EXPECT_THAT(Check(made, OnA()), ElementsAre(HasSubstr("started for nobody")));
}

// Of an agent a unit goes on when its client has gone, with what it has to ask and to undo.
TEST(Disconnect, FromOutsideAnAgentsUnitIsWantedByItsCall) {
  TraceMaker made;
  made.Sends(1, "SessionPrune").Receives(5, "SessionsPruned").Sends(10, "AgentRun", 2, 2, 2);
  made.Starts(900, 10, "tmux new-session -d -s a -- sh", 0).GivesUp(950, 2, 2).Closes(950, 2, 2);
  made.Starts(2000, 11, "tmux kill-session -t =a", 0).Dies(2050, 11).Dies(2060, 10);
  EXPECT_THAT(Check(made.Until(900'000)), IsEmpty());
  made.Starts(900'000, 12, "tmux kill-session -t =a", 0).Dies(900'001, 12);
  EXPECT_THAT(Check(made), Contains(HasSubstr("started for nobody")));
}

// A peek's process on `a` is not the agent's.
TEST(Disconnect, FromOutsideAnAgentWantsNothingOfAnotherSession) {
  for (const char* made : {"", "a", "b-"}) {
    Facts facts = OnA();
    facts.calls[2] = {"", {}, "", made};
    const auto run = FromOutside().Sends(90, "AgentRun", 2, 2, 2).Until(9000);
    EXPECT_EQ(Check(run, facts).empty(), std::string_view("a").starts_with(made)) << made;
  }
}

// What was told as done has left nothing; an error may be told while its unit goes on.
TEST(Disconnect, FromOutsideAnAgentThatWasAnsweredWantsNothingMore) {
  for (const auto& [reply, goes_on] :
       {std::pair("AgentRun", false), std::pair("deadline_exceeded", true)}) {
    TraceMaker made;
    made.Sends(10, "AgentRun").Receives(100, reply);
    made.Starts(2000, 11, "tmux kill-session -t =a", 0).Dies(2050, 11);
    EXPECT_EQ(Check(made.Until(9000)).empty(), goes_on) << reply;
  }
}

TEST(Disconnect, ACancelForDisconnectedClientsOfWhomNoneHasGoneBreaksTheLaw) {
  TraceMaker made;
  made.Sends(1, "PeekSession").Begun(2, "PeekSession").Latched(3).Ended(4).Until(9000);
  EXPECT_THAT(Of(CheckDisconnect, made), testing::Contains(HasSubstr("none has")));
}

TEST(Disconnect, ACancelThatHitsOneWhoWaitsOnBreaksTheLaw) {
  TraceMaker made;
  made.Sends(1, "PeekSession").Sends(1, "PeekSession", 2, 2, 2);
  made.Begun(2, "PeekSession").Joined(2, 1, 2).Closes(3).Latched(3).Ended(4);
  EXPECT_THAT(Of(CheckDisconnect, made.Receives(5, "cancelled", 2, 2)),
              testing::Contains(HasSubstr("client 2 was waiting for it")));
}

}  // namespace
}  // namespace oj::sim
