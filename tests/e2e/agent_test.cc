// Agents on the real tmux, on worktrees of the real git: started and resumed as units, seen to end,
// and never robbed of the workspace that they are in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "git_world.h"

namespace oj::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AgentTest : public testing::Test {
 protected:
  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  json::object Run(const std::string& name, const std::string& script) {
    return world_.Ask({{"type", "AgentRun"},
                       {"name", name},
                       {"command", {"sh", "-c", script, "agent"}},
                       {"repo", world_.repo()}});
  }
  json::object Agent(const std::string& id) {
    const auto reply = world_.Ask({{"type", "Query"}, {"query", {{"type", "ListAgents"}}}});
    for (const json::value& each : reply.at("agents").as_array()) {
      if (Text(each.get_object(), "id") == id) return each.get_object();
    }
    return {};
  }
  bool Becomes(const std::string& id, const std::string& status) {
    return Eventually([&] { return Text(Agent(id), "status") == status; });
  }
  bool HasSession(const std::string& id) {
    return world_.RunTmux({"has-session", "-t", "=" + id}).code == 0;
  }
  pid_t PidIn(const std::string& session) {
    return std::atoi(
        world_.RunTmux({"display-message", "-p", "-t", "=" + session + ":", "#{pane_pid}"})
            .out.c_str());
  }
  json::object Resume(const std::string& id, bool kill) {
    return world_.Ask({{"type", "AgentResume"}, {"agent_id", id}, {"kill", kill}});
  }
  bool NothingOfAgents() {
    const auto agents = world_.Ask({{"type", "Query"}, {"query", {{"type", "ListAgents"}}}});
    const auto spaces = world_.Ask({{"type", "Query"}, {"query", {{"type", "ListWorkspaces"}}}});
    const auto sessions = world_.Ask({{"type", "Query"}, {"query", {{"type", "ListSessions"}}}});
    return agents.at("agents").as_array().empty() && spaces.at("workspaces").as_array().empty() &&
           sessions.at("sessions").as_array().empty();
  }
  // Only the repository itself is checked out, and only `main` is there.
  void ExpectBareRepository() {
    EXPECT_EQ(world_.GitSays(world_.repo(), {"for-each-ref", "--format=%(refname)"}),
              "refs/heads/main");
    EXPECT_FALSE(fs::exists(world_.repo() + "/.git/worktrees") &&
                 !fs::is_empty(world_.repo() + "/.git/worktrees"));
    EXPECT_TRUE(Eventually([this] { return world_.Trash().empty() && world_.Intents().empty(); }));
  }

  GitWorld world_;
};

TEST_F(AgentTest, RunsOnAWorkspaceOfItsOwnIsTypedToAndItsEndIsSeenWithItsCode) {
  Start();
  // tmux may lose what a program prints as it ends: this one ends when it is told to.
  const auto started = Run("fix", "pwd; read line; echo \"got $line\"; read line; exit 7");
  ASSERT_EQ(Text(started, "type"), "AgentStarted") << json::serialize(started);
  const std::string id = Text(started, "agent_id");
  EXPECT_THAT(id, testing::StartsWith("fix-"));
  EXPECT_EQ(Text(Agent(id), "status"), "running");
  EXPECT_EQ(Text(Agent(id), "workspace_id"), Text(started, "workspace_id"));
  EXPECT_TRUE(fs::exists(world_.PathOf(id) + "/file"));
  const auto sent =
      world_.Ask({{"type", "AgentSend"}, {"agent_id", id}, {"message", "hello there"}});
  EXPECT_EQ(Text(sent, "type"), "Ok") << json::serialize(sent);
  std::string screen;
  EXPECT_TRUE(Eventually([&] {
    screen = Text(world_.Ask(Peek(id)), "output");
    return screen.find("got hello there") != std::string::npos;
  }));
  EXPECT_THAT(screen, HasSubstr(world_.PathOf(id)));
  world_.Ask({{"type", "AgentSend"}, {"agent_id", id}, {"message", "bye"}});
  EXPECT_TRUE(Becomes(id, "exited"));
  EXPECT_EQ(Agent(id).at("exit").to_number<int>(), 7);
  EXPECT_THAT(Text(world_.Ask(Peek(id)), "output"), HasSubstr("got hello there"));
}

TEST_F(AgentTest, OneWhoseSessionIsKilledByOthersIsGone) {
  Start();
  const std::string id = Text(Run("fix", "exec cat"), "agent_id");
  world_.RunTmux({"kill-session", "-t", "=" + id});
  EXPECT_TRUE(Becomes(id, "gone"));
}

// Lesson: prune removes workspaces in use.
TEST_F(AgentTest, TheWorkspaceOfALiveAgentStaysAlsoWithForceAndGoesWhenItHasEnded) {
  Start();
  const std::string id = Text(Run("fix", "read line; exit 0"), "agent_id");
  for (const bool force : {false, true}) {
    const auto refused = world_.Drop(id, {{"force", force}});
    EXPECT_EQ(Text(refused, "code"), "conflict");
    EXPECT_THAT(Text(refused, "message"), HasSubstr("in use by agent '" + id + "'"));
    const auto pruned = world_.Prune({{"all", true}, {"force", force}});
    EXPECT_THAT(Ids(pruned, "pruned"), IsEmpty());
    EXPECT_EQ(pruned.at("skipped").to_number<int>(), 1);
  }
  EXPECT_TRUE(fs::exists(world_.PathOf(id) + "/file"));
  const auto spared = world_.Ask({{"type", "SessionPrune"}, {"all", true}});
  EXPECT_EQ(spared.at("skipped").to_number<int>(), 1) << "a live agent's session stays too";
  world_.Ask({{"type", "AgentSend"}, {"agent_id", id}, {"message", "go"}});
  ASSERT_TRUE(Becomes(id, "exited"));
  EXPECT_THAT(Ids(world_.Prune({{"all", true}}), "pruned"), ElementsAre(id));
  EXPECT_TRUE(world_.IsGone(id));
  EXPECT_THAT(Ids(world_.Ask({{"type", "SessionPrune"}, {"all", true}}), "pruned"),
              ElementsAre(id));
  EXPECT_FALSE(HasSession(id));
}

TEST_F(AgentTest, OneThatCannotStartForLackOfTmuxLeavesNothing) {
  world_.Configure("[tools]\ntmux = \"/nowhere/tmux\"\n");
  Start();
  EXPECT_EQ(Text(Run("fix", "exec cat"), "code"), "tool_missing");
  EXPECT_TRUE(NothingOfAgents());
  ExpectBareRepository();
}

TEST_F(AgentTest, OneWhoseStartHangsLeavesNothingOnceTmuxAnswers) {
  world_.Set("OJ_TIMEOUT_TMUX_MS", "300");
  Start();
  ASSERT_TRUE(world_.StartSession("other"));
  world_.Freeze();
  EXPECT_EQ(Text(Run("fix", "exec cat"), "code"), "tool_timeout");
  EXPECT_TRUE(world_.Answers());
  EXPECT_EQ(Text(world_.Add("w1"), "type"), "WorkspaceCreated") << "git needs no tmux";
  world_.Drop("w1", {{"delete_branch", true}});
  world_.Thaw();
  EXPECT_TRUE(Eventually([this] { return NothingOfAgents(); }, milliseconds(15000)));
  ExpectBareRepository();
  EXPECT_EQ(world_.RunTmux({"list-sessions", "-F", "#{session_name}"}).out, "other\n");
  EXPECT_TRUE(Eventually([this] { return world_.Quiet(); }));
}

TEST_F(AgentTest, OneWhoseClientLeavesDuringTheCheckoutLeavesNothing) {
  world_.Hook("post-checkout", "touch '" + world_.dir() + "/hooked'; sleep 60\n");
  Start();
  {
    Wire client = world_.Connect();
    client.Send(
        {{"type", "AgentRun"}, {"name", "fix"}, {"command", {"cat"}}, {"repo", world_.repo()}});
    ASSERT_TRUE(Eventually([this] { return fs::exists(world_.dir() + "/hooked"); }));
  }
  EXPECT_TRUE(Eventually([this] { return world_.Quiet(); }));
  EXPECT_TRUE(NothingOfAgents());
  ExpectBareRepository();
}

TEST_F(AgentTest, ARunThatADaemonDiedInIsOneAgentWhenItIsAskedForOnceMore) {
  world_.Hook("post-checkout", "[ -e '" + world_.dir() + "/hooked' ] && exit 0\ntouch '" +
                                   world_.dir() + "/hooked'; sleep 60\n");
  Start();
  const json::object run{{"type", "AgentRun"},
                         {"name", "fix"},
                         {"command", {"cat"}},
                         {"repo", world_.repo()},
                         {"request_id", "once"}};
  Wire client = world_.Connect();
  client.Send(run);
  ASSERT_TRUE(Eventually([this] { return fs::exists(world_.dir() + "/hooked"); }));
  world_.daemon().Signal(SIGKILL);
  world_.DaemonEnded();
  Start();
  const auto started = world_.Ask(run);
  ASSERT_EQ(Text(started, "type"), "AgentStarted") << json::serialize(started);
  const std::string id = Text(started, "agent_id");
  EXPECT_TRUE(HasSession(id));
  EXPECT_TRUE(fs::exists(world_.PathOf(id) + "/file"));
  const auto agents = world_.Ask({{"type", "Query"}, {"query", {{"type", "ListAgents"}}}});
  EXPECT_EQ(agents.at("agents").as_array().size(), 1U);
  EXPECT_EQ(world_.GitSays(world_.repo(), {"for-each-ref", "--format=%(refname)"}),
            "refs/heads/main\nrefs/heads/oj/" + id);
}

TEST_F(AgentTest, AResumeStartsItsProgramAnewWithTheArgumentForIt) {
  Start();
  const std::string id = Text(Run("fix", "echo \"run $*.\"; exec cat"), "agent_id");
  const pid_t first = PidIn(id);
  const auto running = Resume(id, false);
  EXPECT_THAT(Ids(running, "resumed"), IsEmpty()) << "it runs";
  EXPECT_EQ(PidIn(id), first);
  const auto resumed = Resume(id, true);
  EXPECT_THAT(Ids(resumed, "resumed"), ElementsAre(id)) << json::serialize(resumed);
  EXPECT_TRUE(Eventually([&] {
    return Text(world_.Ask(Peek(id)), "output").find("run --resume.") != std::string::npos;
  }));
  EXPECT_TRUE(Eventually([&] { return !IsAlive(first); }));
  EXPECT_EQ(Text(Agent(id), "status"), "running");
}

// Lesson: AgentResume kills all, then resumes all: a disconnect in between leaves agents dead.
TEST_F(AgentTest, AResumeOfAllWhoseClientLeavesLeavesEachAgentAliveOrUntouched) {
  Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(Text(Run("a" + std::to_string(i), "exec cat"), "agent_id"));
  }
  for (int delay = 0; delay < 60; delay += 6) {
    {
      Wire client = world_.Connect();
      client.Send({{"type", "AgentResume"}, {"agent_id", ""}, {"all", true}, {"kill", true}});
      std::this_thread::sleep_for(milliseconds(delay));
    }
    ASSERT_TRUE(Eventually([this] { return world_.Quiet(); }));
    for (const std::string& id : ids) {
      EXPECT_TRUE(HasSession(id)) << id << " after " << delay << " ms";
      EXPECT_TRUE(IsAlive(PidIn(id))) << id << " after " << delay << " ms";
      EXPECT_EQ(Text(Agent(id), "status"), "running") << id << " after " << delay << " ms";
    }
  }
}

// Reconcile: a timeout means unknown, and nothing is declared dead.
TEST_F(AgentTest, ADaemonThatStartsBesideAHungTmuxDeclaresNobodyDead) {
  world_.Set("OJ_TIMEOUT_TMUX_MS", "300");
  Start();
  const std::string id = Text(Run("fix", "exec cat"), "agent_id");
  world_.daemon().Signal(SIGKILL);
  world_.DaemonEnded();
  world_.Freeze();
  Start();
  const auto session = [&] {
    return world_.Ask({{"type", "Query"}, {"query", {{"type", "GetSession"}, {"id", id}}}})
        .at("session")
        .as_object();
  };
  EXPECT_TRUE(Eventually([&] { return Text(session(), "status") == "unknown"; }));
  EXPECT_EQ(Text(Agent(id), "status"), "running");
  EXPECT_EQ(Text(world_.Drop(id, {{"force", true}}), "code"), "conflict");
  world_.Thaw();
  EXPECT_TRUE(Eventually([&] { return Text(session(), "status") == "live"; }));
  EXPECT_EQ(Text(Agent(id), "status"), "running");
}

TEST_F(AgentTest, ADaemonThatStartsSeesWhoEndedMeanwhile) {
  Start();
  const std::string ends = Text(Run("ends", "read line; exit 3"), "agent_id");
  const std::string killed = Text(Run("killed", "exec cat"), "agent_id");
  const std::string lives = Text(Run("lives", "exec cat"), "agent_id");
  world_.daemon().Signal(SIGTERM);
  world_.DaemonEnded();
  world_.RunTmux({"send-keys", "-t", "=" + ends + ":", "x", "Enter"});
  world_.RunTmux({"kill-session", "-t", "=" + killed});
  Start();
  EXPECT_TRUE(Becomes(ends, "exited"));
  EXPECT_EQ(Agent(ends).at("exit").to_number<int>(), 3);
  EXPECT_TRUE(Becomes(killed, "gone"));
  EXPECT_EQ(Text(Agent(lives), "status"), "running");
}

}  // namespace
}  // namespace oj::e2e
