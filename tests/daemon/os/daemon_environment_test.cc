// The small parts: signals, the service manager, the log, random numbers.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "os/notify.h"
#include "os/signals.h"
#include "os/spdlog_event_log.h"
#include "os/system_random.h"
#include "os_test_support.h"

namespace oj {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SignalsTest, SignalsArriveInTheLoopAlsoBetweenTwoWaits) {
  AsioLoop loop;
  Signals signals(loop);
  raise(SIGTERM);
  EXPECT_EQ(RunOn(loop, signals.NextSignal()), SIGTERM);
  raise(SIGINT);
  EXPECT_EQ(RunOn(loop, signals.NextSignal()), SIGINT);
}

TEST(NotifyTest, ReadinessReachesPathAndAbstractSockets) {
  const TempDir dir;
  const std::string names[] = {dir / "notify", "@oj-test-" + std::to_string(getpid())};
  for (const std::string& name : names) {
    const UniqueFd manager(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(manager.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_TRUE(Notify("READY=1"));
    char text[32];
    const ssize_t got = recv(manager.get(), text, sizeof text, 0);
    EXPECT_EQ(std::string(text, got < 0 ? 0 : static_cast<std::size_t>(got)), "READY=1");
  }
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(Notify("READY=1"));
}

TEST(NotifyTest, SocketsMeantForAnotherProcessAreNotTaken) {
  setenv("LISTEN_FDS", "1", 1);
  setenv("LISTEN_PID", "1", 1);
  const auto taken = TakeInheritedListener();
  ASSERT_TRUE(taken.ok());
  EXPECT_FALSE(taken->has_value());
  EXPECT_EQ(getenv("LISTEN_FDS"), nullptr);
}

TEST(NotifyTest, WhatIsNoListeningSocketIsRefused) {
  setenv("LISTEN_FDS", "2", 1);
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  const auto taken = TakeInheritedListener();
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().message, HasSubstr("LISTEN_FDS=2"));
}

TEST(SpdlogEventLogTest, LevelsAreKeptAndEachEventIsOneLine) {
  const TempDir dir;
  const std::string file = dir / "log";
  auto log = SpdlogEventLog::Open("info", file);
  ASSERT_TRUE(log.ok()) << log.error().message;
  (*log)->Record({EventKind::kRequestBegun, 1, 2, 1, "Ping"});
  (*log)->Record({EventKind::kRequestLatched, 0, 2, 0, "disconnected"});
  (*log)->Record({EventKind::kDefect, 0, 7, 0, "two\nlines"});
  const std::string text = ReadFile(file);
  EXPECT_THAT(text, Not(HasSubstr("Ping")));
  EXPECT_THAT(text, HasSubstr("request 2 cancelled: disconnected\n"));
  EXPECT_THAT(text, HasSubstr("error request 7 defect: two lines\n"));
  EXPECT_FALSE(SpdlogEventLog::Open("loud", file).ok());
}

TEST(SpdlogEventLogTest, RefusedRequestIsToldWhereOthersThatEndAreNot) {
  const TempDir dir;
  const std::string file = dir / "log";
  auto log = SpdlogEventLog::Open("info", file);
  ASSERT_TRUE(log.ok()) << log.error().message;
  (*log)->Record({EventKind::kRequestEnded, 0, 3, 0, "SessionKill"});
  (*log)->Record({EventKind::kRequestEnded, 0, 4, 0, "busy"});
  EXPECT_THAT(ReadFile(file), Not(HasSubstr("request 3")));
  EXPECT_THAT(ReadFile(file), HasSubstr("request 4 refused: busy\n"));
}

TEST(SystemRandomTest, NumbersDiffer) {
  SystemRandom random;
  EXPECT_NE(random.Next(), random.Next());
}

}  // namespace
}  // namespace oj
