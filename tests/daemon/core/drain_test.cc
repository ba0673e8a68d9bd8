// How a server stops: what is refused, what may end, what is cancelled.
#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPing[] = R"({"type":"Ping"})";

class DrainTest : public ServerTest {};

TEST_F(DrainTest, IdleConnectionsAreClosedAndTheServerEndsAtOnce) {
  Serve();
  Peer idle = Connect();
  server->Stop();
  loop.Advance(10ms);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(listener.closed);
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->ok());
  EXPECT_EQ(events.entries.back().kind, EventKind::kStopped);
}

// The frame was whole before the drain began, and has not been looked at yet.
TEST_F(DrainTest, RequestThatMeetsTheDrainIsRefusedAsUnavailable) {
  Serve();
  Peer peer = Connect();
  peer.wire->to_server += Frame(kPing);
  peer.wire->Wake();
  server->Stop();
  loop.Advance(10ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(HasSubstr(R"("code":"unavailable")")));
  EXPECT_TRUE(peer.closed());
}

TEST_F(DrainTest, RequestInFlightMayEndWithinTheDrain) {
  config.tmux = 1s;
  Serve();
  Peer peer = HungPeek();
  server->Stop();
  loop.Advance(999ms);
  EXPECT_FALSE(ended.has_value());
  loop.Advance(50ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(HasSubstr("tool_timeout")));
  EXPECT_TRUE(ended.has_value());
}

TEST_F(DrainTest, RequestThatOutlastsTheDrainIsCancelledAndAnswered) {
  config.drain = 1s;
  Serve();
  Peer peer = HungPeek();
  server->Stop();
  loop.Advance(999ms);
  EXPECT_THAT(peer.Replies(), IsEmpty());
  loop.Advance(50ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(HasSubstr("shutting down")));
  EXPECT_TRUE(ended.has_value());
}

TEST_F(DrainTest, SecondStopCancelsAtOnce) {
  Serve();
  Peer peer = HungPeek();
  server->Stop();
  loop.Advance(10ms);
  EXPECT_FALSE(ended.has_value());
  server->Stop();
  loop.Advance(20ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(HasSubstr("shutting down")));
  EXPECT_TRUE(ended.has_value());
}

TEST_F(DrainTest, SlowReaderDoesNotHoldTheShutdownUp) {
  config.drain = 100ms;
  Serve();
  Peer peer = Connect();
  runner.Answer("capture-pane", 0, std::string(1000, 'x'));
  peer.wire->client_takes = 10;
  peer.Ask(kPeek);
  server->Stop();
  loop.Advance(500ms);
  EXPECT_TRUE(ended.has_value());
  EXPECT_TRUE(peer.closed());
}

TEST_F(DrainTest, ShutdownRequestIsAnsweredAndStops) {
  Serve();
  Peer peer = Connect();
  peer.Ask(R"({"type":"Shutdown"})");
  loop.Advance(10ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(R"({"type":"ShuttingDown"})"));
  EXPECT_TRUE(ended.has_value());
}

// Lesson: a fully received state change is carried out or dropped at random when EOF is there.
TEST_F(DrainTest, ShutdownThatIsCompleteIsCarriedOutThoughItsClientHasGone) {
  Serve();
  Peer peer = Connect();
  peer.wire->to_server += Frame(R"({"type":"Shutdown"})");
  peer.wire->half_closed = true;
  peer.Close();
  loop.Advance(500ms);
  EXPECT_TRUE(ended.has_value());
}

// Lesson: Shutdown `kill` dropped half-way never shuts down.
TEST_F(DrainTest, ShutdownThatKillsStopsEvenWhenItsClientLeavesHalfWay) {
  Serve();
  Peer peer = Connect();
  peer.Ask(R"({"type":"SessionNew","id":"a","cwd":"/","command":["x"]})");
  // As it was at the look before the start: has-session says yes to everything.
  runner.Answer("has-session", 1, "", "can't find session: b");
  peer.Ask(R"({"type":"SessionNew","id":"b","cwd":"/","command":["x"]})");
  EXPECT_THAT(peer.Replies(),
              ElementsAre(HasSubstr("conflict"), R"({"type":"SessionCreated","id":"b"})"));
  runner.Hangs("kill-session");
  peer.Ask(R"({"type":"Shutdown","kill":true})");
  EXPECT_EQ(runner.Commands().back(), "kill-session");
  peer.Close();
  loop.Advance(2s);
  EXPECT_TRUE(ended.has_value());
}

// L8: it was sent before the drain began, and is answered like any other.
TEST_F(DrainTest, PipelinedRequestsBehindOneInFlightAreRefusedAsUnavailable) {
  config.tmux = 1s;
  Serve();
  Peer peer = Connect();
  runner.Hangs("capture-pane");
  peer.Write(Frame(kPeek) + Frame(kPing) + Frame(kPing));
  server->Stop();
  loop.Advance(1100ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(HasSubstr("tool_timeout"), HasSubstr("unavailable"),
                                          HasSubstr("unavailable")));
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(ended.has_value());
}

TEST_F(DrainTest, ShutdownThatEndsDuringADrainIsNoSecondStop) {
  config.tmux = 3s;
  KnowSession("b");
  Serve();
  Peer peeking = HungPeek();
  Peer stopping = Connect();
  runner.Takes("kill-session", 1s);
  stopping.Ask(R"({"type":"Shutdown","kill":true})");
  server->Stop();
  loop.Advance(2s);
  EXPECT_THAT(stopping.Replies(), ElementsAre(R"({"type":"ShuttingDown"})"));
  EXPECT_FALSE(ended.has_value()) << "the peek may still end";
  loop.Advance(2s);
  EXPECT_THAT(peeking.Replies(), ElementsAre(HasSubstr("tool_timeout")));
  EXPECT_TRUE(ended.has_value());
}

TEST_F(DrainTest, ShutdownThatEndsDuringADrainCanShortenIt) {
  config.drain = 60s;
  config.tmux = 60s;
  KnowSession("b");
  Serve();
  Peer peeking = Connect();
  Peer stopping = Connect();
  runner.Hangs("capture-pane");
  runner.Takes("kill-session", 10ms);
  peeking.Ask(kPeek);
  stopping.Ask(R"({"type":"Shutdown","kill":true,"drain_ms":1000})");
  server->Stop();
  loop.Advance(900ms);
  EXPECT_FALSE(ended.has_value());
  loop.Advance(200ms);
  EXPECT_THAT(peeking.Replies(), ElementsAre(HasSubstr("shutting down")));
  EXPECT_TRUE(ended.has_value());
}

TEST_F(DrainTest, BackgroundFenceDoesNotHoldTheShutdownUp) {
  Serve();
  Peer peer = Connect();
  runner.Hangs("kill-session");
  for (int i = 0; i < 20; ++i) runner.Hangs("list-sessions");
  peer.Ask(R"({"type":"SessionKill","id":"a"})");
  peer.Close();
  server->Stop();
  loop.Advance(1s);
  EXPECT_TRUE(ended.has_value());
}

}  // namespace
}  // namespace oj
