#include "scenario/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kHead =
    R"({"dump":2,"config":{"timeouts.tmux":700,"connection.half_close":"cancel","log.level":"info"}})"
    "\n";

std::string At(std::int64_t ms, const std::string& rest) {
  return R"({"at_ns":)" + std::to_string((1000 + ms) * 1'000'000) + R"(,"wall_ms":)" +
         std::to_string(5000 + ms) + "," + rest + "}\n";
}
std::string Peek(int ms, int connection) {
  return At(ms, R"("event":"request_received","connection":)" + std::to_string(connection) +
                    R"(,"text":"{\"type\":\"PeekSession\",\"session_id\":\"work\"}")");
}
std::string Call(int ms, int connection, std::string request) {
  for (std::size_t at = 0; (at = request.find('"', at)) != std::string::npos; at += 2) {
    request.insert(at, 1, '\\');
  }
  return At(ms, R"("event":"request_received","connection":)" + std::to_string(connection) +
                    R"(,"text":")" + request + "\"");
}
std::string Replied(int ms, int connection, const std::string& outcome) {
  return At(ms, R"("event":"replied","connection":)" + std::to_string(connection) + R"(,"text":")" +
                    outcome + "\"");
}
std::string Begun(int ms, int connection, int request) {
  return At(ms, R"("event":"request_begun","connection":)" + std::to_string(connection) +
                    R"(,"request":)" + std::to_string(request));
}
std::string Started(int ms, const std::string& tool, const std::string& arguments,
                    const std::string& of = R"("request":1,)") {
  return At(ms, R"("event":"process_started",)" + of + R"("value":7,"tool":")" + tool +
                    R"(","arguments":)" + arguments);
}
std::string Ended(int ms, const std::string& result, const std::string& of = R"("request":1,)") {
  return At(ms, R"("event":"process_ended",)" + of + R"("value":7)") +
         At(ms, R"("event":"process_result",)" + of + R"("value":7,"text":")" + result + "\"");
}
constexpr const char* kCapture = R"(["capture-pane","-t","=work:","-p"])";

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
      Recorded(kHead + Peek(0, 1) + Started(1, "tmux", kCapture) + Ended(2, "exit 0") +
               Replied(3, 1, "SessionPeek") + Peek(10, 2) + Started(11, "tmux", kCapture) +
               Ended(711, "timed out 9") + Replied(712, 2, "tool_timeout"));
  EXPECT_THAT(text, HasSubstr("worlds = [\"sim\", \"fakes\"]"));
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
      Recorded(kHead + Peek(0, 1) + Started(1, "tmux", kCapture) + Ended(301, "exit 1: no: such") +
               Replied(302, 1, "tool_failed"));
  EXPECT_THAT(text, HasSubstr("delay_ms = 300\nexit = 1\nerr = \"no: such\""));
}

// Its path and what it said tell nothing of how it ended.
TEST(Record, AToolIsTheOneThatIsRecordedAndWasKilledIfItsStatusSaysSo) {
  const std::string text =
      Recorded(kHead + Peek(0, 1) +
               Started(1, "git", R"(["-C","/home/Acme Merger","-c","a=b","worktree","list"])") +
               Ended(301, "timed out 15: gave up after 9 s") + Replied(302, 1, "tool_timeout"));
  EXPECT_THAT(text, HasSubstr("tool = \"git\"\nmatch = \"worktree list\"\nnth = 1\nhang = true"));
  EXPECT_THAT(text, Not(HasSubstr("ignore_term")));
}

TEST(Record, WhereNothingHappensForDaysThatIsCut) {
  constexpr int kDay = 86'400'000;
  std::string polls;
  const std::string own;
  for (int i = 1; i < 1000; ++i) {
    polls += Started(5000 + 2000 * i, "tmux", R"(["list-panes","-a"])", own) +
             Ended(5001 + 2000 * i, "exit 0", own);
  }
  const std::string text =
      Recorded(R"({"dump":2,"lost":12,"config":{}})"
               "\n" +
               Peek(0, 1) + Replied(4, 1, "SessionPeek") + polls + Peek(kDay, 2) +
               Started(kDay + 1, "tmux", R"(["list-panes","-a"])") + Ended(kDay + 1, "signal 11") +
               Replied(kDay + 4, 2, "SessionPeek") + Peek(2 * kDay, 1) +
               Replied(2 * kDay + 3, 1, "SessionPeek"));
  EXPECT_THAT(text, HasSubstr("start_ms = 3004"));
  EXPECT_THAT(text, HasSubstr("until_ms = 6008"));
  EXPECT_THAT(text, HasSubstr("match = \"list-panes\"\nnth = 1\n"));
  EXPECT_THAT(text, HasSubstr("2 times in which nothing happened are cut by 172793 s in all"));
  EXPECT_THAT(text, HasSubstr("12 older events were not kept"));
}

TEST(Record, AnOperatorsCancelHitsTheSameRequestThoughItsNumberIsAnother) {
  const std::string cancel = R"({"type":"CancelRequest","id":"r57"})";
  const std::string text = Recorded(
      kHead + Call(0, 1, R"({"type":"DebugDump"})") + Begun(0, 1, 55) + Replied(1, 1, "DebugDump") +
      Peek(2, 2) + Begun(2, 2, 56) + Replied(3, 2, "SessionPeek") + Peek(4, 2) + Begun(4, 2, 57) +
      Call(9, 3, cancel) + Replied(9, 3, "Ok") + Replied(10, 2, "cancelled") +
      Call(20, 4, R"({"type":"CancelRequest","id":"r3"})") + Replied(20, 4, "Ok") +
      Call(30, 5, R"({"type":"CancelRequest","id":"r4"})") + Replied(30, 5, "not_found"));
  EXPECT_THAT(text, HasSubstr(R"(type = "CancelRequest", id = "r2" }, expect = "Ok")"));
  EXPECT_THAT(text, HasSubstr(R"(type = "CancelRequest", id = "r0" }, expect = "not_found")"));
  EXPECT_THAT(text, Not(HasSubstr("connection 4")));
  EXPECT_THAT(text, HasSubstr("1 cancels are left out"));
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
  EXPECT_THAT(text, Not(HasSubstr("late")));
}

TEST(Record, WhatWasDroppedInTheStoryWasThereBeforeAndWhatWasKeptHasAFile) {
  const std::string text = Recorded(
      kHead + Call(0, 1, R"({"type":"WorkspaceDrop","id":"gone"})") +
      Replied(1, 1, "WorkspacesDropped") + Call(2, 1, R"({"type":"WorkspaceDrop","id":"dirty"})") +
      Replied(3, 1, "conflict") + Call(4, 1, R"({"type":"WorkspaceDrop","id":"no"})") +
      Replied(5, 1, "not_found") +
      Call(6, 1, R"({"type":"WorkspaceAdd","name":"new","repo":"/home/me/p"})") +
      Replied(7, 1, "WorkspaceCreated") + Call(8, 1, R"({"type":"WorkspaceDrop","id":"new"})") +
      Replied(9, 1, "WorkspacesDropped") +
      Call(10, 1, R"({"type":"AgentSend","agent_id":"a1","message":"m"})") +
      Replied(11, 1, "conflict"));
  EXPECT_THAT(text, HasSubstr("[[workspace]]\nid = \"gone\"\nrepo = \"/repos/p\"\n\n"));
  EXPECT_THAT(text, HasSubstr("id = \"dirty\"\nrepo = \"/repos/p\"\nstate = \"untracked\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("[[workspace]]\nid = \"no\"")));
  EXPECT_THAT(text, Not(HasSubstr("[[workspace]]\nid = \"new\"")));
  EXPECT_THAT(text, HasSubstr("[[agent]]\nid = \"a1\"\nruns = false\n"));
  EXPECT_THAT(text, HasSubstr("what workspaces held is not known"));
}

TEST(Record, ARequestThatNoScenarioCanSayIsLeftOutAndTheRestIsTold) {
  const std::string text = Recorded(
      kHead + Call(0, 1, "{}") + Call(1, 2, R"({"type":"Ping","x":["a",null]})") +
      Call(2, 3, R"({"type":"Ping","x":18446744073709551615})") + Peek(3, 4) + R"({"at_ns":12)");
  EXPECT_THAT(text, HasSubstr("1 requests are left out, for they are none"));
  EXPECT_THAT(text, HasSubstr("2 requests are left out, for no scenario can say them"));
  EXPECT_THAT(text, HasSubstr("the last line of the dump is torn"));
  EXPECT_THAT(text, HasSubstr("connection 4"));
}

TEST(Record, OneRepositoryHasOneNameAndIsBelowTheRunsPlace) {
  std::string dump = kHead;
  int at = 0;
  for (const char* path :
       {"/home/me/p", "/home/me/p/", "/home/me/x/../p", "/..", "/", "/srv/p/."}) {
    const std::string add = R"({"type":"WorkspaceAdd","repo":")" + std::string(path) + "\"}";
    ++at;
    dump += Call(at, at, add) + Replied(at, at, "not_found");
  }
  const auto scenario = ParseScenario(Recorded(dump), "s");
  ASSERT_TRUE(scenario);
  std::vector<std::string> paths;
  for (const RepoSetup& each : scenario->repos) paths.push_back(each.path);
  EXPECT_THAT(paths, testing::UnorderedElementsAre("/repos/p", "/repos/px", "/repos/repo"));
}

TEST(Record, WhatIsMoreThanAScenarioMayHaveIsLeftOutAndTold) {
  constexpr int kDay = 86'400'000;
  const std::string dump = kHead + Peek(0, 1) + Peek(5, 3) + Replied(6, 3, "ok") +
                           Replied(kDay + 5, 1, "ok") + Peek(kDay + 5, 2) +
                           Replied(kDay + 6, 2, "ok");
  const std::string text = Recorded(dump);
  EXPECT_THAT(text, HasSubstr("1 requests are left out, for they came or lasted more than a day"));
  EXPECT_THAT(text, HasSubstr("connection 3"));
}

TEST(Record, OfVeryManyRequestsTheNewestAreTold) {
  std::string dump = kHead;
  for (int i = 0; i < 50'000; ++i) dump += Peek(i, 1) + Replied(i, 1, "ok");
  EXPECT_THAT(Recorded(dump), HasSubstr("5000 requests are left out, for there are 45000 newer"));
}

TEST(Record, AnErrorNamesTheLine) {
  const auto why = [](const std::string& dump) {
    const auto recorded = ScenarioOf(dump, "d");
    return recorded ? "" : recorded.error().message;
  };
  EXPECT_THAT(why("about = 1\n"), HasSubstr("d:1: is no line of a dump"));
  EXPECT_THAT(why("[1]\n"), HasSubstr("d:1: is no line of a dump"));
  EXPECT_THAT(why("{\"dump\":3,\"config\":{}}\n"), HasSubstr("d:1: is a dump of format 3"));
  EXPECT_THAT(why(R"({"dump":2,"config":1})"), HasSubstr("d:1: is no line of a dump"));
  EXPECT_THAT(why(kHead), HasSubstr("d:1: no whole request"));
  for (const char* line :
       {R"({"session":1})", R"({"agent":{"created_at_ms":"x"}})", R"({"at_ns":1e300})",
        R"({"at_ns":-1})", R"({"at_ns":1,"event":"process_started","arguments":[1]})"}) {
    EXPECT_THAT(why(kHead + std::string(line) + "\n"), HasSubstr("d:2: is no line of a dump"))
        << line;
  }
}

}  // namespace
}  // namespace oj::sim
