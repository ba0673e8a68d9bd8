#include "os/state_dir.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>

#include "os_test_support.h"

namespace oj {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

void LeaveStaleSocket(const std::string& path) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
}

class StateDirTest : public testing::Test {
 protected:
  std::string ErrorOfAcquire(const std::string& path) {
    auto state = StateDir::Acquire(path);
    return state.ok() ? "" : state.error().message;
  }
  TempDir temp_;
  const std::string dir_ = temp_ / "state/oj";
};

TEST_F(StateDirTest, PathComesFromTheFlagThenTheEnvironment) {
  setenv("HOME", "/home/me", 1);
  unsetenv("OJ_STATE_DIR");
  unsetenv("XDG_STATE_HOME");
  EXPECT_EQ(*StateDirPath(""), "/home/me/.local/state/oj");
  setenv("XDG_STATE_HOME", "/xdg", 1);
  EXPECT_EQ(*StateDirPath(""), "/xdg/oj");
  setenv("OJ_STATE_DIR", "/own", 1);
  EXPECT_EQ(*StateDirPath(""), "/own");
  EXPECT_EQ(*StateDirPath("/flag"), "/flag");
}

TEST_F(StateDirTest, DirectoryIsPrivateAndPidFileHoldsOurPidUntilTheEnd) {
  {
    auto state = StateDir::Acquire(dir_);
    ASSERT_TRUE(state.ok()) << state.error().message;
    struct stat file{};
    ASSERT_EQ(stat(dir_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0700U);
    EXPECT_EQ(ReadFile(PidFilePath(dir_)), std::to_string(getpid()) + "\n");
  }
  EXPECT_FALSE(fs::exists(PidFilePath(dir_)));
}

TEST_F(StateDirTest, SecondDaemonIsToldThePidAndTouchesNothing) {
  auto first = StateDir::Acquire(dir_);
  ASSERT_TRUE(first.ok());
  LeaveStaleSocket(SocketPath(dir_));
  EXPECT_THAT(ErrorOfAcquire(dir_), HasSubstr("pid " + std::to_string(getpid())));
  EXPECT_EQ(ReadFile(PidFilePath(dir_)), std::to_string(getpid()) + "\n");
  EXPECT_TRUE(fs::exists(SocketPath(dir_)));
}

TEST_F(StateDirTest, WhatADeadDaemonLeftIsReplaced) {
  ASSERT_TRUE(PrepareStateDir(dir_).ok());
  WriteFile(PidFilePath(dir_), "4194304123\n");
  LeaveStaleSocket(SocketPath(dir_));
  auto state = StateDir::Acquire(dir_);
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_FALSE(fs::exists(SocketPath(dir_)));
  EXPECT_EQ(ReadFile(PidFilePath(dir_)), std::to_string(getpid()) + "\n");
}

TEST_F(StateDirTest, FileInThePlaceOfTheSocketIsLeftAlone) {
  ASSERT_TRUE(PrepareStateDir(dir_).ok());
  WriteFile(SocketPath(dir_), "precious");
  EXPECT_THAT(ErrorOfAcquire(dir_), HasSubstr("no socket"));
  EXPECT_EQ(ReadFile(SocketPath(dir_)), "precious");
}

// C9.
TEST_F(StateDirTest, LinkForeignOwnerAndOpenModeAreRefusedByName) {
  ASSERT_TRUE(PrepareStateDir(dir_).ok());
  const std::string link = temp_ / "link";
  fs::create_directory_symlink(dir_, link);
  EXPECT_THAT(ErrorOfAcquire(link), HasSubstr("'" + link + "' is a symbolic link"));
  EXPECT_THAT(ErrorOfAcquire(link + "/"), HasSubstr("is a symbolic link"));
  chmod(dir_.c_str(), 0770);
  EXPECT_THAT(ErrorOfAcquire(dir_), HasSubstr("'" + dir_ + "' is writable by other users"));
  chmod(dir_.c_str(), 0700);
  if (geteuid() != 0) GTEST_SKIP() << "a foreign owner needs root";
  ASSERT_EQ(chown(dir_.c_str(), 4242, 4242), 0);
  EXPECT_THAT(ErrorOfAcquire(dir_), HasSubstr("uid 4242"));
}

// A daemon that starts a process which outlives it, and dies without cleaning up. Returns the
// survivor, once it runs its own program.
pid_t RunDaemonThatDiesAndLeavesAChild(const std::string& dir) {
  int answer[2];
  int exec[2];  // closed by the exec
  if (pipe2(answer, O_CLOEXEC) != 0 || pipe2(exec, O_CLOEXEC) != 0) return -1;
  const pid_t daemon = fork();
  if (daemon == 0) {
    auto state = StateDir::Acquire(dir);
    const pid_t child = state.ok() ? fork() : -1;
    if (child == 0) {
      execlp("sleep", "sleep", "60", nullptr);
      _exit(127);
    }
    close(exec[1]);
    char byte;
    const bool told =
        read(exec[0], &byte, 1) == 0 && write(answer[1], &child, sizeof child) == sizeof child;
    _exit(told ? 0 : 1);
  }
  close(exec[1]);
  close(answer[1]);
  pid_t survivor = -1;
  if (read(answer[0], &survivor, sizeof survivor) != sizeof survivor) survivor = -1;
  waitpid(daemon, nullptr, 0);
  close(exec[0]);
  close(answer[0]);
  return survivor;
}

// T7: the tmux server outlives a daemon that was killed, and must not hold its lock.
TEST_F(StateDirTest, ChildThatOutlivesAKilledDaemonDoesNotHoldTheLock) {
  const pid_t survivor = RunDaemonThatDiesAndLeavesAChild(dir_);
  ASSERT_GT(survivor, 0);
  EXPECT_TRUE(fs::exists(PidFilePath(dir_)));
  EXPECT_EQ(ErrorOfAcquire(dir_), "");
  kill(survivor, SIGKILL);
}

}  // namespace
}  // namespace oj
