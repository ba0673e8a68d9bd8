// What git's answers mean, as git writes them: with NUL between records, and paths as they are.
#include "core/git_client.h"

#include <gmock/gmock.h>

namespace oj {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The records of `lines`, each with its NUL.
std::string Records(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\0';
  return text;
}

TEST(ParseWorktrees, TellsBranchesDetachedHeadsBareOnesAndLocks) {
  const auto all = ParseWorktrees(Records({"worktree /repo.git",
                                           "bare",
                                           "",
                                           "worktree /w/one two\nthree",
                                           "HEAD aaaa",
                                           "branch refs/heads/fix/a",
                                           "",
                                           "worktree /w/d",
                                           "HEAD bbbb",
                                           "detached",
                                           "",
                                           "worktree /w/l",
                                           "HEAD cccc",
                                           "branch refs/heads/l",
                                           "locked on a stick\nof mine",
                                           "",
                                           "worktree /w/i",
                                           "HEAD 0000",
                                           "detached",
                                           "locked",
                                           "prunable gitdir file points away",
                                           ""}));
  ASSERT_EQ(all.size(), 5U);
  EXPECT_TRUE(all[0].bare);
  EXPECT_EQ(all[1].path, "/w/one two\nthree");
  EXPECT_EQ(all[1].head, "aaaa");
  EXPECT_EQ(all[1].branch, "fix/a");
  EXPECT_FALSE(all[1].locked || all[1].bare);
  EXPECT_EQ(all[2].branch, "");
  EXPECT_TRUE(all[3].locked);
  EXPECT_EQ(all[3].lock_reason, "on a stick\nof mine");
  EXPECT_TRUE(all[4].locked);
  EXPECT_EQ(all[4].lock_reason, "");
}

TEST(ParseWorktrees, NothingAndWhatIsCutOffAreNoEntries) {
  EXPECT_THAT(ParseWorktrees(""), IsEmpty());
  EXPECT_THAT(ParseWorktrees("HEAD aaaa"), IsEmpty());
  EXPECT_EQ(ParseWorktrees("worktree /w").at(0).path, "/w");
}

TEST(ParseTreeState, ACleanTreeHasAHeadAndABranch) {
  const TreeState state =
      ParseTreeState(Records({"# branch.oid aaaa", "# branch.head fix/a", "# branch.ab +0 -0"}));
  TreeState expected;
  expected.head = "aaaa";
  expected.branch = "fix/a";
  EXPECT_EQ(state, expected);
}

TEST(ParseTreeState, NoCommitAndNoBranchAreEmpty) {
  const TreeState state =
      ParseTreeState(Records({"# branch.oid (initial)", "# branch.head (detached)"}));
  EXPECT_EQ(state, TreeState());
}

TEST(ParseTreeState, KeepsTheFirstPathOfEachKindWhole) {
  const TreeState state =
      ParseTreeState(Records({"1 .M N... 100644 100644 100644 aa bb a file\nof two lines",
                              "1 M. N... 100644 100644 100644 aa bb second",
                              "u UU N... 100644 100644 100644 100644 aa bb cc in conflict",
                              "? new one", "? another", "! x.log"}));
  EXPECT_EQ(state.changed, "a file\nof two lines");
  EXPECT_EQ(state.unmerged, "in conflict");
  EXPECT_EQ(state.untracked, "new one");
  EXPECT_EQ(state.ignored, "x.log");
}

// The old name is a record of its own, and may look like any other.
TEST(ParseTreeState, WhereAFileWasRenamedFromIsNoRecord) {
  const TreeState state = ParseTreeState(
      Records({"2 R. N... 100644 100644 100644 aa bb R100 new name", "? old", "! x.log"}));
  EXPECT_EQ(state.changed, "new name");
  EXPECT_EQ(state.untracked, "");
  EXPECT_EQ(state.ignored, "x.log");
}

TEST(LockInTheWay, IsThePathThatGitNamesOrNothing) {
  EXPECT_EQ(LockInTheWay("fatal: cannot lock ref 'refs/heads/b': Unable to create "
                         "'/r/it's/.git/./refs/heads/b.lock': File exists.\n\nAnother git"),
            "/r/it's/.git/refs/heads/b.lock");
  EXPECT_EQ(LockInTheWay("error: Unable to create '/r/b.lock': Permission denied"), "");
  EXPECT_EQ(LockInTheWay("error: Unable to create 'b.lock': File exists"), "");
  EXPECT_EQ(LockInTheWay("error: Unable to create '/r/.git/../b.lock': File exists"), "");
  EXPECT_EQ(LockInTheWay("error: Unable to create '/r/b': File exists"), "");
  EXPECT_EQ(LockInTheWay("fatal: a branch named 'b' already exists"), "");
}

TEST(ParseUnwatched, TellsHiddenFilesAndSubmodulesOnly) {
  EXPECT_THAT(ParseUnwatched(Records({"H 100644 aa 0\tfile", "h 100644 aa 0\tassumed one",
                                      "S 100644 aa 0\tskipped", "s 100644 aa 0\tboth",
                                      "M 100644 aa 1\tunmerged", "H 160000 aa 0\tsub", "x", ""})),
              ElementsAre("assumed one", "both", "sub/.git"));
}

}  // namespace
}  // namespace oj
