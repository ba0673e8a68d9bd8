// Workspaces and the agents in them, where a tool fails or two requests meet.
#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kPath[] = "/state/workspaces/w1";
constexpr char kDrop[] = R"({"type":"WorkspaceDrop","id":"w1","force":true})";

class WorkspaceTest : public ServerTest {
 protected:
  WorkspaceTest() {
    WorkspaceRecord record;
    record.id = "w1";
    record.repo = "/repo";
    record.path = kPath;
    record.status = WorkspaceStatus::kReady;
    store.snapshot.workspaces.push_back(record);
    files.directories = {{"/repo", kPath}};
  }
  void FindsTheRepository() { runner.Answer("rev-parse", 0, "/repo/.git\n"); }
  // An agent that has ended, in the workspace.
  void KnowAgent() {
    AgentRecord agent;
    agent.id = "a";
    agent.session_id = "a";
    agent.workspace_id = "w1";
    agent.command = {"sh"};
    agent.status = AgentStatus::kGone;
    store.snapshot.agents.push_back(agent);
    SessionRecord session;
    session.id = "a";
    session.agent_id = "a";
    session.cwd = kPath;
    session.status = SessionStatus::kGone;
    store.snapshot.sessions.push_back(session);
  }
};

// L6: without its entries nobody knows what is to be deregistered.
TEST_F(WorkspaceTest, AListThatCrashesRemovesNothing) {
  FindsTheRepository();
  runner.Crashes("worktree list", 11);
  Serve();
  Peer peer = Connect();
  peer.Ask(kDrop);
  EXPECT_THAT(peer.Replies(), Contains(HasSubstr("list the worktrees")));
  EXPECT_THAT(files.steps, IsEmpty());
  EXPECT_TRUE(files.directories->contains(kPath));
}

// L7: the agent is about to live in it again.
TEST_F(WorkspaceTest, AResumeKeepsTheWorkspaceFromBeingRemovedMeanwhile) {
  KnowAgent();
  for (const char* each : {"kill-session", "has-session", "has-session"}) {
    runner.Answer(each, 1, "", "can't find session: a");
  }
  runner.Hangs("new-session");
  FindsTheRepository();
  Serve();
  Peer resume = Connect();
  resume.Ask(R"({"type":"AgentResume","agent_id":"a","kill":true})");
  ASSERT_THAT(runner.Commands(), Contains("new-session"));
  Peer drop = Connect();
  drop.Ask(kDrop);
  EXPECT_THAT(drop.Replies(), IsEmpty());
  EXPECT_THAT(runner.Commands(), Not(Contains("worktree list")));
  Peer locks = Connect();
  locks.Ask(R"({"type":"Locks"})");
  EXPECT_THAT(locks.Replies(), Contains(HasSubstr("workspace:w1")));
}

// L6: what it leaves in the repository would be in the way of every other workspace.
TEST_F(WorkspaceTest, WhatADyingAddLeavesIsTakenBackThoughTheDiskIsFull) {
  Serve();
  store.good_commits = 1;
  store.failure = Error{ErrorCode::kUnavailable, "state.db: database or disk is full", ""};
  FindsTheRepository();
  runner.Answer("rev-parse", 1, "");  // there is no such branch
  runner.Answer("rev-parse", 0, "aaaa\n");
  runner.Crashes("worktree add", 11);
  Peer peer = Connect();
  peer.Ask(R"({"type":"WorkspaceAdd","id":"w2","repo":"/repo"})");
  loop.Advance(10ms);
  EXPECT_THAT(peer.Replies(), Contains(HasSubstr("signal 11")));
  EXPECT_THAT(runner.Commands(), Contains("update-ref"));
}

// L2: also where nothing was begun that would have to be undone.
TEST_F(WorkspaceTest, ARunThatIsTooLateBeforeItHasBegunSaysSo) {
  runner.Hangs("rev-parse");
  Serve();
  Peer peer = Connect();
  peer.Ask(R"({"type":"AgentRun","name":"b","command":["sh"],"repo":"/repo","timeout_ms":1000})");
  loop.Advance(2s);
  EXPECT_THAT(peer.Replies(), Contains(HasSubstr("deadline_exceeded")));
}

}  // namespace
}  // namespace oj
