// A real tmux server that hangs (SIGSTOP): what the daemon's clients see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;

class HungTmuxTest : public testing::Test {
 protected:
  void SetUp() override {
    world_.Set("OJ_TIMEOUT_TMUX_MS", "100000");
    ASSERT_TRUE(world_.StartSession("work"));
    ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
    world_.Freeze();
  }
  bool Healed() {
    return Eventually([this] { return world_.Oj({"session", "peek", "work"}).code == 0; });
  }

  World world_;
};

// Lesson: a peek that times out is reported as "not found".
TEST_F(HungTmuxTest, APeekWithALimitFailsNamingToolAndLimit) {
  const Ended peek = world_.Oj({"--timeout", "1000", "session", "peek", "work"});
  EXPECT_EQ(peek.code, 124);
  EXPECT_THAT(peek.err, HasSubstr("within 1000 ms (--timeout), waiting for tmux"));
  EXPECT_LT(peek.took.count(), 3000);
  std::printf("a limit of 1000 ms took %ld ms: %s", static_cast<long>(peek.took.count()),
              peek.err.c_str());
  EXPECT_TRUE(Eventually([this] { return world_.Quiet(); }));
  world_.Thaw();
  EXPECT_TRUE(Healed());
}

TEST_F(HungTmuxTest, InterruptingOjKillsTheTmuxClient) {
  auto oj = world_.StartOj({"--timeout", "60000", "session", "peek", "work"});
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  const pid_t tool = world_.Tools().at(0);
  oj->Signal(SIGINT);
  EXPECT_EQ(oj->Wait().code, 130);
  EXPECT_TRUE(Eventually([tool] { return StateOf(tool) == 0; }));
  EXPECT_TRUE(Eventually([this] { return world_.Quiet(); }));
}

TEST_F(HungTmuxTest, PingIsAnsweredMeanwhile) {
  auto oj = world_.StartOj({"--timeout", "60000", "session", "peek", "work"});
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  EXPECT_EQ(world_.Oj({"ping"}).code, 0);
  EXPECT_THAT(world_.Oj({"requests"}).out, HasSubstr("PeekSession"));
  EXPECT_TRUE(oj->Running());
  world_.Thaw();
  const Ended peek = oj->Wait();
  EXPECT_EQ(peek.code, 0) << peek.err;
  EXPECT_THAT(peek.out, HasSubstr("hello"));
}

TEST_F(HungTmuxTest, TheOperatorCancelsARequestByItsName) {
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  const auto requests = world_.Connect().Ask({{"type", "Requests"}});
  const std::string id = Text(requests.at("requests").as_array().at(0).as_object(), "id");
  EXPECT_EQ(world_.Oj({"cancel", id}).code, 0);
  EXPECT_EQ(Text(client.Receive(), "code"), "cancelled");
  EXPECT_TRUE(world_.Tools().empty());
}

TEST_F(HungTmuxTest, KeysWhoseClientWasKilledAreQuarantinedUntilTheServerAnswers) {
  EXPECT_EQ(world_.Oj({"--timeout", "500", "session", "send", "work", "one"}).code, 124);
  const Ended next = world_.Oj({"session", "send", "work", "two"});
  EXPECT_EQ(next.code, 4) << next.err;
  EXPECT_THAT(next.err, HasSubstr("quarantine"));
  EXPECT_THAT(world_.daemon().Err(), HasSubstr("quarantined session:work"));
  EXPECT_THAT(world_.daemon().Err(), HasSubstr("request 2 refused: busy"));
  EXPECT_THAT(world_.Oj({"status"}).out, HasSubstr("session:work"));
  const Ended locks = world_.Oj({"locks"});
  EXPECT_THAT(locks.out, HasSubstr("session:work"));
  EXPECT_THAT(locks.out, HasSubstr("quarantine"));
  world_.Thaw();
  EXPECT_TRUE(
      Eventually([this] { return world_.Oj({"session", "send", "work", "three"}).code == 0; },
                 milliseconds(40000)));
  EXPECT_EQ(world_.Oj({"locks"}).out, "");
}

TEST_F(HungTmuxTest, AKillThatWasCancelledIsNotReportedAsDone) {
  const Ended killed = world_.Oj({"--timeout", "500", "session", "kill", "work"});
  EXPECT_EQ(killed.code, 124);
  EXPECT_THAT(killed.err, HasSubstr("may have taken effect"));
}

TEST_F(HungTmuxTest, EqualPeeksShareOneTmuxClient) {
  std::vector<Wire> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(world_.Connect());
  for (const Wire& client : clients) client.Send(Peek("work"));
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  clients.front().Close();
  EXPECT_EQ(world_.Tools().size(), 1U);
  world_.Thaw();
  for (std::size_t i = 1; i < clients.size(); ++i) {
    EXPECT_EQ(Text(clients[i].Receive(), "type"), "SessionPeek");
  }
}

TEST_F(HungTmuxTest, StoppingTheDaemonEndsItsTmuxClientsAndLeavesTheServer) {
  std::vector<Wire> clients;
  for (int i = 1; i <= 10; ++i) {
    clients.push_back(world_.Connect());
    clients.back().Send(Peek("work", i));
  }
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 10; }));
  const auto tools = world_.Tools();
  world_.daemon().Signal(SIGTERM);
  EXPECT_EQ(world_.DaemonEnded().code, 0);
  for (const pid_t tool : tools) EXPECT_FALSE(IsAlive(tool));
  const pid_t server = world_.TmuxServer();
  world_.Thaw();
  EXPECT_TRUE(IsAlive(server));
  EXPECT_EQ(world_.RunTmux({"has-session", "-t", "=work"}).code, 0);
}

}  // namespace
}  // namespace oj::e2e
