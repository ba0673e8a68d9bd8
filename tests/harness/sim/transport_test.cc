#include <gmock/gmock.h>

#include "sim/sim_transport.h"
#include "sim/sites.h"
#include "sim_test_support.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class TransportTest : public LoopTest {
 protected:
  // Connected, the daemon's end accepted.
  void Connect() {
    client = network.Connect(501);
    tasks.Start(AcceptOne());
    RunToRest();
    ASSERT_NE(daemon, nullptr);
  }
  Task<void> AcceptOne() {
    auto accept = listener.Accept();
    auto connection = co_await std::move(accept);
    if (connection) daemon = std::move(*connection);
  }
  // Reads to the end, or to a reset.
  Task<void> ReadAll() {
    std::array<char, 64> buffer;
    while (true) {
      auto read = daemon->Read(std::span<char>(buffer));
      const auto n = co_await std::move(read);
      if (!n) {
        was_reset = true;
        break;
      }
      pieces.push_back(*n);
      text.append(buffer.data(), *n);
      if (*n == 0) break;
    }
  }
  Task<void> Write(std::string bytes) {
    std::string_view left = bytes;
    while (!left.empty()) {
      auto write = client->Write(std::span<const char>(left.data(), left.size()));
      const auto n = co_await std::move(write);
      if (!n) break;
      left.remove_prefix(*n);
    }
    written = left.empty();
  }
  Task<void> AwaitGone() {
    auto wait = daemon->PeerGone();
    co_await std::move(wait);
    gone = true;
  }

  SimNetwork network{loop, decisions};
  SimListener listener{network};
  std::unique_ptr<SimEnd> client;
  std::unique_ptr<Connection> daemon;
  std::vector<std::size_t> pieces;
  std::string text;
  bool was_reset = false;
  bool written = false;
  bool gone = false;
};

TEST_F(TransportTest, HalfCloseIsEndOfFileAndNoHangup) {
  Connect();
  tasks.Start(Write("ping"));
  tasks.Start(ReadAll());
  tasks.Start(AwaitGone());
  RunToRest();
  client->HalfClose();
  RunToRest();
  EXPECT_THAT(pieces, ElementsAre(4, 0));
  EXPECT_FALSE(gone);
}

TEST_F(TransportTest, HangupIsSeenBesideUnreadBytes) {
  Connect();
  tasks.Start(Write("unread"));
  RunToRest();
  client->Close();
  tasks.Start(AwaitGone());
  RunToRest();
  EXPECT_TRUE(gone);
}

TEST_F(TransportTest, ShortReadsLoseNothing) {
  chooser.Plan(sites::kShortRead, {1, 2, 1});
  Connect();
  tasks.Start(Write("0123456789"));
  RunToRest();
  client->HalfClose();
  tasks.Start(ReadAll());
  RunToRest();
  EXPECT_EQ(text, "0123456789");
  EXPECT_THAT(pieces, ElementsAre(1, 5, 1, 3, 0));
}

TEST_F(TransportTest, BytesMayComeOneByOne) {
  chooser.Plan(sites::kDelivery, {3});
  Connect();
  tasks.Start(Write("0123"));
  tasks.Start(ReadAll());
  RunToRest();
  client->HalfClose();
  RunToRest();
  EXPECT_THAT(pieces, ElementsAre(1, 1, 1, 1, 0));
}

TEST_F(TransportTest, EndOfFileComesAfterLateBytes) {
  chooser.Plan(sites::kDelivery, {2});
  Connect();
  tasks.Start(Write("late"));
  tasks.Start(ReadAll());
  while (pieces.empty() && elapsed() == Duration::zero() && !written) loop.Step();
  client->HalfClose();
  RunToRest();
  EXPECT_EQ(text, "late");
  EXPECT_THAT(pieces, ElementsAre(4, 0));
  EXPECT_EQ(elapsed(), milliseconds(30));
}

TEST_F(TransportTest, WriterWaitsForRoomInASmallBuffer) {
  chooser.Plan(sites::kBufferSize, {2});
  Connect();
  tasks.Start(Write(std::string(200, 'x')));
  RunToRest();
  EXPECT_FALSE(written);
  tasks.Start(ReadAll());
  RunToRest();
  EXPECT_TRUE(written);
  EXPECT_EQ(text.size(), 200u);
  client->Close();
  RunToRest();
}

TEST_F(TransportTest, ResetComesAfterWhatWasWritten) {
  Connect();
  tasks.Start(Write("whole"));
  RunToRest();
  client->Close(true);
  tasks.Start(ReadAll());
  RunToRest();
  EXPECT_TRUE(was_reset);
  EXPECT_EQ(text, "whole");
}

TEST_F(TransportTest, AReadThatHasCompletedKeepsItsBytes) {
  Connect();
  tasks.Start(ReadAll());
  RunToRest();
  tasks.Start(Write("kept"));
  while (!written) loop.Step();
  client->Close(true);  // before the reader runs
  RunToRest();
  EXPECT_TRUE(was_reset);
  EXPECT_EQ(text, "kept");
}

TEST_F(TransportTest, ClientDeadInTheBacklogIsAcceptedAndGone) {
  client = network.Connect(501);
  client.reset();
  tasks.Start(AcceptOne());
  RunToRest();
  tasks.Start(AwaitGone());
  RunToRest();
  EXPECT_TRUE(gone);
}

TEST_F(TransportTest, ClosedListenerRefuses) {
  listener.Close();
  EXPECT_EQ(network.Connect(501), nullptr);
}

}  // namespace
}  // namespace oj::sim
