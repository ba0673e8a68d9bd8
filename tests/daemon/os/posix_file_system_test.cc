#include "os/posix_file_system.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os_test_support.h"

namespace oj {
namespace {

using ::testing::ElementsAre;
namespace fs = std::filesystem;

class PosixFileSystemTest : public testing::Test {
 protected:
  ErrorCode CodeOf(const Status& status) {
    EXPECT_FALSE(status.ok());
    return status.ok() ? ErrorCode::kInternal : status.error().code;
  }
  TempDir dir_;
  AsioLoop loop_;
  PosixFileSystem files_{loop_};
};

TEST_F(PosixFileSystemTest, StatTellsTypesAndFollowsOnlyWhenAsked) {
  WriteFile(dir_ / "file", "12345");
  fs::create_symlink(dir_ / "file", dir_ / "link");
  EXPECT_EQ(RunOn(loop_, files_.Stat(dir_ / "file", false))->size, 5U);
  EXPECT_EQ(RunOn(loop_, files_.Stat(dir_ / "link", false))->type, FileType::kSymlink);
  EXPECT_EQ(RunOn(loop_, files_.Stat(dir_ / "link", true))->type, FileType::kFile);
  EXPECT_EQ(RunOn(loop_, files_.Stat(dir_.path(), false))->type, FileType::kDirectory);
  EXPECT_EQ(RunOn(loop_, files_.Stat(dir_ / "none", false))->type, FileType::kNone);
}

TEST_F(PosixFileSystemTest, MadeDirectoriesAreListedSorted) {
  ASSERT_TRUE(RunOn(loop_, files_.MakeDirectories(dir_ / "a/z/y")).ok());
  ASSERT_TRUE(RunOn(loop_, files_.MakeDirectories(dir_ / "a/b")).ok());
  ASSERT_TRUE(RunOn(loop_, files_.MakeDirectories(dir_ / "a/b")).ok());
  EXPECT_THAT(*RunOn(loop_, files_.List(dir_ / "a")), ElementsAre("b", "z"));
  EXPECT_EQ(RunOn(loop_, files_.List(dir_ / "none")).error().code, ErrorCode::kNotFound);
  WriteFile(dir_ / "file", "");
  EXPECT_FALSE(RunOn(loop_, files_.MakeDirectories(dir_ / "file/x")).ok());
}

// A program by the name of this test's own, asleep in a directory.
TEST_F(PosixFileSystemTest, AProcessAtWorkInADirectoryIsFoundByItsNameAndWhereItIs) {
  fs::create_directories(dir_ / "repo/sub");
  fs::create_directories(dir_ / "repo2");
  fs::copy_file("/bin/sleep", dir_ / "ojtestgit");
  fs::permissions(dir_ / "ojtestgit", fs::perms::owner_all);
  const pid_t pid = fork();
  if (pid == 0) {
    if (chdir((dir_ / "repo/sub").c_str()) == 0) {
      execl((dir_ / "ojtestgit").c_str(), "ojtestgit", "60", nullptr);
    }
    _exit(1);
  }
  const auto user = [&](const std::string& program, const std::string& directory) {
    return RunOn(loop_, files_.FindUser(program, {dir_ / directory})).value();
  };
  for (int i = 0; i < 5000 && user("ojtestgit", "repo") != pid; ++i) usleep(1000);
  EXPECT_EQ(user("ojtestgit", "repo"), pid);
  EXPECT_EQ(user("ojtestgit", "repo/sub"), pid);
  EXPECT_EQ(user("ojtestgit", "repo2"), 0) << "not a directory of whose name it is the beginning";
  EXPECT_EQ(user("ojtest", "repo"), 0);
  kill(pid, SIGKILL);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(user("ojtestgit", "repo"), 0) << "the dead hold nothing";
  waitpid(pid, nullptr, 0);
}

TEST_F(PosixFileSystemTest, RenameReplacesNothing) {
  WriteFile(dir_ / "a", "a");
  WriteFile(dir_ / "b", "b");
  EXPECT_EQ(CodeOf(RunOn(loop_, files_.Rename(dir_ / "a", dir_ / "b"))), ErrorCode::kConflict);
  EXPECT_EQ(ReadFile(dir_ / "b"), "b");
  EXPECT_EQ(CodeOf(RunOn(loop_, files_.Rename(dir_ / "none", dir_ / "c"))), ErrorCode::kNotFound);
  EXPECT_TRUE(RunOn(loop_, files_.Rename(dir_ / "a", dir_ / "c")).ok());
  EXPECT_EQ(ReadFile(dir_ / "c"), "a");
}

TEST_F(PosixFileSystemTest, RenameAcrossFileSystemsIsAConflict) {
  struct stat here{};
  struct stat there{};
  if (stat(dir_.path().c_str(), &here) != 0 || stat("/dev/shm", &there) != 0 ||
      here.st_dev == there.st_dev) {
    GTEST_SKIP() << "/dev/shm is no other file system";
  }
  WriteFile(dir_ / "a", "a");
  const auto status = RunOn(loop_, files_.Rename(dir_ / "a", "/dev/shm/oj-test-never-made"));
  EXPECT_EQ(CodeOf(status), ErrorCode::kConflict);
}

TEST_F(PosixFileSystemTest, RemoveTreeNeverFollowsALink) {
  fs::create_directories(dir_ / "outside");
  WriteFile(dir_ / "outside/precious", "x");
  fs::create_directories(dir_ / "tree/deep/er");
  WriteFile(dir_ / "tree/deep/er/file", "x");
  fs::create_directory_symlink(dir_ / "outside", dir_ / "tree/deep/link");
  chmod((dir_ / "tree/deep").c_str(), 0500);

  EXPECT_TRUE(RunOn(loop_, files_.RemoveTree(dir_ / "tree")).ok());

  EXPECT_FALSE(fs::exists(dir_ / "tree"));
  EXPECT_TRUE(fs::exists(dir_ / "outside/precious"));
  fs::create_directory_symlink(dir_ / "outside", dir_ / "link");
  EXPECT_TRUE(RunOn(loop_, files_.RemoveTree(dir_ / "link")).ok());
  EXPECT_FALSE(fs::is_symlink(dir_ / "link"));
  EXPECT_TRUE(fs::exists(dir_ / "outside/precious"));
  EXPECT_TRUE(RunOn(loop_, files_.RemoveTree(dir_ / "none")).ok());
}

}  // namespace
}  // namespace oj
