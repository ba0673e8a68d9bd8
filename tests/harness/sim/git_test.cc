// The model of git: what a kill in the middle of a command leaves.
#include <gmock/gmock.h>

#include "sim/sim_git.h"

namespace oj::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SimGitTest : public ::testing::Test {
 protected:
  SimGitTest() {
    disk.Model("/r");
    disk.Model("/w");
    git.CreateRepository("/r", {{"f1", "one"}, {"f2", "two"}});
    disk.MakeDirectories("/w");
  }
  std::vector<std::string> Words(std::vector<std::string> words) const {
    words.insert(words.begin(), {"git", "-C", "/r/.git"});
    return words;
  }
  std::string Head() { return git.Branches("/r/.git").at("main"); }
  std::vector<std::string> AddWords() {
    return Words({"worktree", "add", "-b", "b", "/w/a", Head()});
  }
  ToolAnswer Run(std::vector<std::string> words) {
    GitCommand command(git, Words(std::move(words)));
    while (command.Step()) {
    }
    return command.TakeAnswer();
  }
  int Steps(const std::vector<std::string>& words) {
    SimDisk kept = disk;
    GitCommand command(git, words);
    int steps = 1;
    while (command.Step()) ++steps;
    disk = kept;
    return steps;
  }

  SimDisk disk;
  SimGit git{disk};
};

TEST_F(SimGitTest, AddThatIsKilledLeavesALockedEntryADirectoryAndTheBranch) {
  GitCommand add(git, AddWords());
  for (int i = 0; i < 5; ++i) add.Step();
  ASSERT_THAT(git.Entries("/r/.git"), SizeIs(1));
  EXPECT_EQ(git.Entries("/r/.git")[0].locked, "initializing");
  EXPECT_TRUE(disk.Exists("/w/a/.git"));
  EXPECT_TRUE(git.Branches("/r/.git").contains("b"));
}

TEST_F(SimGitTest, AddThatIsTerminatedLeavesOnlyTheBranch) {
  GitCommand add(git, AddWords());
  for (int i = 0; i < 5; ++i) add.Step();
  add.OnTerm();
  EXPECT_FALSE(add.Step());
  EXPECT_THAT(git.Entries("/r/.git"), IsEmpty());
  EXPECT_FALSE(disk.Exists("/w/a"));
  EXPECT_TRUE(git.Branches("/r/.git").contains("b"));
}

TEST_F(SimGitTest, RemoveThatIsKilledCanNeverBeRepeatedOnTheDirectory) {
  Run({"worktree", "add", "-b", "b", "/w/a", Head()});
  GitCommand remove(git, Words({"worktree", "remove", "--force", "--force", "--", "/w/a"}));
  remove.Step();
  remove.Step();
  EXPECT_FALSE(disk.Exists("/w/a/.git"));
  EXPECT_TRUE(disk.Exists("/w/a/f1"));
  const ToolAnswer again = Run({"worktree", "remove", "--force", "--force", "--", "/w/a"});
  EXPECT_EQ(again.exit, 128);
  EXPECT_THAT(again.err, HasSubstr("'/w/a/.git' does not exist"));
}

TEST_F(SimGitTest, AKillInTheMiddleOfAChangeOfARefLeavesItsLocksAndATermDoesNot) {
  Run({"worktree", "add", "-b", "b", "/w/a", Head()});
  const auto words = Words({"update-ref", "-d", "refs/heads/b", Head()});
  GitCommand killed(git, words);
  killed.Step();
  killed.Step();
  EXPECT_TRUE(disk.Exists("/r/.git/refs/heads/b.lock"));
  EXPECT_TRUE(disk.Exists("/r/.git/packed-refs.lock"));
  const ToolAnswer again = Run({"update-ref", "-d", "refs/heads/b", Head()});
  EXPECT_EQ(again.exit, 1);
  EXPECT_THAT(again.err, HasSubstr("Unable to create '/r/.git/refs/heads/b.lock': File exists"));
  killed.OnTerm();
  EXPECT_FALSE(disk.Exists("/r/.git/refs/heads/b.lock"));
  EXPECT_FALSE(disk.Exists("/r/.git/packed-refs.lock"));
}

TEST_F(SimGitTest, CommandsThatLookDoSoInOneStep) {
  EXPECT_EQ(Steps(Words({"worktree", "list", "--porcelain", "-z"})), 1);
  EXPECT_EQ(Steps(Words({"status"})), 1);
  EXPECT_GT(Steps(AddWords()), 6);
}

TEST(SimDisk, LosesAllChangesSinceTheLastSync) {
  SimDisk disk;
  disk.Model("/m");
  disk.KeepUnsynced();
  disk.Write("/m/a/f", "1");
  disk.Sync();
  disk.Rename("/m/a", "/m/b");
  disk.Write("/m/b/g", "2");
  disk.LoseUnsynced();
  EXPECT_EQ(disk.Read("/m/a/f"), "1");
  EXPECT_FALSE(disk.Exists("/m/b"));
}

TEST(SimDisk, IsADirectoryEverywhereButBelowWhatIsModelled) {
  SimDisk disk;
  disk.Model("/m");
  EXPECT_EQ(disk.TypeOf("/tmp/any"), FileType::kDirectory);
  EXPECT_EQ(disk.TypeOf("/m/any"), FileType::kNone);
  disk.MakeDirectories("/m/any/where");
  EXPECT_EQ(disk.TypeOf("/m/any"), FileType::kDirectory);
}

}  // namespace
}  // namespace oj::sim
