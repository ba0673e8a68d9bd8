// L5 for sessions: a reply is held against what tmux was since the request was sent.
#include "sim/session_truth.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace oj::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SessionTruthTest : public ::testing::Test {
 protected:
  SessionTruthTest() {
    tmux.Create("a", "hello");
    sent = tmux.version();
  }
  std::string Untrue(std::string_view reply, std::string_view type, std::string session = "a") {
    return UntrueOfSessions(tmux, boost::json::parse(reply).as_object(),
                            {type, std::move(session), sent});
  }
  void Run(std::vector<std::string> argv) {
    argv.insert(argv.begin(), "tmux");
    tmux.Execute(argv);
  }

  SimTmux tmux;
  std::uint64_t sent = 0;
};
constexpr const char* kOk = R"({"type":"Ok"})";

TEST_F(SessionTruthTest, AKilledSessionWasGoneAtSomeMoment) {
  EXPECT_THAT(Untrue(kOk, "SessionKill"), HasSubstr("was there all the time"));
  Run({"kill-session", "-t", "=a"});
  EXPECT_EQ(Untrue(kOk, "SessionKill"), "");
  tmux.Create("a", "");
  EXPECT_EQ(Untrue(kOk, "SessionKill"), "") << "another came after it";
  EXPECT_EQ(Untrue(kOk, "SessionKill", "b"), "") << "there never was one";
}

TEST_F(SessionTruthTest, APrunedSessionWasGoneToo) {
  const char* reply = R"({"type":"SessionsPruned","pruned":[{"id":"a"}]})";
  EXPECT_NE(Untrue(reply, "SessionPrune"), "");
  Run({"kill-session", "-t", "=a"});
  EXPECT_EQ(Untrue(reply, "SessionPrune"), "");
}

TEST_F(SessionTruthTest, ACreatedSessionWasThere) {
  const char* reply = R"({"type":"SessionCreated","id":"b"})";
  EXPECT_NE(Untrue(reply, "SessionNew", "b"), "");
  tmux.Create("b", "");
  Run({"kill-session", "-t", "=b"});
  EXPECT_EQ(Untrue(reply, "SessionNew", "b"), "");
}

TEST_F(SessionTruthTest, AResumedAgentHasASessionThatIsNew) {
  const char* reply = R"({"type":"AgentResumed","resumed":["a"]})";
  EXPECT_NE(Untrue(reply, "AgentResume"), "");
  Run({"kill-session", "-t", "=a"});
  EXPECT_NE(Untrue(reply, "AgentResume"), "");
  tmux.Create("a", "");
  EXPECT_EQ(Untrue(reply, "AgentResume"), "");
}

TEST_F(SessionTruthTest, WhatWasTypedCameSinceItWasAskedFor) {
  EXPECT_NE(Untrue(kOk, "SessionSend"), "");
  Run({"send-keys", "-t", "=a:", "-l", "--", "ls"});
  EXPECT_EQ(Untrue(kOk, "SessionSend"), "");
}

TEST_F(SessionTruthTest, APeekShowsAScreenSinceItWasAskedFor) {
  const auto peek = [&](const std::string& screen) {
    std::string text = SimTmux::Shown(screen);
    std::string escaped;
    for (const char c : text) escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
    return Untrue("{\"type\":\"SessionPeek\",\"output\":\"" + escaped + "\"}", "PeekSession");
  };
  EXPECT_EQ(peek("hello"), "");
  Run({"send-keys", "-t", "=a:", "-l", "--", "ls"});
  EXPECT_EQ(peek("hello"), "") << "while the request was in flight";
  EXPECT_EQ(peek("hellols"), "");
  sent = tmux.version();
  EXPECT_THAT(peek("hello"), HasSubstr("not on its screen"));
}

TEST_F(SessionTruthTest, RecordsAreHeldAgainstTmux) {
  StateSnapshot durable;
  SessionRecord session;
  session.id = "a";
  session.status = SessionStatus::kLive;
  AgentRecord agent;
  agent.id = "a";
  agent.session_id = "a";
  agent.status = AgentStatus::kRunning;
  durable.sessions = {session};
  durable.agents = {agent};
  EXPECT_THAT(UntrueRecords(tmux, durable), IsEmpty());
  durable.sessions[0].status = SessionStatus::kGone;
  durable.agents[0].status = AgentStatus::kGone;
  EXPECT_THAT(UntrueRecords(tmux, durable),
              ElementsAre(HasSubstr("recorded as gone"), HasSubstr("recorded as ended")));
  durable.agents[0].status = AgentStatus::kRunning;
  tmux.PowerOff();
  EXPECT_THAT(UntrueRecords(tmux, durable), ElementsAre(HasSubstr("recorded as running")));
}

TEST_F(SessionTruthTest, WhatADeadDaemonStartedMayComeWithoutItsRecord) {
  StateSnapshot durable;
  durable.sessions.emplace_back().id = "late";
  durable.sessions[0].status = SessionStatus::kGone;
  const std::uint64_t before = tmux.version();
  tmux.Create("late", "");
  AgentRecord& agent = durable.agents.emplace_back();
  agent.id = "agent";
  agent.session_id = "late";
  agent.status = AgentStatus::kGone;
  EXPECT_THAT(UntrueRecords(tmux, durable),
              ElementsAre(HasSubstr("'late' is recorded as gone"), HasSubstr("'agent'")));
  tmux.MarkLate(before);
  EXPECT_THAT(UntrueRecords(tmux, durable), IsEmpty());
}

}  // namespace
}  // namespace oj::sim
