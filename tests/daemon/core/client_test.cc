// One connection: frames in, replies out, and when nobody waits for the answer any more.
#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPing[] = R"({"type":"Ping"})";
constexpr char kPong[] = R"({"type":"Pong"})";
constexpr char kKill[] = R"({"type":"SessionKill","id":"a"})";
const auto kPeeked = HasSubstr(R"("type":"SessionPeek")");

auto ErrorWith(const char* code) { return HasSubstr("\"code\":\"" + std::string(code) + "\""); }

class ClientTest : public ServerTest {
 protected:
  void Serving() { Serve(); }
  std::string LatchReason() const {
    for (const auto& entry : events.entries) {
      if (entry.kind == EventKind::kRequestLatched) return entry.text;
    }
    return "none";
  }
};

TEST_F(ClientTest, PipelinedRequestsAreAnsweredInOrder) {
  Serve();
  Peer peer = Connect();
  runner.Hangs("capture-pane");
  peer.Write(Frame(kPeek) + Frame(kPing) + Frame(kPing) + "\0");
  EXPECT_THAT(peer.Replies(), IsEmpty());
  loop.Advance(config.tmux);
  EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("tool_timeout"), kPong, kPong));
  EXPECT_EQ(LatchReason(), "none") << "bytes are never taken for a disconnect";
}

TEST_F(ClientTest, RequestByteByByteIsAnsweredOnce) {
  Serve();
  Peer peer = Connect();
  for (const char byte : Frame(kPing)) peer.Write(std::string(1, byte));
  EXPECT_THAT(peer.Replies(), ElementsAre(kPong));
}

TEST_F(ClientTest, RequestThatComesWhileAnotherRunsIsServedAfterIt) {
  Serve();
  Peer peer = HungPeek();
  peer.Write(Frame(kPing).substr(0, 7));
  loop.Advance(1s);
  peer.Write(Frame(kPing).substr(7));
  loop.Advance(config.tmux);
  EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("tool_timeout"), kPong));
}

TEST_F(ClientTest, HalfCloseCancelsByDefault) {
  Serve();
  Peer peer = HungPeek();
  peer.HalfClose();
  EXPECT_EQ(LatchReason(), "disconnected");
  EXPECT_THAT(peer.Replies(), IsEmpty());
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(events.Count(EventKind::kRequestEnded), 1U);
}

TEST_F(ClientTest, HalfCloseKeptDeliversTheReplyThenCloses) {
  config.half_close = HalfClose::kKeep;
  Serve();
  Peer peer = Connect();
  runner.Hangs("capture-pane");
  peer.Write(Frame(kPeek) + Frame(kPing));
  peer.HalfClose();
  EXPECT_EQ(LatchReason(), "none");
  loop.Advance(config.tmux);
  EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("tool_timeout"), kPong));
  EXPECT_TRUE(peer.closed());
}

TEST_F(ClientTest, HangUpCancelsAlsoWithUnreadBytesAndWhereHalfCloseIsKept) {
  config.half_close = HalfClose::kKeep;
  Serve();
  Peer peer = HungPeek();
  peer.Write(std::string(200'000, 'x'));
  EXPECT_FALSE(peer.wire->to_server.empty()) << "what waits is bounded";
  peer.Close();
  EXPECT_EQ(LatchReason(), "disconnected");
  EXPECT_TRUE(peer.closed());
}

TEST_F(ClientTest, HangUpWhileQueuedForTheLeaseStartsNothing) {
  Serve();
  Peer first = Connect();
  Peer second = Connect();
  runner.Hangs("kill-session");
  first.Ask(kKill);
  second.Ask(kKill);
  second.Close();
  EXPECT_EQ(events.Count(EventKind::kRequestEnded), 1U);
  EXPECT_EQ(runner.specs.size(), 1U);
  first.Close();
}

TEST_F(ClientTest, SharedPeekGoesOnForTheClientThatStays) {
  Serve();
  Peer first = HungPeek();
  Peer second = Connect();
  second.Ask(kPeek);
  first.Close();
  EXPECT_EQ(LatchReason(), "none");
  loop.Advance(config.tmux);
  EXPECT_THAT(second.Replies(), ElementsAre(ErrorWith("tool_timeout")));
  EXPECT_EQ(runner.specs.size(), 1U) << "one subprocess for both";
}

TEST_F(ClientTest, AnswerComesBeforeTheClientGivesUp) {
  Serve();
  Peer peer = Connect();
  runner.Hangs("capture-pane");
  peer.Ask(R"({"type":"PeekSession","session_id":"a","timeout_ms":1000})");
  loop.Advance(899ms);
  EXPECT_THAT(peer.Replies(), IsEmpty());
  loop.Advance(1ms);
  EXPECT_THAT(peer.Replies(),
              ElementsAre(AllOf(ErrorWith("deadline_exceeded"), HasSubstr(R"("limit_ms":900,)"),
                                HasSubstr(R"("waiting_for":"tmux")"))));
}

TEST_F(ClientTest, ShorterLimitOfAJoinerEndsItsWaitOnly) {
  Serve();
  Peer first = HungPeek();
  Peer second = Connect();
  second.Ask(R"({"type":"PeekSession","session_id":"a","timeout_ms":1000})");
  loop.Advance(900ms);
  EXPECT_THAT(second.Replies(),
              ElementsAre(AllOf(ErrorWith("deadline_exceeded"), HasSubstr(R"("limit_ms":900,)"),
                                HasSubstr(R"("waiting_for":"tmux")"))));
  EXPECT_EQ(LatchReason(), "none");
  second.Ask(kPing);
  EXPECT_THAT(second.Replies(), ElementsAre(kPong));
  loop.Advance(config.tmux);
  EXPECT_THAT(first.Replies(), ElementsAre(ErrorWith("tool_timeout")));
}

TEST_F(ClientTest, OperatorCancelsARequestInFlight) {
  Serve();
  Peer peer = HungPeek();
  Peer operating = Connect();
  operating.Ask(R"({"type":"CancelRequest","id":"r1"})");
  EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("cancelled")));
  EXPECT_THAT(operating.Replies(), ElementsAre(R"({"type":"Ok"})"));
  operating.Ask(R"({"type":"CancelRequest","id":"r1"})");
  EXPECT_THAT(operating.Replies(), ElementsAre(ErrorWith("not_found")));
}

TEST_F(ClientTest, ForeignUidIsRefusedAndRootIsServed) {
  Serve();
  Peer foreign = Connect(kUid + 1);
  EXPECT_THAT(foreign.Replies(), ElementsAre(ErrorWith("unauthenticated")));
  EXPECT_TRUE(foreign.closed());
  Peer root_user = Connect(0);
  root_user.Ask(kPing);
  EXPECT_THAT(root_user.Replies(), ElementsAre(kPong));
}

TEST_F(ClientTest, ConnectionBeyondTheLimitIsToldBusy) {
  config.max_connections = 1;
  Serve();
  Peer first = Connect();
  Peer second = Connect();
  EXPECT_THAT(second.Replies(),
              ElementsAre(AllOf(ErrorWith("busy"), HasSubstr("limits.max_connections"))));
  EXPECT_TRUE(second.closed());
  first.Close();
  Peer third = Connect();
  third.Ask(kPing);
  EXPECT_THAT(third.Replies(), ElementsAre(kPong));
}

TEST_F(ClientTest, RequestBeyondTheLimitIsToldBusyAndPingIsStillServed) {
  config.max_requests = 1;
  Serve();
  Peer first = HungPeek();
  Peer second = Connect();
  second.Ask(kKill);
  second.Ask(kPing);
  EXPECT_THAT(second.Replies(),
              ElementsAre(AllOf(ErrorWith("busy"), HasSubstr("retry_after_ms")), kPong));
}

TEST_F(ClientTest, ADumpIsHadEvenWhenThereAreTooManyRequests) {
  config.max_requests = 1;
  Serve();
  Peer first = HungPeek();
  Peer second = Connect();
  second.Ask(kKill);
  second.Ask(R"({"type":"DebugDump"})");
  EXPECT_THAT(second.Replies(), ElementsAre(ErrorWith("busy"), HasSubstr("/dumps/dump-")));
}

TEST_F(ClientTest, HalfAFrameClosesTheConnectionAfterRequestRead) {
  Serve();
  Peer peer = Connect();
  loop.Advance(1h);
  EXPECT_FALSE(peer.closed()) << "between requests a client may stay";
  peer.Write(Frame(kPing).substr(0, 3));
  loop.Advance(config.request_read - 1ms);
  EXPECT_FALSE(peer.closed());
  peer.Write("\x0f");  // more bytes do not extend the limit
  loop.Advance(1ms);
  EXPECT_TRUE(peer.closed());
}

TEST_F(ClientTest, MalformedFrameIsAnsweredThenTheConnectionIsClosed) {
  Serve();
  for (const std::string& bytes :
       {Frame("{"), Frame(R"({"type":"Nope"})"), Frame(R"({"type":"Ping","timeout_ms":0})"),
        std::string(4, '\0')}) {
    Peer peer = Connect();
    peer.Write(bytes + Frame(kPing));
    EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("invalid_request")));
    EXPECT_TRUE(peer.closed());
  }
  Peer peer = Connect();
  peer.Write("\xff\xff\xff\xff");
  EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("too_large")));
  EXPECT_TRUE(peer.closed());
}

TEST_F(ClientTest, SlowReaderIsCutAfterResponseWriteAndHoldsNoLease) {
  Serve();
  Peer peer = Connect();
  runner.Answer("capture-pane", 0, std::string(100'000, 'x'));
  peer.wire->client_takes = 1000;
  peer.Ask(kPeek);
  EXPECT_EQ(events.Count(EventKind::kLeaseReleased), 1U);
  loop.Advance(config.response_write - 1ms);
  EXPECT_FALSE(peer.closed());
  loop.Advance(1ms);
  EXPECT_TRUE(peer.closed());
  peer.wire->to_client.clear();  // torn, but the connection is closed
}

TEST_F(ClientTest, ReplyBeyondTheLimitIsTooLargeAndTheConnectionGoesOn) {
  config.max_reply_bytes = 1000;
  Serve();
  Peer peer = Connect();
  runner.Answer("capture-pane", 0, std::string(2000, 'x'));
  peer.Write(Frame(kPeek) + Frame(kPing));
  EXPECT_THAT(peer.Replies(), ElementsAre(ErrorWith("too_large"), kPong));
}

TEST_F(ClientTest, ScreenThatIsNotUtf8IsAnsweredAsUtf8) {
  Serve();
  Peer peer = Connect();
  runner.Answer("capture-pane", 0, "a\xff");
  peer.Ask(kPeek);
  EXPECT_THAT(peer.Replies(), ElementsAre(AllOf(kPeeked, HasSubstr("a\xef\xbf\xbd"))));
}

TEST_F(ClientTest, AcceptThatFailsIsRetriedAfterAPause) {
  Serve();
  listener.backlog.emplace_back(Error{ErrorCode::kBusy, "out of descriptors", ""});
  Peer peer = Connect();
  peer.Ask(kPing);
  EXPECT_THAT(peer.Replies(), IsEmpty());
  loop.Advance(50ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(kPong));
}

}  // namespace
}  // namespace oj
