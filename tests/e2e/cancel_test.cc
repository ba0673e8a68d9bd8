// Clients that go away: nothing of their requests is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

#include "world.h"

namespace oj::e2e {
namespace {

constexpr const char* kHang = "[[rule]]\ntool = \"tmux\"\nhang = true\n";

class CancelTest : public testing::Test {
 protected:
  // The tool's own limit must not be what ends it.
  CancelTest() { world_.Set("OJ_TIMEOUT_TMUX_MS", "100000"); }

  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  bool ToolRuns() {
    return Eventually([this] { return world_.Tools().size() == 1; });
  }
  bool Quiet() {
    return Eventually([this] { return world_.Quiet(); });
  }

  World world_{Tmux::kFake};
};

// Lesson: the cancellation token is set only after the handler has been dropped.
TEST_F(CancelTest, AKilledOjLeavesNoChildAndItsLeaseIsFree) {
  world_.Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"send-keys\"\nnth = 1\nhang = true\n");
  Start();
  auto oj = world_.StartOj({"--timeout", "60000", "session", "send", "work", "x"});
  ASSERT_TRUE(ToolRuns());
  const pid_t tool = world_.Tools().at(0);
  const auto killed = std::chrono::steady_clock::now();
  oj->Signal(SIGKILL);
  oj->Wait();
  EXPECT_TRUE(Eventually([tool] { return StateOf(tool) == 0; }));
  EXPECT_TRUE(Eventually([this] { return world_.Oj({"session", "send", "work", "y"}).code == 0; }));
  const auto took = std::chrono::steady_clock::now() - killed;
  std::printf("from kill -9 of oj to the next lease's reply: %ld ms\n",
              static_cast<long>(std::chrono::duration_cast<milliseconds>(took).count()));
  EXPECT_TRUE(Quiet());
}

// Lesson: any byte from the client counts as a disconnect.
TEST_F(CancelTest, BytesThatWaitDoNotHideADisconnect) {
  world_.Rules(kHang);
  Start();
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  ASSERT_TRUE(ToolRuns());
  client.Send({{"type", "Ping"}});
  client.SendBytes("\n");
  EXPECT_FALSE(client.HungUp(milliseconds(50)));
  EXPECT_EQ(world_.Tools().size(), 1U);
  client.Close();
  EXPECT_TRUE(Quiet());
}

TEST_F(CancelTest, ABufferFullOfPipelinedRequestsDoesNotHideADisconnect) {
  world_.Rules(kHang);
  world_.Configure("[limits]\nmax_request_bytes = 4096\n");
  Start();
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  ASSERT_TRUE(ToolRuns());
  std::string pings;
  while (pings.size() < 100000) pings += FrameOf(R"({"type":"Ping"})");
  client.SendBytes(pings);
  EXPECT_FALSE(client.HungUp(milliseconds(50)));
  EXPECT_EQ(world_.Tools().size(), 1U);
  client.Close();
  EXPECT_TRUE(Quiet());
}

TEST_F(CancelTest, AFullCloseCancelsWhereAHalfCloseIsKept) {
  world_.Rules(kHang);
  world_.Configure("[connection]\nhalf_close = \"keep\"\n");
  Start();
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  ASSERT_TRUE(ToolRuns());
  client.Close();
  EXPECT_TRUE(Quiet());
}

TEST_F(CancelTest, AHalfCloseCancelsByDefault) {
  world_.Rules(kHang);
  Start();
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  ASSERT_TRUE(ToolRuns());
  client.HalfClose();
  EXPECT_TRUE(Quiet());
}

TEST_F(CancelTest, AHalfCloseIsServedWhereItIsKept) {
  world_.Rules("[[rule]]\ntool = \"tmux\"\ndelay_ms = 200\n");
  world_.Configure("[connection]\nhalf_close = \"keep\"\n");
  Start();
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  client.HalfClose();
  EXPECT_EQ(Text(client.Receive(), "type"), "SessionPeek");
}

TEST_F(CancelTest, AClientInTheQueueForALockLeavesIt) {
  world_.Rules(kHang);
  Start();
  Wire holder = world_.Connect();
  holder.Send({{"type", "SessionSend"}, {"id", "work"}, {"input", "x"}});
  ASSERT_TRUE(ToolRuns());
  Wire waiter = world_.Connect();
  waiter.Send({{"type", "SessionKill"}, {"id", "work"}});
  const auto waits = [this](std::size_t requests) {
    return Eventually([&] {
      return world_.Connect().Ask({{"type", "Requests"}}).at("requests").as_array().size() ==
             requests;
    });
  };
  ASSERT_TRUE(waits(2));
  waiter.Close();
  EXPECT_TRUE(waits(1));
  EXPECT_EQ(world_.Tools().size(), 1U);
}

TEST_F(CancelTest, AThousandCancelsLeaveNoZombieAndNoDescriptor) {
  world_.Rules(kHang);
  Start();
  ASSERT_TRUE(Quiet());
  const std::size_t descriptors = DescriptorsOf(world_.daemon().pid()).size();
  for (int round = 0; round < 50; ++round) {
    std::vector<Wire> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(world_.Connect());
      clients.back().Send(Peek("work", i + 1));
    }
    // Some are cancelled in their tool, some on their way to it.
    if (round % 2 == 0) {
      ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 20; }));
    }
  }
  EXPECT_TRUE(Quiet());
  EXPECT_EQ(world_.Zombies(), 0U);
  EXPECT_TRUE(Eventually([&] {
    return DescriptorsOf(world_.daemon().pid()).size() == descriptors;
  })) << descriptors
      << " before, " << DescriptorsOf(world_.daemon().pid()).size() << " after";
}

}  // namespace
}  // namespace oj::e2e
