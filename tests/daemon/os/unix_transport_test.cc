#include "os/unix_transport.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <cstring>
#include <vector>

#include "oj/nursery.h"
#include "os_test_support.h"

namespace oj {
namespace {

using ::testing::HasSubstr;

UniqueFd ConnectTo(const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.Reset();
  }
  return fd;
}

void Send(const UniqueFd& fd, const std::string& bytes) {
  ASSERT_EQ(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

std::string Receive(const UniqueFd& fd) {
  char bytes[256];
  const ssize_t size = recv(fd.get(), bytes, sizeof bytes, 0);
  return {bytes, size < 0 ? 0 : static_cast<std::size_t>(size)};
}

Duration CpuTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Task<void> Sleep(AsioLoop& loop, Duration duration) { co_await SleepFor(loop, duration); }

// "" at the end of what the peer sends.
Task<Result<std::string>> ReadText(Connection& connection) {
  char bytes[64];
  const std::span<char> buffer(bytes);
  auto read = connection.Read(buffer);
  Result<std::size_t> size = co_await std::move(read);
  if (!size) co_return std::move(size).error();
  co_return std::string(bytes, *size);
}

Task<CancelReason> ReadInCancelledScope(Connection& connection) {
  CancelScope scope(nullptr);
  scope.Cancel(CancelReason::kOperator);
  char bytes[64];
  const std::span<char> buffer(bytes);
  auto read = connection.Read(buffer);
  try {
    const auto read_anyway = co_await std::move(read).In(scope);
    EXPECT_FALSE(read_anyway.ok());
  } catch (const Cancelled& cancelled) {
    co_return cancelled.reason;
  }
  co_return CancelReason::kNone;
}

Task<void> WriteUntilError(Connection& connection, std::size_t* written) {
  const std::string block(1 << 16, 'x');
  for (;;) {
    auto write = connection.Write(block);
    const Result<std::size_t> size = co_await std::move(write);
    if (!size) co_return;
    *written += *size;
  }
}

Task<void> AcceptAndClose(Listener& listener) {
  const auto connection = co_await listener.Accept();
  EXPECT_TRUE(connection.ok());
}

Task<void> ReadThenCount(Connection& connection, std::vector<std::string>* order) {
  auto text = co_await ReadText(connection);
  order->push_back("read " + *text);
}
Task<void> GoneThenCount(Connection& connection, std::vector<std::string>* order) {
  co_await connection.PeerGone();
  order->emplace_back("gone");
}
struct WatchBoth {
  Connection& connection;
  std::vector<std::string>* order;
  Task<void> operator()(Nursery& nursery) const { return Start(nursery, connection, order); }
  static Task<void> Start(Nursery& nursery, Connection& from, std::vector<std::string>* log) {
    nursery.Start(GoneThenCount(from, log));
    nursery.Start(ReadThenCount(from, log));
    co_return;
  }
};

class UnixTransportTest : public testing::Test {
 protected:
  void SetUp() override {
    auto bound = UnixListener::Bind(loop_, path_, "sorry");
    ASSERT_TRUE(bound.ok()) << bound.error().message;
    listener_ = std::move(bound).value();
  }
  // Connects client_ to connection_.
  void Connect() {
    client_ = ConnectTo(path_);
    ASSERT_TRUE(client_);
    auto accepted = RunOn(loop_, listener_->Accept());
    ASSERT_TRUE(accepted.ok()) << accepted.error().message;
    connection_ = std::move(accepted).value();
  }
  std::string Read() {
    auto text = RunOn(loop_, ReadText(*connection_));
    return text ? *text : "error: " + text.error().message;
  }
  bool GoneWithin(Duration limit) { return EndsWithin(loop_, limit, connection_->PeerGone()); }

  TempDir dir_;
  const std::string path_ = dir_ / "daemon.sock";
  AsioLoop loop_;
  std::unique_ptr<UnixListener> listener_;
  UniqueFd client_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(UnixTransportTest, BytesArriveBothWaysAndACloseEndsThem) {
  Connect();
  Send(client_, "ping");
  EXPECT_EQ(Read(), "ping");
  auto written = RunOn(loop_, connection_->Write(std::string_view("pong")));
  EXPECT_EQ(*written, 4U);
  EXPECT_EQ(Receive(client_), "pong");
  client_.Reset();
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(Read(), "");
}

TEST_F(UnixTransportTest, ConnectionsAreNumberedFromOneAndTellTheirPeer) {
  Connect();
  EXPECT_EQ(connection_->id(), 1U);
  EXPECT_EQ(connection_->peer().pid, getpid());
  EXPECT_EQ(connection_->peer().uid, getuid());
  Connect();
  EXPECT_EQ(connection_->id(), 2U);
}

TEST_F(UnixTransportTest, CloseWithPipelinedBytesUnreadIsPeerGone) {
  Connect();
  Send(client_, "request");
  EXPECT_FALSE(GoneWithin(20ms));
  Send(client_, "the next one");
  client_.Reset();
  EXPECT_TRUE(GoneWithin(5s));
  EXPECT_EQ(Read(), "requestthe next one");
}

TEST_F(UnixTransportTest, CloseDuringTheWaitWakesReaderAndWatcher) {
  Connect();
  std::vector<std::string> order;
  client_.Reset();
  RunOn(loop_, WithNursery(WatchBoth{*connection_, &order}));
  EXPECT_THAT(order, testing::UnorderedElementsAre("read ", "gone"));
}

TEST_F(UnixTransportTest, CloseBeforeTheWaitIsPeerGoneEveryTime) {
  Connect();
  client_.Reset();
  EXPECT_TRUE(GoneWithin(5s));
  EXPECT_TRUE(GoneWithin(5s));
}

TEST_F(UnixTransportTest, HalfCloseEndsReadingAndIsNotPeerGone) {
  Connect();
  Send(client_, "last");
  shutdown(client_.get(), SHUT_WR);
  EXPECT_EQ(Read(), "last");
  EXPECT_EQ(Read(), "");
  EXPECT_FALSE(GoneWithin(20ms));
  EXPECT_TRUE(RunOn(loop_, connection_->Write(std::string_view("reply"))).ok());
  EXPECT_EQ(Receive(client_), "reply");
  client_.Reset();
  EXPECT_TRUE(GoneWithin(5s));
}

// S5: this close raises POLLERR as well.
TEST_F(UnixTransportTest, CloseWithUnreadReplyIsPeerGoneAndResetsTheRead) {
  Connect();
  ASSERT_TRUE(RunOn(loop_, connection_->Write(std::string_view("unread"))).ok());
  client_.Reset();
  EXPECT_TRUE(GoneWithin(5s));
  EXPECT_THAT(Read(), HasSubstr("reset"));
  EXPECT_EQ(Read(), "");
  EXPECT_FALSE(RunOn(loop_, connection_->Write(std::string_view("x"))).ok());
}

// What the simulated connection takes for granted.
TEST_F(UnixTransportTest, WhatWasWrittenIsReadBeforeTheReset) {
  Connect();
  ASSERT_TRUE(RunOn(loop_, connection_->Write(std::string_view("unread"))).ok());
  Send(client_, "whole");
  client_.Reset();
  EXPECT_TRUE(GoneWithin(5s));
  EXPECT_EQ(Read(), "whole");
  EXPECT_THAT(Read(), HasSubstr("reset"));
  EXPECT_EQ(Read(), "");
}

TEST_F(UnixTransportTest, WhatNobodyWaitsForUsesNoCpu) {
  Connect();
  // Watched once for each event, so that all of them are told.
  EXPECT_FALSE(GoneWithin(1ms));
  const auto reading = [this] { return ReadThenCount(*connection_, nullptr); };
  EXPECT_FALSE(EndsWithin(loop_, 1ms, reading()));
  Send(client_, "pipelined");
  Duration before = CpuTime();
  EXPECT_FALSE(GoneWithin(200ms));
  EXPECT_LT(CpuTime() - before, 100ms) << "spins on bytes";
  ASSERT_TRUE(RunOn(loop_, connection_->Write(std::string_view("unread"))).ok());
  client_.Reset();
  before = CpuTime();
  RunOn(loop_, Sleep(loop_, 200ms));
  EXPECT_LT(CpuTime() - before, 100ms) << "spins on a hang-up";
}

TEST_F(UnixTransportTest, CancelledReadMovesNoByte) {
  Connect();
  const auto reading = [this] { return ReadThenCount(*connection_, nullptr); };
  EXPECT_FALSE(EndsWithin(loop_, 10ms, reading()));
  Send(client_, "kept");
  EXPECT_EQ(RunOn(loop_, ReadInCancelledScope(*connection_)), CancelReason::kOperator);
  EXPECT_EQ(Read(), "kept");
}

TEST_F(UnixTransportTest, SlowReaderHoldsUpTheWriteUntilItReadsOrTheDeadline) {
  Connect();
  std::size_t written = 0;
  EXPECT_FALSE(EndsWithin(loop_, 50ms, WriteUntilError(*connection_, &written)));
  EXPECT_GT(written, 0U);
  std::size_t received = 0;
  while (received < written) received += Receive(client_).size();
  EXPECT_EQ(received, written) << "a cancelled write has moved bytes";
  // The room is noticed by a write that waits.
  EXPECT_FALSE(EndsWithin(loop_, 50ms, WriteUntilError(*connection_, &written)));
  EXPECT_GT(written, received);
  client_.Reset();
  EXPECT_TRUE(EndsWithin(loop_, 5s, WriteUntilError(*connection_, &written)));
}

TEST_F(UnixTransportTest, TenThousandConnectionsLeaveNoDescriptor) {
  Connect();
  const int before = OpenDescriptors();
  for (int i = 0; i < 10'000; ++i) {
    const UniqueFd client = ConnectTo(path_);
    RunOn(loop_, AcceptAndClose(*listener_));
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

// N3.
TEST_F(UnixTransportTest, WithoutDescriptorsAClientIsRefusedAndServiceRecovers) {
  Connect();
  const UniqueFd waiting(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit low = limit;
  low.rlim_cur = static_cast<rlim_t>(waiting.get()) + 1;  // all below are open
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  ASSERT_EQ(connect(waiting.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);

  setrlimit(RLIMIT_NOFILE, &low);
  auto refused = RunOn(loop_, listener_->Accept());
  setrlimit(RLIMIT_NOFILE, &limit);

  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBusy) << refused.error().message;
  EXPECT_EQ(Receive(waiting), "sorry");
  EXPECT_EQ(Receive(waiting), "");
  Connect();
}

TEST_F(UnixTransportTest, CloseEndsAWaitingAcceptAndRemovesTheSocket) {
  struct stat file{};
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
  listener_->Close();
  EXPECT_NE(stat(path_.c_str(), &file), 0);
  EXPECT_FALSE(ConnectTo(path_));
  const auto accepted = RunOn(loop_, listener_->Accept());
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code, ErrorCode::kUnavailable);
}

// C8.
TEST_F(UnixTransportTest, CloseLeavesTheSocketOfASuccessor) {
  ASSERT_EQ(unlink(path_.c_str()), 0);
  auto successor = UnixListener::Bind(loop_, path_, "");
  ASSERT_TRUE(successor.ok());
  listener_->Close();
  EXPECT_TRUE(ConnectTo(path_));
}

TEST_F(UnixTransportTest, AdoptedSocketServesAndKeepsItsFile) {
  const std::string path = dir_ / "other.sock";
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(socket.get(), 8), 0);
  auto adopted = UnixListener::Adopt(loop_, std::move(socket), "");
  const UniqueFd client = ConnectTo(path);
  RunOn(loop_, AcceptAndClose(*adopted));
  adopted.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(UnixTransportTest, PathTooLongForASocketNamesPathAndLimit) {
  const std::string path = dir_ / std::string(120, 'x');
  const auto bound = UnixListener::Bind(loop_, path, "");
  ASSERT_FALSE(bound.ok());
  EXPECT_THAT(bound.error().message, HasSubstr(path));
  EXPECT_THAT(bound.error().message, HasSubstr("107"));
}

}  // namespace
}  // namespace oj
