// Workspaces on a real git: made, shown, removed; what is half made is undone; what a user could
// lose stays byte for byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "git_world.h"

namespace oj::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class WorkspaceTest : public testing::Test {
 protected:
  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  void Add(const std::string& name) {
    const auto reply = world_.Add(name);
    ASSERT_EQ(Text(reply, "type"), "WorkspaceCreated") << json::serialize(reply);
  }
  bool Quiet() {
    return Eventually([this] { return world_.Quiet(); });
  }

  GitWorld world_;
};

TEST_F(WorkspaceTest, IsMadeOnABranchOfItsOwnListedShownAndDropped) {
  Start();
  const auto added = world_.Add("w1");
  EXPECT_EQ(Text(added, "path"), world_.PathOf("w1"));
  EXPECT_EQ(Text(added, "branch"), "oj/w1");
  EXPECT_EQ(ReadFile(world_.PathOf("w1") + "/file"), "one\n");
  EXPECT_EQ(world_.GitSays(world_.PathOf("w1"), {"branch", "--show-current"}), "oj/w1");
  EXPECT_EQ(Text(world_.Workspace("w1"), "status"), "ready");
  const auto listed = world_.Ask({{"type", "Query"}, {"query", {{"type", "ListWorkspaces"}}}});
  EXPECT_THAT(Ids(listed, "workspaces"), ElementsAre("w1"));
  const auto dropped = world_.Drop("w1");
  EXPECT_THAT(Ids(dropped, "dropped"), ElementsAre("w1")) << json::serialize(dropped);
  EXPECT_TRUE(world_.IsGone("w1"));
  EXPECT_TRUE(world_.HasBranch("oj/w1")) << "branches go only where that was asked for";
  EXPECT_TRUE(Quiet());
}

// Lesson: the branch is looked up after the removal, so it is never deleted.
TEST_F(WorkspaceTest, TheBranchGoesWithItWhereThatWasAskedFor) {
  Start();
  Add("w1");
  const auto dropped = world_.Drop("w1", {{"delete_branch", true}});
  EXPECT_EQ(Text(dropped.at("dropped").at(0).as_object(), "branch"), "oj/w1");
  EXPECT_FALSE(world_.HasBranch("oj/w1"));
}

TEST_F(WorkspaceTest, TheBranchOfAnotherNameThatWasThereIsCheckedOutAsItIs) {
  Start();
  world_.GitSays(world_.repo(), {"branch", "fix/login"});
  const json::object add{
      {"type", "WorkspaceAdd"}, {"repo", world_.repo()}, {"name", "w1"}, {"branch", "fix/login"}};
  EXPECT_EQ(Text(world_.Ask(add), "branch"), "fix/login");
  EXPECT_EQ(world_.GitSays(world_.PathOf("w1"), {"branch", "--show-current"}), "fix/login");
  json::object again = add;
  again["name"] = "w2";
  EXPECT_EQ(Text(world_.Ask(again), "code"), "conflict") << "it is checked out already";
  EXPECT_TRUE(world_.IsGone("w2"));
  EXPECT_TRUE(world_.HasBranch("fix/login")) << "it was not made for the one that failed";
}

TEST_F(WorkspaceTest, WhatCannotBeAddedSaysWhyAndLeavesNothing) {
  Start();
  Add("w1");
  EXPECT_EQ(Text(world_.Add("w1"), "code"), "conflict");
  const auto ask = [&](const json::object& more) {
    json::object request{{"type", "WorkspaceAdd"}, {"repo", world_.repo()}, {"name", "w2"}};
    for (const auto& [key, value] : more) request[key] = value;
    return Text(world_.Ask(request), "code");
  };
  EXPECT_EQ(ask({{"repo", "/proc"}}), "not_found");
  EXPECT_EQ(ask({{"repo", "/nowhere"}}), "not_found");
  EXPECT_EQ(ask({{"branch", "main"}}), "conflict") << "checked out in the repository itself";
  EXPECT_EQ(ask({{"branch", "a.lock"}}), "tool_failed");
  EXPECT_EQ(ask({{"branch", "-x"}}), "invalid_request");
  EXPECT_EQ(ask({{"name", "../w2"}}), "invalid_request");
  world_.GitSays(world_.dir(), {"init", "-q", "empty"});
  EXPECT_EQ(ask({{"repo", world_.dir() + "/empty"}}), "conflict") << "it has no commit";
  EXPECT_TRUE(world_.IsGone("w2"));
  EXPECT_EQ(world_.GitSays(world_.repo(), {"for-each-ref", "--format=%(refname)"}),
            "refs/heads/main\nrefs/heads/oj/w1");
}

// A drop that is asked for once more must not find another one than the first time.
TEST_F(WorkspaceTest, ADropWantsAWholeId) {
  Start();
  Add("login-1");
  EXPECT_EQ(Text(world_.Drop("login"), "code"), "not_found");
  EXPECT_TRUE(fs::exists(world_.PathOf("login-1")));
}

TEST_F(WorkspaceTest, APruneTakesWhatMayGoAndTellsOfTheRest) {
  Start();
  for (const char* name : {"w1", "w2", "w3"}) Add(name);
  WriteFile(world_.PathOf("w2") + "/notes", "mine");
  EXPECT_EQ(world_.Prune().at("skipped").to_number<int>(), 3) << "all are young";
  const auto dry = world_.Prune({{"all", true}, {"dry_run", true}});
  EXPECT_THAT(Ids(dry, "pruned"), UnorderedElementsAre("w1", "w3"));
  EXPECT_TRUE(fs::exists(world_.PathOf("w1")));
  const auto kept = world_.Kept("w2");
  const auto pruned = world_.Prune({{"all", true}});
  EXPECT_THAT(Ids(pruned, "pruned"), UnorderedElementsAre("w1", "w3"));
  EXPECT_THAT(Ids(pruned, "failed"), ElementsAre("w2"));
  EXPECT_THAT(Ids(pruned, "remaining"), IsEmpty());
  EXPECT_EQ(world_.Kept("w2"), kept);
  EXPECT_EQ(Text(world_.Workspace("w2"), "status"), "ready");
  EXPECT_TRUE(world_.IsGone("w1"));
  EXPECT_TRUE(world_.IsGone("w3"));
}

// L7: the daemon knows nothing of it but where it lies.
TEST_F(WorkspaceTest, ADirectoryThatNobodyRecordedIsNeverDeletedWithoutForce) {
  Start();
  Add("w1");
  fs::create_directories(world_.PathOf("mine"));
  WriteFile(world_.PathOf("mine") + "/thesis", "ten years");
  const auto pruned = world_.Prune({{"all", true}});
  EXPECT_THAT(Ids(pruned, "pruned"), ElementsAre("w1"));
  EXPECT_THAT(Ids(pruned, "failed"), ElementsAre("mine"));
  EXPECT_EQ(ReadFile(world_.PathOf("mine") + "/thesis"), "ten years");
}

TEST_F(WorkspaceTest, ARecordWhoseDirectoryIsGoneIsPrunedWithItsEntry) {
  Start();
  Add("w1");
  fs::remove_all(world_.PathOf("w1"));
  EXPECT_THAT(Ids(world_.Prune({{"all", true}}), "pruned"), ElementsAre("w1"));
  EXPECT_TRUE(world_.IsGone("w1"));
}

TEST_F(WorkspaceTest, ARecordWhoseRepositoryIsGoneIsDroppedByForceOnly) {
  Start();
  Add("w1");
  fs::remove_all(world_.repo());
  EXPECT_EQ(Text(world_.Drop("w1"), "code"), "conflict");
  EXPECT_TRUE(fs::exists(world_.PathOf("w1") + "/file"));
  EXPECT_THAT(Ids(world_.Drop("w1", {{"force", true}}), "dropped"), ElementsAre("w1"));
  EXPECT_FALSE(fs::exists(world_.PathOf("w1")));
}

// A git that does something else beside certain commands: shell patterns and commands.
void Wrap(GitWorld& world, const std::string& cases) {
  const std::string wrapper = world.dir() + "/git-wrapped";
  WriteFile(wrapper, "#!/bin/sh\ncase \"$*\" in\n" + cases + "\nesac\nexec git \"$@\"\n");
  fs::permissions(wrapper, fs::perms::owner_all);
  world.Configure("[tools]\ngit = \"" + wrapper + "\"\n");
}

// L6, L7: an editor that saves into a directory that is being removed makes it again.
TEST_F(WorkspaceTest, WhatIsMadeAtItsPathDuringItsRemovalStaysAndTheRemovalEnds) {
  const std::string path = world_.PathOf("w1");
  Wrap(world_,
       "*'worktree remove'*) mkdir -p '" + path + "/src'; echo mine > '" + path + "/src/file' ;;");
  Start();
  Add("w1");
  EXPECT_THAT(Ids(world_.Drop("w1"), "dropped"), ElementsAre("w1"));
  EXPECT_FALSE(world_.HasEntry("w1"));
  EXPECT_TRUE(world_.Workspace("w1").empty());
  EXPECT_TRUE(Eventually([this] { return world_.Trash().empty() && world_.Intents().empty(); }));
  const auto pruned = world_.Prune({{"all", true}});
  EXPECT_THAT(Ids(pruned, "failed"), ElementsAre("w1")) << "a directory without a record is told";
  EXPECT_EQ(ContentsOf(path), (Contents{{"src/file", "mine\n"}}));
}

TEST_F(WorkspaceTest, AWorktreeThatAUserMakesAtItsPathDuringItsRemovalStays) {
  const std::string path = world_.PathOf("w1");
  Wrap(world_, "*/.trash/*status*) git -C '" + world_.repo() + "' worktree add -q -f -b theirs '" +
                   path + "' && echo mine > '" + path + "/notes' ;;");
  Start();
  Add("w1");
  const auto dropped = world_.Drop("w1");
  EXPECT_THAT(Text(dropped, "message"), HasSubstr("'" + path + "' is there again"));
  EXPECT_THAT(world_.Trash(), testing::SizeIs(1)) << "what lay there is still somewhere";
  EXPECT_EQ(ReadFile(path + "/notes"), "mine\n");
  EXPECT_EQ(world_.GitSays(path, {"branch", "--show-current"}), "theirs");
}

// G10: worktrees of others, on a path that is not mounted now, keep their entries.
TEST_F(WorkspaceTest, RemovingOneLeavesTheEntriesOfOthersWhoseDirectoriesAreAway) {
  Start();
  Add("w1");
  const std::string other = world_.dir() + "/elsewhere";
  world_.GitSays(world_.repo(), {"worktree", "add", "-q", other});
  fs::rename(other, other + ".unmounted");
  EXPECT_THAT(Ids(world_.Drop("w1"), "dropped"), ElementsAre("w1"));
  EXPECT_TRUE(fs::exists(world_.repo() + "/.git/worktrees/elsewhere"));
}

TEST_F(WorkspaceTest, LinksInItAreRemovedAndNeverFollowed) {
  Start();
  Add("w1");
  WriteFile(world_.dir() + "/precious", "mine");
  fs::create_symlink(world_.dir(), world_.PathOf("w1") + "/out");
  EXPECT_THAT(Ids(world_.Drop("w1", {{"force", true}}), "dropped"), ElementsAre("w1"));
  EXPECT_TRUE(world_.IsGone("w1"));
  EXPECT_EQ(ReadFile(world_.dir() + "/precious"), "mine");
  EXPECT_TRUE(fs::exists(world_.repo() + "/file"));
}

// Lesson: the inherited GIT_DIR sends git to another repository.
TEST_F(WorkspaceTest, VariablesOfGitThatTheDaemonInheritedLeadNowhere) {
  world_.GitSays(world_.dir(), {"init", "-q", "wrong"});
  const std::string wrong = world_.dir() + "/wrong";
  world_.Set("GIT_DIR", wrong + "/.git");
  world_.Set("GIT_WORK_TREE", wrong);
  world_.Set("GIT_COMMON_DIR", wrong + "/.git");
  world_.Set("GIT_INDEX_FILE", wrong + "/index");
  const Contents before = ContentsOf(wrong);
  Start();
  for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"}) world_.Unset(name);
  world_.Unset("GIT_INDEX_FILE");
  Add("w1");
  EXPECT_TRUE(world_.HasEntry("w1"));
  WriteFile(world_.PathOf("w1") + "/notes", "mine");
  EXPECT_EQ(Text(world_.Drop("w1"), "code"), "conflict");
  EXPECT_THAT(Ids(world_.Drop("w1", {{"force", true}}), "dropped"), ElementsAre("w1"));
  EXPECT_TRUE(world_.IsGone("w1"));
  EXPECT_EQ(ContentsOf(wrong), before);
}

}  // namespace
}  // namespace oj::e2e
