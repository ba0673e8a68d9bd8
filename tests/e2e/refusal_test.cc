// L7: what a user could lose stays, byte for byte, with the reason why; force removes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

#include "git_world.h"

namespace oj::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

struct Precious {
  std::string name;
  std::function<void(GitWorld&, const std::string& path)> make;
  std::string says;  // why it stays
};
void PrintTo(const Precious& precious, std::ostream* out) { *out << precious.name; }

void Append(const std::string& path, const std::string& name) {
  WriteFile(path + "/" + name, ReadFile(path + "/" + name) + "mine\n");
}
void CommitAll(GitWorld& world, const std::string& path) {
  world.GitSays(path, {"add", "-A"});
  world.GitSays(path, {"commit", "-qm", "mine"});
}
// On `main`, a change of `file` that one of the workspace's own contradicts.
void Contradict(GitWorld& world) {
  WriteFile(world.repo() + "/file", "theirs\n");
  world.GitSays(world.repo(), {"commit", "-qam", "theirs"});
}

const Precious kPrecious[] = {
    {"Changed", [](GitWorld&, const std::string& path) { Append(path, "file"); }, "uncommitted"},
    {"Staged",
     [](GitWorld& world, const std::string& path) {
       Append(path, "file");
       world.GitSays(path, {"add", "file"});
     },
     "uncommitted"},
    // The tree is as it was committed: only the index has it.
    {"StagedOnly",
     [](GitWorld& world, const std::string& path) {
       Append(path, "file");
       world.GitSays(path, {"add", "file"});
       WriteFile(path + "/file", "one\n");
     },
     "uncommitted"},
    {"Deleted", [](GitWorld&, const std::string& path) { fs::remove(path + "/file"); },
     "uncommitted"},
    {"Renamed",
     [](GitWorld& world, const std::string& path) { world.GitSays(path, {"mv", "file", "a b"}); },
     "uncommitted"},
    {"ModeChanged",
     [](GitWorld&, const std::string& path) {
       fs::permissions(path + "/file", fs::perms::owner_all);
     },
     "uncommitted"},
    {"Untracked",
     [](GitWorld&, const std::string& path) { WriteFile(path + "/new\nline", "mine"); },
     "untracked"},
    {"UntrackedDeep",
     [](GitWorld&, const std::string& path) {
       fs::create_directories(path + "/a/b");
       WriteFile(path + "/a/b/c", "mine");
     },
     "untracked"},
    // As a user's configuration may hide them.
    {"UntrackedHidden",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(world.repo(), {"config", "status.showUntrackedFiles", "no"});
       WriteFile(path + "/new", "mine");
     },
     "untracked"},
    {"Ignored", [](GitWorld&, const std::string& path) { WriteFile(path + "/x.log", "mine"); },
     "ignored"},
    {"IgnoredByTheUser",
     [](GitWorld& world, const std::string& path) {
       WriteFile(world.dir() + "/home/ignore", ".env\n");
       world.GitSays(world.repo(), {"config", "core.excludesFile", world.dir() + "/home/ignore"});
       WriteFile(path + "/.env", "secret");
     },
     "ignored"},
    {"NestedRepository",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"init", "-q", "nested"});
       WriteFile(path + "/nested/file", "mine");
     },
     "untracked"},
    // Changes that git was git does not look at for.
    {"AssumedUnchanged",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"update-index", "--assume-unchanged", "file"});
       Append(path, "file");
     },
     "git does not look at"},
    {"SkippedInTheTree",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"update-index", "--skip-worktree", "file"});
       Append(path, "file");
     },
     "uncommitted"},
    // Outside of what is checked out, and yet there.
    {"SkippedInASparseTree",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"sparse-checkout", "set", "--no-cone", "/file"});
       world.GitSays(path, {"config", "--worktree", "sparse.expectFilesOutsideOfPatterns", "true"});
       WriteFile(path + "/other", "mine");
     },
     "uncommitted"},
    {"RepositoryInARepository",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"init", "-q", "nested"});
       WriteFile(path + "/nested/file", "mine");
       CommitAll(world, path + "/nested");
       CommitAll(world, path);
       world.GitSays(world.repo(), {"merge", "-q", "oj/w1"});
     },
     "nested/.git"},
    {"Submodule",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                            world.repo(), "sub"});
       CommitAll(world, path);
       world.GitSays(world.repo(), {"merge", "-q", "oj/w1"});
       world.GitSays(path + "/sub", {"checkout", "-q", "-b", "mine"});
       Append(path + "/sub", "file");
       CommitAll(world, path + "/sub");
       world.GitSays(path + "/sub", {"checkout", "-q", "main"});
     },
     "sub/.git"},
    {"SubmoduleTakenOut",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                            world.repo(), "sub"});
       world.GitSays(path, {"rm", "-q", "-f", "sub", ".gitmodules"});
     },
     "has repositories of submodules"},
    {"Unmerged",
     [](GitWorld& world, const std::string& path) {
       Contradict(world);
       Append(path, "file");
       CommitAll(world, path);
       EXPECT_NE(world.Git(path, {"merge", "-q", "main"}).code, 0);
     },
     "conflict"},
    // G14: the tree looks clean, and the commits that are merged are elsewhere too.
    {"MidMerge",
     [](GitWorld& world, const std::string& path) {
       Contradict(world);
       world.GitSays(path, {"merge", "-q", "--no-commit", "--no-ff", "-s", "ours", "main"});
     },
     "in the middle of a merge"},
    {"MidRebase",
     [](GitWorld& world, const std::string& path) {
       Contradict(world);
       Append(path, "file");
       CommitAll(world, path);
       EXPECT_NE(world.Git(path, {"rebase", "-q", "main"}).code, 0);
       world.GitSays(path, {"checkout", "-q", "--theirs", "."});
       world.GitSays(path, {"add", "."});
     },
     ""},
    {"MidBisection",
     [](GitWorld& world, const std::string& path) { world.GitSays(path, {"bisect", "start"}); },
     "in the middle of a bisection"},
    {"Detached",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"checkout", "-q", "--detach"});
     },
     "detached"},
    // G8: `git worktree remove` says 0, and the commit is gone.
    {"DetachedCommit",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"checkout", "-q", "--detach"});
       Append(path, "file");
       CommitAll(world, path);
     },
     "detached"},
    {"OwnCommits",
     [](GitWorld& world, const std::string& path) {
       Append(path, "file");
       CommitAll(world, path);
     },
     "1 commit on no other branch"},
    // Nothing but the entry's own reflog leads there: the branch's never did.
    {"CommitLeftBehindByADetachedHead",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(path, {"checkout", "-q", "--detach"});
       Append(path, "file");
       CommitAll(world, path);
       world.GitSays(path, {"checkout", "-q", "oj/w1"});
     },
     "only its own reflog leads to"},
    {"RebaseThatWasGivenUp",
     [](GitWorld& world, const std::string& path) {
       Append(path, "other");
       CommitAll(world, path);
       world.GitSays(world.repo(), {"merge", "-q", "oj/w1"});
       world.GitSays(path, {"rebase", "-q", "--force-rebase", "--exec", "false", "HEAD~1"});
       Append(path, "file");
       CommitAll(world, path);
       world.GitSays(path, {"rebase", "--abort"});
     },
     "only its own reflog leads to"},
    {"Locked",
     [](GitWorld& world, const std::string& path) {
       world.GitSays(world.repo(), {"worktree", "lock", "--reason", "on a stick", path});
     },
     "is locked (on a stick)"},
};

class RefusalTest : public testing::TestWithParam<Precious> {
 protected:
  GitWorld world_;
};

TEST_P(RefusalTest, StaysByteForByteUntilItIsForced) {
  ASSERT_TRUE(world_.StartDaemon());
  ASSERT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
  GetParam().make(world_, world_.PathOf("w1"));
  const Contents kept = world_.Kept("w1");
  const std::string head = world_.GitSays(world_.PathOf("w1"), {"rev-parse", "HEAD"});

  const auto refused = world_.Drop("w1", {{"delete_branch", true}});
  EXPECT_EQ(Text(refused, "code"), "conflict") << json::serialize(refused);
  EXPECT_THAT(Text(refused, "message"), HasSubstr(GetParam().says));
  EXPECT_THAT(Ids(world_.Prune({{"all", true}}), "failed"), ElementsAre("w1"));
  EXPECT_THAT(Ids(world_.Ask({{"type", "WorkspaceDropAll"}}), "failed"), ElementsAre("w1"));
  EXPECT_EQ(world_.Kept("w1"), kept);
  EXPECT_EQ(world_.GitSays(world_.PathOf("w1"), {"rev-parse", "HEAD"}), head);
  EXPECT_EQ(Text(world_.Workspace("w1"), "status"), "ready");
  EXPECT_TRUE(world_.Intents().empty());

  const auto forced = world_.Drop("w1", {{"force", true}});
  EXPECT_THAT(Ids(forced, "dropped"), ElementsAre("w1")) << json::serialize(forced);
  EXPECT_TRUE(world_.IsGone("w1"));
}

INSTANTIATE_TEST_SUITE_P(, RefusalTest, testing::ValuesIn(kPrecious),
                         [](const auto& test) { return test.param.name; });

// Nothing of these is a user's to lose.
TEST(RemovalTest, ACleanWorkspaceGoesWhateverItsIndexOrItsCommitsElsewhereSay) {
  GitWorld world;
  ASSERT_TRUE(world.StartDaemon());
  for (const char* name : {"merged", "touched", "sparse"}) world.Add(name);
  const std::string merged = world.PathOf("merged");
  Append(merged, "file");
  CommitAll(world, merged);
  world.GitSays(world.repo(), {"merge", "-q", "oj/merged"});
  // Only its time has changed: the index must be refreshed in thought.
  WriteFile(world.PathOf("touched") + "/file", "one\n");
  world.GitSays(world.PathOf("sparse"), {"sparse-checkout", "set", "--no-cone", "/file"});
  EXPECT_FALSE(fs::exists(world.PathOf("sparse") + "/other"));
  for (const char* name : {"merged", "touched", "sparse"}) {
    const auto dropped = world.Drop(name);
    EXPECT_THAT(Ids(dropped, "dropped"), ElementsAre(name)) << json::serialize(dropped);
    EXPECT_TRUE(world.IsGone(name));
  }
}

// The branch stays, and with it its reflog, which leads to what was amended or reset away.
TEST(RemovalTest, AmendedRebasedAndResetCommitsStayInTheReflogOfTheBranch) {
  GitWorld world;
  ASSERT_TRUE(world.StartDaemon());
  for (const char* name : {"amended", "rebased", "reset", "plain"}) world.Add(name);
  std::map<std::string, std::string> before;
  for (const std::string name : {"amended", "rebased", "reset", "plain"}) {
    const std::string path = world.PathOf(name);
    WriteFile(path + "/" + name, "mine\n");
    CommitAll(world, path);
    before[name] = world.GitSays(path, {"rev-parse", "HEAD"});
  }
  world.GitSays(world.PathOf("amended"), {"commit", "-q", "--amend", "-m", "better"});
  Append(world.PathOf("rebased"), "rebased");
  world.GitSays(world.PathOf("rebased"), {"commit", "-qam", "fixup! mine"});
  world.Set("GIT_SEQUENCE_EDITOR", "true");
  EXPECT_EQ(
      world.Git(world.PathOf("rebased"), {"rebase", "-q", "-i", "--autosquash", "HEAD~2"}).code, 0);
  world.GitSays(world.PathOf("reset"), {"reset", "-q", "--hard", "HEAD~1"});
  for (const std::string name : {"amended", "rebased", "plain"}) {
    world.GitSays(world.repo(), {"merge", "-q", "oj/" + name});
  }
  const auto pruned = world.Prune({{"all", true}, {"delete_branch", true}});
  EXPECT_THAT(Ids(pruned, "failed"), testing::IsEmpty()) << json::serialize(pruned);
  EXPECT_FALSE(world.HasBranch("oj/plain"));
  world.GitSays(world.repo(), {"gc", "-q", "--prune=now"});
  for (const std::string name : {"amended", "rebased", "reset"}) {
    EXPECT_TRUE(world.HasBranch("oj/" + name)) << name;
    EXPECT_EQ(world.GitSays(world.repo(), {"cat-file", "-t", before[name]}), "commit") << name;
  }
}

// An index whose listing is larger than what is kept of any command's output.
class HugeIndexTest : public testing::Test {
 protected:
  static constexpr int kFiles = 150000;
  // Entries of files that nobody checks out, but for those that are there already.
  void SetUp() override {
    const std::string list = world_.dir() + "/entries";
    const std::string blob = world_.GitSays(world_.repo(), {"rev-parse", "HEAD:file"});
    std::string entries;
    for (int i = 0; i < kFiles; ++i) {
      const std::string number = std::to_string(i);
      entries += "100644 " + blob + "\td" + std::to_string(i % 300) +
                 "/a-file-whose-name-is-of-a-length-that-names-have-in-large-repositories-" +
                 number + "\n";
    }
    WriteFile(list, entries);
    const auto made =
        world_
            .Start({"sh", "-c",
                    "cd '" + world_.repo() + "' && git update-index --index-info < '" + list +
                        "' && git commit -qm huge && git sparse-checkout set " +
                        "--no-cone '/file' '/other' '/.gitignore'"})
            ->Wait(milliseconds(60000));
    ASSERT_EQ(made.code, 0) << made.err;
    ASSERT_TRUE(world_.StartDaemon());
    ASSERT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
  }

  GitWorld world_;
};

TEST_F(HugeIndexTest, ACleanWorkspaceGoesAndOneWithAHiddenFileStays) {
  ASSERT_EQ(Text(world_.Add("w2"), "type"), "WorkspaceCreated");
  world_.GitSays(world_.PathOf("w2"), {"update-index", "--assume-unchanged", "file"});
  Append(world_.PathOf("w2"), "file");
  const auto pruned = world_.Prune({{"all", true}});
  EXPECT_THAT(Ids(pruned, "pruned"), ElementsAre("w1")) << json::serialize(pruned);
  EXPECT_THAT(Ids(pruned, "failed"), ElementsAre("w2"));
  EXPECT_THAT(json::serialize(pruned), HasSubstr("git does not look at, such as 'file'"));
  const auto listed = world_.Git(world_.PathOf("w2"), {"ls-files", "-v", "--stage", "-z"});
  EXPECT_GT(listed.out.size(), 16U << 20);
  std::printf("%d files in the index, a listing of %zu bytes\n", kFiles, listed.out.size());
}

}  // namespace
}  // namespace oj::e2e
