#include "scenario/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;

constexpr const char* kHead =
    R"({"dump":1,"config":{"timeouts.tmux":700,"connection.half_close":"cancel","log.level":"info"}})"
    "\n";

std::string At(int ms, const std::string& rest) {
  return R"({"at_ns":)" + std::to_string((1000 + ms) * 1'000'000) + R"(,"wall_ms":)" +
         std::to_string(5000 + ms) + "," + rest + "}\n";
}
std::string Peek(int ms, int connection) {
  return At(ms, R"("event":"request_received","connection":)" + std::to_string(connection) +
                    R"(,"text":"{\"type\":\"PeekSession\",\"session_id\":\"work\"}")");
}
std::string Process(int ms, const std::string& event, const std::string& text) {
  return At(ms,
            R"("event":"process_)" + event + R"(","request":1,"value":7,"text":")" + text + "\"");
}

std::string Recorded(const std::string& dump) {
  const auto text = ScenarioOf(dump, "d");
  EXPECT_TRUE(text) << text.error().message;
  if (!text) return "";
  const auto scenario = ParseScenario(*text, "s");
  EXPECT_TRUE(scenario) << scenario.error().message << *text;
  return *text;
}

TEST(Record, AHangIsARuleForThatCallAndItsClientExpectsTheSame) {
  const std::string text =
      Recorded(kHead + Peek(0, 1) + Process(1, "started", "tmux capture-pane -t =work: -p") +
               Process(2, "ended", "") + Process(2, "result", "exit 0") +
               At(3, R"("event":"replied","connection":1,"text":"SessionPeek")") + Peek(10, 2) +
               Process(11, "started", "tmux capture-pane -t =work: -p") +
               Process(711, "ended", "") + Process(711, "result", "timed out 9") +
               At(712, R"("event":"replied","connection":2,"text":"tool_timeout")"));
  EXPECT_THAT(text, HasSubstr("timeouts.tmux = 700"));
  EXPECT_THAT(text, HasSubstr("[[session]]\nid = \"work\""));
  EXPECT_THAT(text, HasSubstr("match = \"capture-pane -t =work:\"\nnth = 2\nhang = true"));
  EXPECT_THAT(text, HasSubstr("start_ms = 10"));
  EXPECT_THAT(text, HasSubstr("expect = \"tool_timeout\""));
}

TEST(Record, AClientThatLeftGivesUpThen) {
  const std::string text =
      Recorded(kHead + Peek(0, 1) + At(250, R"("event":"client_left","connection":1,"request":1)"));
  EXPECT_THAT(text, HasSubstr("give_up_ms = 250, expect = \"gave_up\""));
}

TEST(Record, ASlowToolAndOneThatFailedAreRules) {
  const std::string text =
      Recorded(kHead + Peek(0, 1) + Process(1, "started", "tmux capture-pane -t =work: -p") +
               Process(301, "ended", "") + Process(301, "result", "exit 1: no: such") +
               At(302, R"("event":"replied","connection":1,"text":"tool_failed")"));
  EXPECT_THAT(text, HasSubstr("delay_ms = 300\nexit = 1\nerr = \"no: such\""));
}

TEST(Record, WhatExistedBeforeIsSetUpAndWhatWasMadeLaterIsNot) {
  const std::string text = Recorded(
      std::string(kHead) +
      R"({"workspace":{"id":"w1","repo":"/home/me/p","created_at_ms":1}})"
      "\n"
      R"({"agent":{"id":"a1","session_id":"a1","workspace_id":"w1","status":"running","created_at_ms":2}})"
      "\n"
      R"({"session":{"id":"late","status":"live","created_at_ms":9999}})"
      "\n" +
      Peek(0, 1));
  EXPECT_THAT(text, HasSubstr("[[repo]]\npath = \"/repos/p\""));
  EXPECT_THAT(text, HasSubstr("[[workspace]]\nid = \"w1\"\nrepo = \"/repos/p\""));
  EXPECT_THAT(text, HasSubstr("[[agent]]\nid = \"a1\"\nworkspace = \"w1\""));
  EXPECT_THAT(text, testing::Not(HasSubstr("late")));
}

TEST(Record, ATornLastLineIsLeftOutAndAnotherFileIsRefused) {
  EXPECT_TRUE(ScenarioOf(kHead + Peek(0, 1) + R"({"at_ns":12)", "d"));
  const auto wrong = ScenarioOf("about = 1\n", "d");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("d:1: is no line of a dump"));
}

}  // namespace
}  // namespace oj::sim
