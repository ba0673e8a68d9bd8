// The watch over the programs of agents: what becomes of an agent when its program has ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class WatchTest : public ServerTest {
 protected:
  void SetUp() override {
    AgentRecord agent;
    agent.id = "a";
    agent.session_id = "a";
    agent.status = AgentStatus::kRunning;
    store.snapshot.agents.push_back(std::move(agent));
    KnowSession("a");
    Serve();
  }
  // As one look after the other finds it.
  void Looks(const std::string& pane) {
    runner.Answer("list-panes", 0, pane + "\n");
    loop.Advance(2s);
  }
  std::string Agents() {
    Peer peer = Connect();
    peer.Ask(R"({"type":"Query","query":{"type":"ListAgents"}})");
    const auto replies = peer.Replies();
    return replies.empty() ? "" : replies[0];
  }
};

TEST_F(WatchTest, AnEndThatTmuxMissedIsToldWithItsExitCodeOnceTmuxHasLookedAgain) {
  Looks("a 1 ");
  EXPECT_THAT(runner.Commands(), Contains("run-shell"));
  EXPECT_THAT(Agents(), HasSubstr(R"("status":"running")"));
  Looks("a 1 3");
  EXPECT_THAT(Agents(), HasSubstr(R"("exit":3)"));
}

TEST_F(WatchTest, AnEndWhoseExitCodeNobodyKnowsCountsTheSecondTime) {
  Looks("a 1 ");
  Looks("a 1 ");
  EXPECT_THAT(Agents(), HasSubstr(R"("status":"exited")"));
  const auto commands = runner.Commands();
  EXPECT_EQ(std::count(commands.begin(), commands.end(), "run-shell"), 1);
}

TEST_F(WatchTest, NothingIsAskedOfTmuxForAProgramThatRunsOrHasToldItsExitCode) {
  Looks("a 0 ");
  Looks("a 1 0");
  EXPECT_THAT(Agents(), HasSubstr(R"("status":"exited")"));
  EXPECT_THAT(runner.Commands(), Not(Contains("run-shell")));
}

}  // namespace
}  // namespace oj
