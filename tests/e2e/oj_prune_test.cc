// `oj` with workspaces and agents on a real git and a real tmux: what a person gets to see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

class OjPruneTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string repo = Repo();
    ASSERT_EQ(Git({"init", "-q", repo}).code, 0);
    WriteFile(repo + "/file", "text\n");
    ASSERT_EQ(Git({"-C", repo, "add", "."}).code, 0);
    const Ended made =
        Git({"-C", repo, "-c", "user.name=n", "-c", "user.email=e@x", "commit", "-qm", "one"});
    ASSERT_EQ(made.code, 0) << made.err;
  }

  // Also a daemon that `oj` started.
  void TearDown() override { EXPECT_EQ(world_.Oj({"daemon", "stop"}).code, 0); }

  std::string Repo() const { return world_.dir() + "/repo"; }
  std::string PathOf(const std::string& id) const { return world_.state() + "/workspaces/" + id; }
  Ended Git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "git");
    return world_.Start(arguments)->Wait();
  }
  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  void Add(const std::string& id) {
    const Ended added = world_.Oj({"workspace", "add", Repo(), "--name", id});
    ASSERT_EQ(added.code, 0) << added.err;
  }
  // From the next start of the daemon on, each look at a workspace takes 400 ms.
  void SlowGit() {
    const std::string slow = world_.dir() + "/slow-git";
    WriteFile(slow,
              "#!/bin/sh\ncase \" $* \" in *' status '*) sleep 0.4 ;; esac\nexec git \"$@\"\n");
    chmod(slow.c_str(), 0755);
    world_.Configure("[tools]\ngit = \"" + slow + "\"\n");
  }

  World world_;
};

TEST_F(OjPruneTest, PruneRemovesWhatIsCleanAndNamesWhatItKeeps) {
  Start();
  for (const char* id : {"clean", "dirty", "gone"}) Add(id);
  WriteFile(PathOf("dirty") + "/notes", "mine\n");
  const Ended look = world_.Oj({"workspace", "prune", "--all", "--dry-run"});
  EXPECT_THAT(look.out, HasSubstr("workspace clean would be removed"));
  EXPECT_TRUE(fs::exists(PathOf("clean")));
  const Ended pruned = world_.Oj({"workspace", "prune", "--all"});
  EXPECT_EQ(pruned.code, 4);
  EXPECT_THAT(pruned.out, HasSubstr("workspace clean removed"));
  EXPECT_THAT(pruned.err, HasSubstr("workspace 'dirty' stays: it has untracked files"));
  EXPECT_FALSE(fs::exists(PathOf("clean")));
  EXPECT_EQ(ReadFile(PathOf("dirty") + "/notes"), "mine\n");
}

TEST_F(OjPruneTest, InterruptTellsHowFarItWasAndTheNextPruneGoesOn) {
  SlowGit();
  Start();
  for (int i = 0; i < 10; ++i) Add("w" + std::to_string(i));
  const auto prune = world_.StartOj({"workspace", "prune", "--all"});
  ASSERT_TRUE(Eventually([&] { return prune->Err().find(" of 10 done") != std::string::npos; }));
  prune->Signal(SIGINT);
  const Ended ended = prune->Wait();
  EXPECT_EQ(ended.code, 130);
  EXPECT_THAT(ended.err, HasSubstr("oj: interrupted; the request was cancelled; done: "));
  EXPECT_THAT(ended.err, HasSubstr("remaining: "));
  ASSERT_TRUE(Eventually([this] { return world_.Quiet(); }));
  EXPECT_THAT(world_.Oj({"workspace", "list"}).out, HasSubstr("ready"));
  const Ended again = world_.Oj({"workspace", "prune", "--all"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(world_.Oj({"workspace", "list"}).out, "");
}

// The limit is that of one step: ten of them take longer.
TEST_F(OjPruneTest, PruneThatTakesLongerThanTheLimitEndsWellWhileThereAreSignsOfLife) {
  SlowGit();
  Start();
  for (int i = 0; i < 10; ++i) Add("w" + std::to_string(i));
  const Ended pruned = world_.Oj({"--timeout", "2000", "workspace", "prune", "--all"});
  std::printf("ten workspaces took %lld ms with a limit of 2000 ms\n",
              static_cast<long long>(pruned.took.count()));
  EXPECT_EQ(pruned.code, 0) << pruned.err;
}

// `oj` starts the next daemon itself and asks it again.
TEST_F(OjPruneTest, DaemonKilledInThePruneIsReplacedAndThePruneEndsWell) {
  SlowGit();
  Start();
  for (int i = 0; i < 10; ++i) Add("w" + std::to_string(i));
  const auto prune =
      world_.Start({kClientProgram, "--timeout", "10000", "workspace", "prune", "--all"});
  ASSERT_TRUE(Eventually([&] { return prune->Err().find(" of 10 done") != std::string::npos; }));
  world_.daemon().Signal(SIGKILL);
  world_.DaemonEnded();
  const Ended ended = prune->Wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(world_.Oj({"workspace", "list"}).out, "");
}

TEST_F(OjPruneTest, AgentIsRunListedSpokenToPeekedAtAndShowsHowItEnded) {
  Start();
  // tmux may lose what a program prints as it ends: this one ends when it is told to.
  const Ended run = world_.Oj({"agent", "run", "fixer", "--repo", Repo(), "--", "sh", "-c",
                               "read line; echo \"got $line\"; read line; exit 3"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(world_.Oj({"agent", "list"}).out, HasSubstr("running"));
  EXPECT_EQ(world_.Oj({"workspace", "drop", "fixer"}).code, 4);
  EXPECT_EQ(world_.Oj({"agent", "send", "fix", "some", "text"}).code, 0);
  EXPECT_TRUE(Eventually(
      [&] { return world_.Oj({"peek", "fixer"}).out.find("got some text") != std::string::npos; }));
  EXPECT_EQ(world_.Oj({"agent", "send", "fix", "bye"}).code, 0);
  EXPECT_TRUE(Eventually([&] {
    return world_.Oj({"agent", "show", "fixer"}).out.find("exited 3") != std::string::npos;
  }));
  EXPECT_THAT(world_.Oj({"agent", "peek", "fixer"}).out, HasSubstr("got some text"));
}

TEST_F(OjPruneTest, WordThatBeginsSeveralIdsListsThemAndExits4) {
  Start();
  Add("ab1");
  Add("ab2");
  const Ended dropped = world_.Oj({"workspace", "drop", "ab"});
  EXPECT_EQ(dropped.code, 4);
  EXPECT_THAT(dropped.err, HasSubstr("ab1, ab2"));
  EXPECT_EQ(world_.Oj({"workspace", "drop", "ab1"}).code, 0);
  EXPECT_THAT(world_.Oj({"workspace", "list"}).out, Not(HasSubstr("ab1")));
}

}  // namespace
}  // namespace oj::e2e
