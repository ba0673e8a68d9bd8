// What is interrupted on a real git: by a client that leaves, a limit, a stop, a kill of the daemon
// at any moment. A retry, or the next daemon, ends where an undisturbed run ends; nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "git_world.h"

namespace oj::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class InterruptedTest : public testing::Test {
 protected:
  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  void KillDaemon() {
    world_.daemon().Signal(SIGKILL);
    world_.DaemonEnded();
  }
  bool Quiet() {
    return Eventually([this] { return world_.Quiet(); });
  }
  std::string Flag() const { return world_.dir() + "/hooked"; }
  bool Hooked() {
    return Eventually([this] { return fs::exists(Flag()); });
  }
  // A checkout that gets stuck behind a hook, which says that it has begun.
  void HangCheckouts() { world_.Hook("post-checkout", "touch '" + Flag() + "'; sleep 60\n"); }
  void FreeCheckouts() { fs::remove(world_.repo() + "/.git/hooks/post-checkout"); }
  json::object AddRequest(const std::string& name) {
    return {{"type", "WorkspaceAdd"}, {"repo", world_.repo()}, {"name", name}};
  }
  void ExpectNothingOf(const std::string& name) {
    EXPECT_TRUE(world_.IsGone(name));
    EXPECT_FALSE(world_.HasBranch("oj/" + name));
    EXPECT_THAT(world_.Strays(), IsEmpty());
  }

  GitWorld world_;
};

// Lesson: only two of the handlers take the token; here and below all that run git or tmux do.
// Lesson: dropping the handler leaves the child running with its pipes closed.
// Lesson: no process group, so grandchildren outlive a kill.
TEST_F(InterruptedTest, AnAddWhoseClientLeavesIsUndoneWithItsHookAndARetryMakesIt) {
  HangCheckouts();
  Start();
  {
    Wire client = world_.Connect();
    client.Send(AddRequest("w1"));
    ASSERT_TRUE(Hooked());
  }
  EXPECT_TRUE(Quiet());
  ExpectNothingOf("w1");
  FreeCheckouts();
  EXPECT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
}

// Lesson: even a plain timeout leaves the child running.
TEST_F(InterruptedTest, AnAddPastTheLimitOfGitIsUndone) {
  world_.Set("OJ_TIMEOUT_GIT_WORKTREE_MS", "700");
  HangCheckouts();
  Start();
  EXPECT_EQ(Text(world_.Ask(AddRequest("w1")), "code"), "tool_timeout");
  EXPECT_TRUE(Quiet());
  ExpectNothingOf("w1");
}

TEST_F(InterruptedTest, AnAddPastTheLimitOfItsClientIsUndoneAndAnsweredInTime) {
  HangCheckouts();
  Start();
  json::object request = AddRequest("w1");
  request["timeout_ms"] = 2000;
  const auto begun = steady_clock::now();
  EXPECT_EQ(Text(world_.Ask(request), "code"), "deadline_exceeded");
  EXPECT_LT(steady_clock::now() - begun, milliseconds(2600));
  EXPECT_TRUE(Quiet());
  ExpectNothingOf("w1");
}

// C5, G5. Start-up finds and kills what the dead daemon left running, before its keys are given
// out.
TEST_F(InterruptedTest, AnAddWhoseDaemonIsKilledIsUndoneByTheNext) {
  HangCheckouts();
  Start();
  Wire client = world_.Connect();
  client.Send(AddRequest("w1"));
  ASSERT_TRUE(Hooked());
  KillDaemon();
  const auto left = world_.Strays();
  EXPECT_FALSE(left.empty()) << "git and its hook go on without their daemon";
  EXPECT_TRUE(world_.HasEntry("w1"));
  FreeCheckouts();
  Start();
  for (const pid_t pid : left) EXPECT_FALSE(IsAlive(pid)) << pid;
  EXPECT_TRUE(Eventually([this] { return world_.Workspace("w1").empty(); }));
  EXPECT_TRUE(Quiet());
  ExpectNothingOf("w1");
  EXPECT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
}

TEST_F(InterruptedTest, ADaemonThatStartsEndsNoProcessOfAnotherStateDirectory) {
  GitWorld other;
  const std::string flag = other.dir() + "/hooked";
  other.Hook("post-checkout", "touch '" + flag + "'; sleep 60\n");
  ASSERT_TRUE(other.StartDaemon());
  Wire client = other.Connect();
  client.Send({{"type", "WorkspaceAdd"}, {"repo", other.repo()}, {"name", "w1"}});
  ASSERT_TRUE(Eventually([&] { return fs::exists(flag); }));
  const auto running = other.Strays();
  ASSERT_FALSE(running.empty());
  Start();
  for (const pid_t pid : running) EXPECT_TRUE(IsAlive(pid));
}

// Lesson: prune dropped half-way leaves state and disk apart.
TEST_F(InterruptedTest, APruneWhoseClientLeavesLeavesWholeUnitsAndARetryFinishes) {
  Start();
  std::size_t partial = 0;
  for (int delay = 4; delay <= 60; delay += 8) {
    const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
    for (const std::string& each : names) {
      ASSERT_EQ(Text(world_.Add(each), "type"), "WorkspaceCreated");
    }
    WriteFile(world_.PathOf("c") + "/notes", "mine");
    const Contents kept = world_.Kept("c");
    {
      Wire client = world_.Connect();
      client.Send({{"type", "WorkspacePrune"}, {"all", true}, {"delete_branch", true}});
      std::this_thread::sleep_for(milliseconds(delay));
    }
    ASSERT_TRUE(Quiet());
    std::size_t left = 0;
    for (const std::string& each : names) {
      const bool recorded = !world_.Workspace(each).empty();
      left += recorded;
      EXPECT_EQ(recorded, fs::exists(world_.PathOf(each))) << each << " after " << delay << " ms";
      EXPECT_EQ(recorded, world_.HasEntry(each)) << each << " after " << delay << " ms";
    }
    partial += left > 1 && left < names.size();
    const auto again = world_.Prune({{"all", true}, {"delete_branch", true}});
    EXPECT_THAT(Ids(again, "failed"), ElementsAre("c"));
    EXPECT_EQ(world_.Kept("c"), kept);
    world_.Drop("c", {{"force", true}, {"delete_branch", true}});
    EXPECT_EQ(world_.GitSays(world_.repo(), {"for-each-ref", "--format=%(refname)"}),
              "refs/heads/main");
  }
  std::printf("prunes that were cut in the middle: %zu of 8\n", partial);
}

// Lesson: a retry starts a second removal on a path where the first still runs.
TEST_F(InterruptedTest, AStormOfRetriesNeverRemovesOnePathTwiceAtOnce) {
  // Says when the removal of a path begins and ends. A removal is never cut off.
  const std::string journal = world_.dir() + "/journal";
  const std::string wrapper = world_.dir() + "/git-that-tells";
  WriteFile(wrapper, R"(#!/bin/sh
case "$*" in
  *"worktree remove"*) for path; do :; done
    echo "begin $path" >> )" +
                         journal + R"(; sleep 0.05; git "$@"; code=$?
    echo "end $path" >> )" +
                         journal + R"(; exit $code ;;
esac
exec git "$@"
)");
  fs::permissions(wrapper, fs::perms::owner_all);
  world_.Configure("[tools]\ngit = \"" + wrapper + "\"\n");
  Start();
  for (int i = 0; i < 8; ++i) world_.Add("w" + std::to_string(i));
  const auto until = steady_clock::now() + milliseconds(1500);
  int asked = 0;
  while (steady_clock::now() < until) {
    std::vector<Wire> clients;
    for (int i = 0; i < 8; ++i, ++asked) {
      clients.push_back(world_.Connect());
      clients.back().Send({{"type", "WorkspaceDrop"}, {"id", "w" + std::to_string(i)}});
    }
    std::this_thread::sleep_for(milliseconds(30));
  }
  EXPECT_TRUE(Quiet());
  world_.Prune({{"all", true}});
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(world_.IsGone("w" + std::to_string(i)));
  std::map<std::string, int> running;
  std::istringstream lines(ReadFile(journal));
  int removals = 0;
  for (std::string event, path; lines >> event >> path;) {
    running[path] += event == "begin" ? 1 : -1;
    removals += event == "begin";
    EXPECT_LE(running[path], 1) << path;
  }
  EXPECT_EQ(removals, 8);
  std::printf("drops asked for and left: %d; removals begun: %d\n", asked, removals);
}

// A git that is killed (-9) while it holds the lock of its ref, by a hook that tells its pid.
class StrandedLockTest : public InterruptedTest {
 protected:
  std::string Lock() const { return world_.repo() + "/.git/refs/heads/oj/w1.lock"; }
  void HoldRefs() {
    world_.Hook("reference-transaction",
                "cat > /dev/null; [ \"$1\" = prepared ] || exit 0\n"
                "[ -e '" +
                    Flag() +
                    "' ] && exit 0\n"
                    "echo $PPID > '" +
                    Flag() + ".new'; mv '" + Flag() + ".new' '" + Flag() + "'; sleep 60\n");
  }
  pid_t Holder() { return Hooked() ? std::atoi(ReadFile(Flag()).c_str()) : 0; }
};

// G1, L6. On a repository of many files, as they have them in the field.
TEST_F(StrandedLockTest, WhatAKilledGitLeftIsRepairedAndARetrySucceeds) {
  for (int i = 0; i < 2000; ++i) WriteFile(world_.repo() + "/f" + std::to_string(i), "text\n");
  world_.GitSays(world_.repo(), {"add", "."});
  world_.GitSays(world_.repo(), {"commit", "-qm", "many"});
  HoldRefs();
  Start();
  Wire client = world_.Connect();
  client.Send(AddRequest("w1"));
  const pid_t git = Holder();
  ASSERT_GT(git, 0);
  ASSERT_TRUE(fs::exists(Lock()));
  ASSERT_EQ(kill(git, SIGKILL), 0);
  EXPECT_EQ(Text(client.Receive(milliseconds(30000)), "type"), "Error");
  EXPECT_TRUE(Quiet());
  ExpectNothingOf("w1");
  EXPECT_FALSE(fs::exists(Lock()));
  EXPECT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
}

TEST_F(StrandedLockTest, WhatAKilledDaemonAndItsGitLeftIsRepairedByTheNextDaemon) {
  HoldRefs();
  Start();
  Wire client = world_.Connect();
  client.Send(AddRequest("w1"));
  const pid_t git = Holder();
  ASSERT_GT(git, 0);
  KillDaemon();
  ASSERT_TRUE(fs::exists(Lock()));
  Start();
  EXPECT_TRUE(Eventually([this] { return world_.Intents().empty(); }));
  EXPECT_FALSE(IsAlive(git));
  EXPECT_FALSE(fs::exists(Lock()));
  EXPECT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
}

// G2
TEST_F(StrandedLockTest, AUsersLockIsNamedAndStays) {
  Start();
  fs::create_directories(world_.repo() + "/.git/refs/heads/oj");
  WriteFile(Lock(), "");
  const auto refused = world_.Add("w1");
  EXPECT_EQ(Text(refused, "code"), "busy") << json::serialize(refused);
  EXPECT_NE(Text(refused, "message").find(Lock()), std::string::npos) << json::serialize(refused);
  EXPECT_TRUE(fs::exists(Lock()));
  fs::remove(Lock());
  EXPECT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated");
}

// A plain stop leaves nothing half done to the next daemon.
TEST_F(InterruptedTest, AStopLetsTheUnitsUnderWayEnd) {
  std::size_t left = 0;
  for (int delay = 2; delay <= 40; delay += 4) {
    world_.Set("OJ_TIMEOUT_DRAIN_MS", "3000");
    Start();
    std::vector<Wire> clients;
    for (int i = 0; i < 4; ++i) world_.Add("w" + std::to_string(i));
    {
      Wire client = world_.Connect();
      client.Send({{"type", "WorkspacePrune"}, {"all", true}});
      std::this_thread::sleep_for(milliseconds(delay));
    }
    world_.daemon().Signal(SIGTERM);
    const Ended ended = world_.DaemonEnded();
    EXPECT_EQ(ended.code, 0);
    for (const std::string& intent : world_.Intents()) {
      EXPECT_TRUE(intent.starts_with("trash:")) << intent << " after " << delay << " ms";
    }
    left += world_.Trash().size();
    EXPECT_THAT(world_.Strays(), IsEmpty());
  }
  std::printf("directories left in the trash by 10 stops: %zu\n", left);
}

// A daemon that is killed at 50 random moments of adding and pruning.
class Massacre : public InterruptedTest {
 protected:
  static constexpr int kKills = 50;
  void SetUp() override {
    Start();
    world_.Add("mine");
    WriteFile(world_.PathOf("mine") + "/file", "changed\n");
    WriteFile(world_.PathOf("mine") + "/notes", "untracked\n");
    WriteFile(world_.PathOf("mine") + "/x.log", "ignored\n");
    WriteFile(world_.PathOf("mine") + "/other", "staged\n");
    world_.GitSays(world_.PathOf("mine"), {"add", "other"});
    kept_ = world_.Kept("mine");
  }
  // Requests that no one waits for.
  void Send(std::vector<Wire>& clients, const json::object& request) {
    clients.push_back(world_.Connect());
    clients.back().Send(request);
  }
  bool Settled() {
    return Eventually([this] {
      const auto intents = world_.Intents();
      return intents.empty() && world_.Trash().empty();
    });
  }

  Contents kept_;
  std::mt19937 random_{20240607};
};

TEST_F(Massacre, EverythingConvergesAndNothingIsLost) {
  int half_done = 0;
  for (int round = 0; round < kKills; ++round) {
    for (int i = 0; i < 3; ++i) world_.Add("p" + std::to_string(i));
    std::vector<Wire> clients;
    Send(clients, AddRequest("new"));
    Send(clients, {{"type", "WorkspacePrune"}, {"all", true}, {"delete_branch", true}});
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 60000));
    KillDaemon();
    half_done += !world_.Intents().empty();
    Start();
    ASSERT_TRUE(Settled()) << "round " << round << ": " << testing::PrintToString(world_.Intents());
    EXPECT_THAT(world_.Strays(), IsEmpty()) << "round " << round;
    ASSERT_EQ(world_.Kept("mine"), kept_) << "round " << round;
    const auto pruned = world_.Prune({{"all", true}, {"delete_branch", true}});
    EXPECT_THAT(Ids(pruned, "failed"), ElementsAre("mine")) << json::serialize(pruned);
    ASSERT_EQ(world_.Kept("mine"), kept_) << "round " << round;
    ASSERT_EQ(world_.GitSays(world_.repo(), {"for-each-ref", "--format=%(refname)"}),
              "refs/heads/main\nrefs/heads/oj/mine")
        << "round " << round;
    for (const char* name : {"p0", "p1", "p2", "new"}) {
      EXPECT_FALSE(fs::exists(world_.PathOf(name))) << name << " in round " << round;
      EXPECT_FALSE(world_.HasEntry(name)) << name << " in round " << round;
    }
  }
  std::printf("%d kills of the daemon, %d of them with something half done: all converged\n",
              kKills, half_done);
}

}  // namespace
}  // namespace oj::e2e
