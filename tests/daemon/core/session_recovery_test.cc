// What a daemon finds of the sessions and agents of another one: tmux decides.
#include "core/agents.h"
#include "recovery_fixture.h"

namespace oj {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Sessions: a timeout means unknown; an answer decides.
TEST_F(RecoveryTest, ASessionBesideAHungTmuxIsUnknownUntilItAnswers) {
  config.tmux = 1s;
  for (const char* id : {"lives", "ended"}) {
    SessionRecord record;
    record.id = id;
    record.status = SessionStatus::kLive;
    store.snapshot.sessions.push_back(record);
  }
  runner.Hangs("list-panes");
  runner.Answer("list-panes", 0, "lives 0 \nother 0 \n");
  Serve();
  constexpr char kList[] = R"({"type":"Query","query":{"type":"ListSessions"}})";
  loop.Advance(1s);
  EXPECT_THAT(Ask(kList), Not(HasSubstr(R"("status":"live")")));
  EXPECT_THAT(Ask(kList), Not(HasSubstr("gone")));
  loop.Advance(2s);
  EXPECT_THAT(Ask(kList), HasSubstr(R"("status":"gone")"));
  EXPECT_THAT(Ask(kList), HasSubstr(R"("status":"live")"));
}

// An agent whose start another daemon began.
class RunRecoveryTest : public RecoveryTest {
 protected:
  void KnowRun(bool undo) {
    AgentRecord agent;
    agent.id = "a";
    agent.session_id = "a";
    agent.status = AgentStatus::kStarting;
    store.snapshot.agents.push_back(agent);
    SessionRecord session;
    session.id = "a";
    session.agent_id = "a";
    store.snapshot.sessions.push_back(session);
    IntentRecord intent{RunIntentId("a"), "run", "a", R"({"repo":"","undo":false})", 0};
    if (undo) intent.detail = R"({"repo":"","undo":true})";
    store.snapshot.intents.push_back(intent);
    runner.Answer("list-panes", 0, "a 0 \n");
  }
  std::string Agents() { return Ask(R"({"type":"Query","query":{"type":"ListAgents"}})"); }
};

TEST_F(RunRecoveryTest, RunsOnWhereItsSessionIsThere) {
  KnowRun(false);
  Serve();
  EXPECT_THAT(Agents(), HasSubstr(R"("status":"running")"));
  EXPECT_THAT(Intents(), IsEmpty());
  EXPECT_THAT(runner.Commands(), Not(Contains("kill-session")));
}

TEST_F(RunRecoveryTest, IsUndoneWhereItsSessionIsNotThere) {
  KnowRun(false);
  for (int i = 0; i < 2; ++i) runner.Answer("has-session", 1, "", "can't find session: a");
  runner.Answer("kill-session", 1, "", "can't find session: a");
  Serve();
  EXPECT_THAT(Agents(), HasSubstr(R"("agents":[])"));
  EXPECT_THAT(Intents(), IsEmpty());
}

TEST_F(RunRecoveryTest, IsKilledWhereItsClientWasToldThatItDidNotStart) {
  KnowRun(true);
  runner.Answer("has-session", 1, "", "can't find session: a");
  Serve();
  EXPECT_THAT(runner.Commands(), Contains("kill-session"));
  EXPECT_THAT(Agents(), HasSubstr(R"("agents":[])"));
  EXPECT_THAT(Intents(), IsEmpty());
}

// The daemon's own work begins a unit even while the daemon stops, and it is seen through.
TEST_F(RunRecoveryTest, IsUndoneByADaemonThatIsStoppedMeanwhile) {
  KnowRun(false);
  for (int i = 0; i < 2; ++i) runner.Answer("has-session", 1, "", "can't find session: a");
  runner.Answer("kill-session", 1, "", "can't find session: a");
  runner.EndsAllTheSame("has-session", 100ms);
  Serve();
  ASSERT_THAT(runner.Commands(), Not(Contains("kill-session")));
  server->Stop();
  loop.Advance(200ms);
  EXPECT_TRUE(ended.has_value());
  EXPECT_THAT(runner.Commands(), Contains("kill-session"));
  EXPECT_THAT(Intents(), IsEmpty());
}

TEST_F(RunRecoveryTest, WaitsForATmuxThatHangs) {
  config.tmux = 1s;
  KnowRun(true);
  runner.Hangs("kill-session");
  Serve();
  loop.Advance(1s);
  EXPECT_THAT(Intents(), ElementsAre("run:a"));
  runner.Answer("has-session", 1, "", "can't find session: a");
  for (int i = 0; i < 100; ++i) loop.Advance(100ms);
  EXPECT_THAT(Intents(), IsEmpty());
}

}  // namespace
}  // namespace oj
