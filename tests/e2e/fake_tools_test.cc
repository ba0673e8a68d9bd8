// Tools that misbehave in ways that the real ones show only now and then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class FakeToolsTest : public testing::Test {
 protected:
  FakeToolsTest() { world_.Set("OJ_TIMEOUT_TMUX_MS", "1000"); }

  void Start(const std::string& behaviour) {
    world_.Rules("[[rule]]\ntool = \"tmux\"\n" + behaviour);
    ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  }
  // Every fake of this world, wherever its parent is.
  std::vector<pid_t> Fakes() const {
    std::vector<pid_t> fakes;
    for (const pid_t pid : RunningFrom(kFakeTmuxProgram)) {
      const std::string environment = ReadFile("/proc/" + std::to_string(pid) + "/environ");
      if (environment.find(world_.dir() + "/fake") != std::string::npos) fakes.push_back(pid);
    }
    return fakes;
  }
  boost::json::object Asked(const boost::json::object& request) {
    const auto begun = std::chrono::steady_clock::now();
    auto reply = world_.Connect().Ask(request);
    took_ = std::chrono::steady_clock::now() - begun;
    return reply;
  }
  void ExpectNothingLeft() {
    EXPECT_TRUE(Eventually([this] { return world_.Quiet(); }));
    EXPECT_THAT(Fakes(), IsEmpty());
  }

  World world_{Tmux::kFake};
  std::chrono::steady_clock::duration took_{};
};

TEST_F(FakeToolsTest, AToolThatIgnoresTermIsDeadWithItsLimit) {
  Start("hang = true\nignore_term = true\n");
  EXPECT_EQ(Text(Asked(Peek("work")), "code"), "tool_timeout");
  EXPECT_LT(took_, milliseconds(3000));
  ExpectNothingLeft();
}

// Lesson: output is read until pipe EOF, so a backgrounded grandchild stalls the call.
TEST_F(FakeToolsTest, AGrandchildThatHoldsThePipeHoldsUpNobodyAndIsKilled) {
  Start("grandchild = true\n");
  EXPECT_EQ(Text(Asked(Peek("work")), "type"), "SessionPeek");
  EXPECT_LT(took_, milliseconds(3000));
  ExpectNothingLeft();
}

TEST_F(FakeToolsTest, AGrandchildThatLeavesItsGroupIsFoundAndKilled) {
  Start("grandchild = true\nsetsid = true\n");
  EXPECT_EQ(Text(Asked(Peek("work")), "type"), "SessionPeek");
  EXPECT_LT(took_, milliseconds(3000));
  ExpectNothingLeft();
}

TEST_F(FakeToolsTest, AnEscapedGrandchildOfAHungToolIsKilledToo) {
  Start("grandchild = true\nsetsid = true\nhang = true\nignore_term = true\n");
  EXPECT_EQ(Text(Asked(Peek("work")), "code"), "tool_timeout");
  ExpectNothingLeft();
}

TEST_F(FakeToolsTest, AToolThatExitsZeroWhenKilledProvesNothing) {
  Start("match = \"kill-session\"\nhang = true\nexit_zero_on_term = true\n");
  const auto reply = Asked({{"type", "SessionKill"}, {"id", "work"}});
  EXPECT_EQ(Text(reply, "type"), "Error");
  ExpectNothingLeft();
}

TEST_F(FakeToolsTest, AFloodIsCutAndTheMemoryBounded) {
  world_.Configure("[limits]\nmax_output_bytes = 1000000\n");
  Start("flood_bytes = 1000000000\n");
  world_.Set("OJ_TIMEOUT_TMUX_MS", "20000");
  const long before = ResidentKiB(world_.daemon().pid());
  const auto reply = Asked(Peek("work"));
  EXPECT_EQ(Text(reply, "code"), "too_large");
  EXPECT_THAT(Text(reply, "message"), HasSubstr("max_output_bytes"));
  EXPECT_LT(ResidentKiB(world_.daemon().pid()) - before, 100L << 10);
  ExpectNothingLeft();
}

TEST_F(FakeToolsTest, AToolThatFailsIsQuotedNotTakenForAMissingSession) {
  Start("exit = 1\nerr = \"protocol version mismatch\"\n");
  const auto reply = Asked(Peek("work"));
  EXPECT_EQ(Text(reply, "code"), "tool_failed");
  EXPECT_THAT(Text(reply, "message"), HasSubstr("protocol version mismatch"));
}

TEST_F(FakeToolsTest, AToolThatCrashesIsNotSuccess) {
  Start("signal = 11\n");
  EXPECT_EQ(Text(Asked(Peek("work")), "code"), "tool_failed");
}

}  // namespace
}  // namespace oj::e2e
