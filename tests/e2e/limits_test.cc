// Over a limit a client hears `busy` or `too_large`; the others are served on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <thread>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;

// Lesson: no limit on connections or children; the slot counts as free before the reap.
TEST(LimitsTest, ThreeHundredPeeksOnAHungServerAreCapped) {
  World world;
  world.Configure("[limits]\nmax_children = 20\n");
  ASSERT_TRUE(world.StartSession("work"));
  ASSERT_TRUE(world.StartDaemon());
  world.Freeze();
  std::vector<Wire> clients;
  for (int i = 1; i <= 300; ++i) {
    clients.push_back(world.Connect());
    clients.back().Send(Peek("work", i));
  }
  int busy = 0;
  for (Wire& client : clients) busy += Text(client.Receive(milliseconds(20)), "code") == "busy";
  // Whoever was too slow to answer within 20 ms above has its answer by now.
  EXPECT_TRUE(Eventually([&] { return world.Tools().size() <= 20; }));
  EXPECT_GT(busy, 200);
  EXPECT_TRUE(world.Answers());
  world.Thaw();
  EXPECT_TRUE(Eventually([&] { return world.Quiet(); }));
  EXPECT_EQ(Text(world.Connect().Ask(Peek("work")), "type"), "SessionPeek");
}

TEST(LimitsTest, ConnectionsBeyondTheLimitAreToldSo) {
  World world(Tmux::kFake);
  world.Configure("[limits]\nmax_connections = 4\n");
  ASSERT_TRUE(world.StartDaemon());
  std::vector<Wire> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(world.Connect());
    ASSERT_EQ(Text(clients.back().Ask({{"type", "Ping"}}), "type"), "Pong");
  }
  Wire late = world.Connect();
  const auto refused = late.Receive();
  EXPECT_EQ(Text(refused, "code"), "busy");
  EXPECT_THAT(Text(refused, "message"), HasSubstr("max_connections"));
  EXPECT_TRUE(late.Closes());
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] { return world.Answers(); }));
}

// Lesson: accept errors spin at 100 % CPU when descriptors run out.
TEST(LimitsTest, ADaemonWithoutDescriptorsRefusesRestsAndRecovers) {
  World world(Tmux::kFake);
  ASSERT_TRUE(world.StartDaemon());
  Wire first = world.Connect();
  ASSERT_EQ(Text(first.Ask({{"type", "Ping"}}), "type"), "Pong");
  const rlimit few{32, 32};
  ASSERT_EQ(prlimit(world.daemon().pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  {
    std::vector<Wire> clients;
    for (int i = 0; i < 64; ++i) clients.push_back(world.Connect());
    EXPECT_EQ(Text(first.Ask({{"type", "Ping"}}), "type"), "Pong");
    const milliseconds before = CpuTimeOf(world.daemon().pid());
    std::this_thread::sleep_for(milliseconds(1000));
    const milliseconds used = CpuTimeOf(world.daemon().pid()) - before;
    std::printf("CPU time in one second without descriptors: %ld ms\n",
                static_cast<long>(used.count()));
    EXPECT_LT(used.count(), 500);
    const auto busy = std::count_if(clients.begin(), clients.end(), [](Wire& client) {
      return Text(client.Receive(milliseconds(10)), "code") == "busy";
    });
    EXPECT_GT(busy, 0);
    EXPECT_EQ(Text(first.Ask({{"type", "Ping"}}), "type"), "Pong");
    // No descriptor is left for the pipes of a tool either: an error, no crash.
    EXPECT_EQ(Text(first.Ask(Peek("work")), "type"), "Error");
  }
  EXPECT_TRUE(Eventually([&] { return world.Answers(); }));
  EXPECT_TRUE(Eventually([&] { return Text(first.Ask(Peek("work")), "type") == "SessionPeek"; }));
}

// Lesson: no detection while the reply is being written.
TEST(LimitsTest, AClientThatNeverReadsItsReplyIsCutAndHoldsNoLock) {
  World world(Tmux::kFake);
  world.Set("OJ_TIMEOUT_RESPONSE_WRITE_MS", "400");
  world.Rules(
      "[[rule]]\ntool = \"tmux\"\nmatch = \"capture-pane\"\nnth = 1\nflood_bytes = 8000000\n");
  ASSERT_TRUE(world.StartDaemon());
  Wire deaf = world.Connect();
  deaf.Send(Peek("work"));
  EXPECT_TRUE(Eventually([&] {
    const auto status = world.Status();
    return status.at("requests_active").to_number<int>() == 0 &&
           status.at("counters").as_object().at("requests").to_number<int>() == 1;
  }));
  EXPECT_EQ(world.Status().at("locks_held").to_number<int>(), 0);
  EXPECT_EQ(world.Oj({"session", "send", "work", "x"}).code, 0);
  EXPECT_TRUE(deaf.HungUp(milliseconds(10000)));
  EXPECT_TRUE(world.Answers());
}

TEST(LimitsTest, AReplyThatIsTooLargeIsSaidToBe) {
  World world(Tmux::kFake);
  world.Configure("[limits]\nmax_reply_bytes = 1000\n");
  world.Rules("[[rule]]\ntool = \"tmux\"\nflood_bytes = 5000\n");
  ASSERT_TRUE(world.StartDaemon());
  const auto reply = world.Connect().Ask(Peek("work"));
  EXPECT_EQ(Text(reply, "code"), "too_large");
  EXPECT_THAT(Text(reply, "message"), HasSubstr("max_reply_bytes"));
}

}  // namespace
}  // namespace oj::e2e
