// The framing of the client, on a real socket.
#include "cli/client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "core/protocol.h"
#include "fake_server.h"

namespace oj::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::size_t kMaxReply = 1000;

class ClientTest : public testing::Test {
 protected:
  void Serve(FakeServer::Script script) {
    server_ = std::make_unique<FakeServer>(directory_.path(), std::move(script));
  }
  std::string Socket() const { return directory_.path() + "/daemon.sock"; }
  static Deadline Within(Duration limit) { return Deadline::After(Now(), limit); }

  ClientResult<std::string> Call(const std::string& payload, Duration limit = seconds(10)) {
    auto connection = Connection::Open(Socket(), Within(limit), -1);
    if (!connection) return connection.error();
    return connection->Call(payload, Within(limit), kMaxReply);
  }
  Trouble TroubleOf(const FakeServer::Script& script, Duration limit = seconds(10)) {
    Serve(script);
    auto reply = Call("{}", limit);
    if (reply) return ADD_FAILURE() << "got a reply: " << *reply, Trouble::kSystem;
    what_ = reply.error().what;
    return reply.error().trouble;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<FakeServer> server_;
  std::string what_;
};

TEST_F(ClientTest, ReplyThatComesByteByByteIsWhole) {
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    connection.WriteByByte(Frame(R"({"type":"Pong"})"));
  });
  auto reply = Call("{}");
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply, R"({"type":"Pong"})");
}

TEST_F(ClientTest, SecondCallOnOneConnectionGetsTheSecondReplyThoughBothCameAtOnce) {
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    connection.Write(Frame("one") + Frame("two"));
    connection.ReadFrame();
  });
  auto connection = Connection::Open(Socket(), Within(seconds(10)), -1);
  ASSERT_TRUE(connection);
  auto one = connection->Call("{}", Within(seconds(10)), kMaxReply);
  auto two = connection->Call("{}", Within(seconds(10)), kMaxReply);
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  EXPECT_EQ(*one, "one");
  EXPECT_EQ(*two, "two");
}

TEST_F(ClientTest, RequestLargerThanTheSocketBufferArrivesWhole) {
  const std::string payload(1'000'000, 'x');
  std::atomic<bool> whole = false;
  Serve([&](ServedConnection& connection) {
    whole = connection.ReadFrame() == payload;
    connection.Write(Frame("ok"));
  });
  EXPECT_TRUE(Call(payload));
  EXPECT_TRUE(whole);
}

TEST_F(ClientTest, ReplyOfADaemonThatHasClosedWithoutReadingIsHeard) {
  Serve([](ServedConnection& connection) { connection.Write(Frame("too large")); });
  auto connection = Connection::Open(Socket(), Within(seconds(10)), -1);
  ASSERT_TRUE(connection);
  server_.reset();  // has answered and closed: sending fails from now on
  auto reply = connection->Call(std::string(4'000'000, 'x'), Within(seconds(10)), kMaxReply);
  ASSERT_TRUE(reply) << reply.error().what;
  EXPECT_EQ(*reply, "too large");
}

TEST_F(ClientTest, ReplyOfExactlyTheLimitIsTaken) {
  Serve(FakeServer::Answer(std::string(kMaxReply, 'x')));
  EXPECT_TRUE(Call("{}"));
}

TEST_F(ClientTest, ReplyOverTheLimitIsRefusedFromItsLengthAlone) {
  const auto announce = [](ServedConnection& connection) {
    connection.ReadFrame();
    connection.Write("\xff\xff\xff\xff");
    connection.AwaitClose();
  };
  EXPECT_EQ(TroubleOf(announce), Trouble::kBadReply);
  EXPECT_THAT(what_, HasSubstr("4294967295 bytes, over the limit of 1000"));
}

TEST_F(ClientTest, EmptyFrameIsABadReply) {
  EXPECT_EQ(TroubleOf([](ServedConnection& connection) {
              connection.ReadFrame();
              connection.Write(std::string(4, '\0'));
            }),
            Trouble::kBadReply);
}

TEST_F(ClientTest, CloseWithoutAnAnswerIsNamed) {
  EXPECT_EQ(TroubleOf([](ServedConnection& connection) { connection.ReadFrame(); }),
            Trouble::kClosed);
  EXPECT_THAT(what_, HasSubstr("without an answer"));
}

TEST_F(ClientTest, TornReplyIsNamed) {
  EXPECT_EQ(TroubleOf([](ServedConnection& connection) {
              connection.ReadFrame();
              connection.Write(Frame("whole").substr(0, 6));
            }),
            Trouble::kClosed);
  EXPECT_THAT(what_, HasSubstr("in the middle of its reply"));
}

TEST_F(ClientTest, SilenceEndsAtTheLimitAndClosesTheConnection) {
  std::atomic<bool> closed = false;
  const Instant begun = Now();
  EXPECT_EQ(TroubleOf(FakeServer::Stall(&closed), milliseconds(100)), Trouble::kTimedOut);
  const Duration took = Now() - begun;
  RecordProperty("took_ms", static_cast<int>(Millis(took)));
  EXPECT_GE(took, milliseconds(100));
  EXPECT_LT(took, seconds(5));
  server_.reset();
  EXPECT_TRUE(closed);
}

// Each byte makes the descriptor ready again: the limit counts all the same.
TEST_F(ClientTest, ReplyThatTricklesEndsAtTheLimit) {
  const Instant begun = Now();
  EXPECT_EQ(TroubleOf(
                [](ServedConnection& connection) {
                  connection.ReadFrame();
                  connection.WriteByByte(Frame(std::string(900, 'x')));
                },
                milliseconds(100)),
            Trouble::kTimedOut);
  EXPECT_LT(Now() - begun, milliseconds(800));
}

TEST_F(ClientTest, NoSocketIsNotRunning) {
  auto connection = Connection::Open(Socket(), Within(seconds(10)), -1);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().trouble, Trouble::kNotRunning);
}

TEST_F(ClientTest, SocketOfADeadDaemonIsNotRunning) {
  Serve([](ServedConnection&) {});
  server_.reset();
  auto connection = Connection::Open(Socket(), Within(seconds(10)), -1);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().trouble, Trouble::kNotRunning);
}

TEST_F(ClientTest, PathTooLongForASocketIsNamed) {
  auto connection = Connection::Open("/" + std::string(200, 'x'), Within(seconds(10)), -1);
  ASSERT_FALSE(connection);
  EXPECT_THAT(connection.error().what, HasSubstr("shorter state directory"));
}

TEST_F(ClientTest, SocketIsCloseOnExec) {
  Serve([](ServedConnection& connection) { connection.AwaitClose(); });
  const int next = dup(0);  // the lowest free descriptor: the socket will take it
  close(next);
  auto connection = Connection::Open(Socket(), Within(seconds(10)), -1);
  ASSERT_TRUE(connection);
  EXPECT_EQ(fcntl(next, F_GETFD), FD_CLOEXEC);
}

int ListenAndNeverAccept(const std::string& path, int backlog) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  return listen(fd, backlog) == 0 ? fd : -1;
}

TEST_F(ClientTest, FullBacklogEndsAtTheLimit) {
  const UniqueFd listener(ListenAndNeverAccept(Socket(), 0));
  auto first = Connection::Open(Socket(), Within(seconds(10)), -1);
  ASSERT_TRUE(first);
  auto second = Connection::Open(Socket(), Within(milliseconds(50)), -1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().trouble, Trouble::kNotAccepted);
}

TEST_F(ClientTest, ListenerOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to play another user";
  chmod(directory_.path().c_str(), 0777);
  const pid_t other = fork();
  if (other == 0) {
    if (setuid(65534) != 0 || ListenAndNeverAccept(Socket(), 4) < 0) _exit(1);
    sleep(20);
    _exit(0);
  }
  ClientResult<Connection> connection = ClientError{Trouble::kNotRunning};
  for (int i = 0; i < 1000 && !connection && connection.error().trouble == Trouble::kNotRunning;
       ++i) {
    usleep(5000);
    connection = Connection::Open(Socket(), Within(seconds(1)), -1);
  }
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().trouble, Trouble::kForeignPeer);
  EXPECT_THAT(connection.error().what, HasSubstr("belongs to uid 65534"));
}

}  // namespace
}  // namespace oj::cli
