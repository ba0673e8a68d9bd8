// What users made in the simulated world, and how its loss is found.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "sim/sim_users.h"

namespace oj::sim {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kScenario = R"(
about = "test"
[[repo]]
path = "/repos/main"
[[workspace]]
id = "w1"
repo = "/repos/main"
state = "untracked"
[[workspace]]
id = "w2"
repo = "/repos/main"
state = "committed"
[mix]
clients = 1
calls = 1
)";

class SimUsersTest : public ::testing::Test {
 protected:
  SimUsersTest() { users.SetUp(*ParseScenario(kScenario, "test.toml"), 0); }
  static constexpr const char* kCommon = "/repos/main/.git";

  SimDisk disk;
  SimGit git{disk};
  SimTmux tmux;
  StateSnapshot durable;
  SimUsers users{disk, git, tmux, durable};
};

TEST_F(SimUsersTest, NothingIsLostAtFirst) {
  EXPECT_THAT(users.Lost(), IsEmpty());
  EXPECT_THAT(users.Untrue(), IsEmpty());
}

// L7
TEST_F(SimUsersTest, AFileThatIsNowhereIsLost) {
  disk.Erase("/state/workspaces/w1");
  ASSERT_THAT(users.Lost(), SizeIs(1));
  EXPECT_EQ(users.Lost()[0].what, "w1/notes.txt");
}

TEST_F(SimUsersTest, AFileInTheTrashIsNotLostYet) {
  disk.MakeDirectories("/state/workspaces/.trash");
  disk.Rename("/state/workspaces/w1", "/state/workspaces/.trash/w1.1");
  EXPECT_THAT(users.Lost(), IsEmpty());
}

// L7
TEST_F(SimUsersTest, ACommitThatNoRefReachesIsLost) {
  disk.Erase("/state/workspaces/w2");
  disk.Erase(std::string(kCommon) + "/worktrees/w2");
  EXPECT_THAT(users.Lost(), IsEmpty()) << "the branch has it";
  disk.Erase(std::string(kCommon) + "/refs/heads/oj/w2");
  EXPECT_THAT(users.Lost(), SizeIs(2)) << "the commit, and the file in it";
}

TEST_F(SimUsersTest, WhatAForcedRequestNamesIsGivenUp) {
  users.OnRequest(R"({"type":"WorkspaceDrop","id":"w1","force":true})");
  disk.Erase("/state/workspaces/w1");
  EXPECT_THAT(users.Lost(), IsEmpty());
}

// L5
TEST_F(SimUsersTest, ARecordOfWhatIsNotThereIsUntrue) {
  disk.Erase("/state/workspaces/w1");
  EXPECT_THAT(users.Untrue(), Contains(HasSubstr("'w1' is recorded as ready, and is not there")));
  disk.Erase(std::string(kCommon) + "/worktrees/w2");
  EXPECT_THAT(users.Untrue(), Contains(HasSubstr("git does not know it")));
}

// L5
TEST_F(SimUsersTest, AReplyThatTellsOfARemovalMustBeTrue) {
  const auto reply = boost::json::parse(
      R"({"type":"WorkspacesPruned","pruned":[{"id":"w1","path":"/state/workspaces/w1"}]})");
  const std::uint64_t sent = users.version();
  EXPECT_THAT(users.UntrueIn(reply.as_object(), sent), HasSubstr("was there all the time"));
  disk.Erase("/state/workspaces/w1");
  EXPECT_EQ(users.UntrueIn(reply.as_object(), sent), "");
  disk.MakeDirectories("/state/workspaces/w1");
  EXPECT_EQ(users.UntrueIn(reply.as_object(), sent), "") << "another came after it";
}

// L5
TEST_F(SimUsersTest, AReplyThatTellsOfAWorkspaceMustBeTrue) {
  const auto reply =
      boost::json::parse(R"({"type":"WorkspaceCreated","id":"w3","path":"/state/workspaces/w3"})");
  const std::uint64_t sent = users.version();
  EXPECT_THAT(users.UntrueIn(reply.as_object(), sent), HasSubstr("was made, and it was not"));
  git.AddWorktree("/repos/main", "/state/workspaces/w3", "oj/w3");
  EXPECT_EQ(users.UntrueIn(reply.as_object(), sent), "");
}

// L6
TEST_F(SimUsersTest, APortraitShowsWhatDiffers) {
  const auto before = users.Portrait();
  EXPECT_EQ(users.Portrait(), before);
  disk.Erase(std::string(kCommon) + "/refs/heads/oj/w2");
  EXPECT_NE(users.Portrait(), before);
}

}  // namespace
}  // namespace oj::sim
