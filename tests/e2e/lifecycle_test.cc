// Start, stop, and what a daemon that died leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

ino_t Inode(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

class LifecycleTest : public testing::Test {
 protected:
  static constexpr const char* kHang = "[[rule]]\ntool = \"tmux\"\nhang = true\n";

  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  // A peek that hangs in its tool.
  Wire HungPeek() {
    world_.Rules(kHang);
    Wire wire = world_.Connect();
    wire.Send(Peek("work"));
    EXPECT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
    return wire;
  }
  void ExpectStoppedCleanly(const Ended& ended) {
    EXPECT_TRUE(ended.in_time);
    EXPECT_FALSE(ended.signaled);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_FALSE(fs::exists(world_.socket()));
    EXPECT_FALSE(fs::exists(world_.pid_file()));
  }

  World world_{Tmux::kFake};
};

TEST_F(LifecycleTest, TheSocketAndItsDirectoryAreTheOwnersAlone) {
  Start();
  struct stat info{};
  ASSERT_EQ(stat(world_.socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat(world_.state().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(LifecycleTest, ASecondDaemonIsRefusedNamingThePidAndTouchesNothing) {
  Start();
  const ino_t socket = Inode(world_.socket());
  const ino_t pid_file = Inode(world_.pid_file());
  const Ended second = world_.Start({kDaemonProgram})->Wait();
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr(std::to_string(world_.daemon().pid())));
  EXPECT_EQ(Inode(world_.socket()), socket);
  EXPECT_EQ(Inode(world_.pid_file()), pid_file);
  EXPECT_EQ(ReadFile(world_.pid_file()), std::to_string(world_.daemon().pid()) + "\n");
  EXPECT_TRUE(world_.Answers());
}

TEST_F(LifecycleTest, TheRemainsOfAKilledDaemonAreReplaced) {
  Start();
  world_.daemon().Signal(SIGKILL);
  world_.DaemonEnded();
  ASSERT_TRUE(fs::exists(world_.socket()));
  ASSERT_TRUE(fs::exists(world_.pid_file()));
  Start();
  EXPECT_TRUE(world_.Answers());
  EXPECT_EQ(ReadFile(world_.pid_file()), std::to_string(world_.daemon().pid()) + "\n");
}

TEST_F(LifecycleTest, ADaemonThatEndsLeavesTheSocketOfItsSuccessor) {
  Start();
  fs::remove(world_.socket());
  WriteFile(world_.socket(), "the successor's");
  world_.daemon().Signal(SIGTERM);
  EXPECT_EQ(world_.DaemonEnded().code, 0);
  EXPECT_EQ(ReadFile(world_.socket()), "the successor's");
}

TEST_F(LifecycleTest, ALinkInPlaceOfTheStateDirectoryIsRefused) {
  fs::create_directory(world_.dir() + "/elsewhere");
  fs::create_directory_symlink(world_.dir() + "/elsewhere", world_.state());
  EXPECT_FALSE(world_.StartDaemon());
  EXPECT_THAT(world_.DaemonEnded().err, HasSubstr("symbolic link"));
}

// Its path is told in JSON.
TEST_F(LifecycleTest, AStateDirectoryThatIsNotUtf8IsRefused) {
  const Ended ended = world_.Oj({"--state-dir", world_.dir() + "/st\xff", "daemon", "start"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("/st\uFFFD' is not valid UTF-8"));
}

TEST_F(LifecycleTest, AStateDirectoryOpenToOthersIsRefused) {
  fs::create_directory(world_.state());
  fs::permissions(world_.state(), fs::perms::all);
  EXPECT_FALSE(world_.StartDaemon());
  EXPECT_THAT(world_.DaemonEnded().err, HasSubstr("0700"));
}

class StopSignalTest : public LifecycleTest, public testing::WithParamInterface<int> {};

TEST_P(StopSignalTest, EndsAnIdleDaemonWithStatusZeroAndNothingLeft) {
  Start();
  Wire idle = world_.Connect();
  EXPECT_EQ(Text(idle.Ask({{"type", "Ping"}}), "type"), "Pong");
  world_.daemon().Signal(GetParam());
  ExpectStoppedCleanly(world_.DaemonEnded());
  EXPECT_TRUE(idle.Closes());
}

INSTANTIATE_TEST_SUITE_P(, StopSignalTest, testing::Values(SIGTERM, SIGINT),
                         [](const auto& each) { return each.param == SIGTERM ? "Term" : "Int"; });

TEST_F(LifecycleTest, TermDuringAHungPeekEndsTheDaemonAfterItsDrain) {
  Start();
  Wire hung = HungPeek();
  const pid_t tool = world_.Tools().at(0);
  world_.daemon().Signal(SIGTERM);
  EXPECT_EQ(Text(hung.Receive(), "code"), "cancelled");
  ExpectStoppedCleanly(world_.DaemonEnded());
  EXPECT_FALSE(IsAlive(tool));
}

TEST_F(LifecycleTest, ARequestThatEndsWithinTheDrainIsAnswered) {
  world_.Rules("[[rule]]\ntool = \"tmux\"\ndelay_ms = 400\n");
  world_.Set("OJ_TIMEOUT_DRAIN_MS", "10000");
  Start();
  Wire slow = world_.Connect();
  slow.Send(Peek("work"));
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  world_.daemon().Signal(SIGTERM);
  EXPECT_EQ(Text(slow.Receive(), "type"), "SessionPeek");
  const Ended ended = world_.DaemonEnded();
  ExpectStoppedCleanly(ended);
}

TEST_F(LifecycleTest, ASecondTermDoesNotWaitForTheDrain) {
  world_.Set("OJ_TIMEOUT_DRAIN_MS", "60000");
  Start();
  Wire hung = HungPeek();
  world_.daemon().Signal(SIGTERM);
  // Signals of one kind are merged while they are pending: the first must have been seen.
  ASSERT_TRUE(Eventually([this] { return !world_.Connect().connected(); }));
  EXPECT_TRUE(world_.daemon().Running());
  world_.daemon().Signal(SIGTERM);
  ExpectStoppedCleanly(world_.DaemonEnded());
  EXPECT_EQ(Text(hung.Receive(), "code"), "cancelled");
}

TEST_F(LifecycleTest, OjStartsAndStopsTheDaemon) {
  const Ended ping = world_.Start({kClientProgram, "ping"})->Wait();
  EXPECT_EQ(ping.code, 0) << ping.err;
  const pid_t pid = std::atoi(ReadFile(world_.pid_file()).c_str());
  ASSERT_GT(pid, 0);
  const Ended stop = world_.Oj({"daemon", "stop"});
  EXPECT_EQ(stop.code, 0) << stop.err;
  EXPECT_FALSE(IsAlive(pid));
  EXPECT_EQ(world_.Oj({"daemon", "status"}).code, 3);
}

}  // namespace
}  // namespace oj::e2e
