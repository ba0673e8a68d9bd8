#include "core/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dump.h"
#include "core/judged.h"
#include "core/protocol.h"
#include "core/redactor.h"

namespace oj {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FixedClock final : public Clock {
 public:
  Instant Now() const override { return Instant(std::chrono::milliseconds(7)); }
  WallMillis WallNow() const override { return 1000; }
};
class CountingLog final : public EventLog {
 public:
  void Record(const LogEvent&) override { ++count; }
  int count = 0;
};

class RecorderTest : public testing::Test {
 protected:
  void Keep(std::uint64_t number, std::size_t size) {
    const std::string text(size, static_cast<char>('a' + number % 26));
    recorder_.Record({EventKind::kRequestReceived, number, 0, 0, text});
  }
  FixedClock clock_;
  CountingLog next_;
  Recorder recorder_{next_, clock_, Recorder::kLeastBytes};
};

TEST_F(RecorderTest, WhatIsRecordedIsKeptAndHandedOn) {
  Keep(3, 5);
  const Recording copy = recorder_.Copy();
  ASSERT_EQ(copy.entries.size(), 1U);
  EXPECT_EQ(copy.TextOf(copy.entries[0]), "ddddd");
  EXPECT_EQ(copy.entries[0].wall_ms, 1000);
  EXPECT_EQ(next_.count, 1);
}

TEST_F(RecorderTest, TheOldestAreOverwrittenAndWhatIsLeftIsWhole) {
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    Keep(i, i * 37 % 3000);
    if (i % 500 != 0) continue;
    const Recording copy = recorder_.Copy();
    ASSERT_EQ(copy.lost + copy.entries.size(), i + 1);
    for (std::size_t at = 0; at < copy.entries.size(); ++at) {
      const std::uint64_t number = copy.lost + at;
      EXPECT_EQ(copy.entries[at].connection, number);
      EXPECT_EQ(copy.TextOf(copy.entries[at]),
                std::string(number * 37 % 3000, static_cast<char>('a' + number % 26)));
    }
  }
  EXPECT_GT(recorder_.Copy().lost, 0U);
}

TEST_F(RecorderTest, ManyShortEventsOverwriteTheOldestToo) {
  for (std::uint64_t i = 0; i < 5000; ++i) Keep(i, 0);
  const Recording copy = recorder_.Copy();
  EXPECT_EQ(copy.entries.back().connection, 4999U);
  EXPECT_EQ(copy.lost + copy.entries.size(), 5000U);
}

TEST_F(RecorderTest, ALongTextIsCutAndSaysSo) {
  Keep(1, Recorder::kMostText + 10);
  const Recording copy = recorder_.Copy();
  EXPECT_EQ(copy.entries[0].size, Recorder::kMostText);
  EXPECT_EQ(copy.entries[0].cut, 10U);
}

TEST_F(RecorderTest, ADefectAndAQuarantineRaiseTheAlarm) {
  std::string heard;
  recorder_.on_alarm = [&heard](std::string_view reason) { heard += reason; };
  recorder_.Record({EventKind::kRequestEnded, 0, 1, 0, "x"});
  recorder_.Record({EventKind::kDefect, 0, 1, 0, "x"});
  recorder_.Record({EventKind::kKeyQuarantined, 0, 1, 0, "x"});
  EXPECT_EQ(heard, "defectquarantine");
}

TEST(RedactorTest, EqualTextsAreEqualTokensInTheOrderOfTheirComing) {
  Redactor redactor;
  EXPECT_EQ(redactor.Request(R"({"type":"PeekSession","session_id":"work","lines":4})"),
            R"({"type":"PeekSession","session_id":"x1","lines":4})");
  EXPECT_EQ(redactor.Key("session:work"), "session:x1");
  EXPECT_EQ(redactor.Key("repo:/home/me/work"), "repo:/x2/x3/x1");
  EXPECT_THAT(redactor.Arguments({"capture-pane", "-t", "=work:", "-p"}),
              ElementsAre("capture-pane", "-t", "=x1:", "-p"));
  EXPECT_TRUE(IsValidId(redactor.Words("secret")));
}

TEST(RedactorTest, OfACommandOnlyOurOwnWordsStayWhereTheyAreThat) {
  Redactor redactor;
  EXPECT_THAT(
      redactor.Arguments({"new-session", "-d", "-s", "on", "-c", "/home/Acme Merger", "-e",
                          "MYSQL_OPTS=-u root -phunter2", "--", "-t", "worktree"}),
      ElementsAre("new-session", "-d", "-s", "x1", "-c", "/x2/x3", "-e", "x4", "--", "x5", "x6"));
  EXPECT_THAT(
      Redactor().Arguments({"-C", "/home/Acme Merger/.git", "-c", "gc.auto=0", "worktree", "add",
                            "-b", "list", "status", "--hunter2", "-phunter2"}),
      ElementsAre("-C", "/x1/x2/x3", "-c", "x4", "worktree", "add", "-b", "x5", "x6", "x7", "x8"));
}

TEST(RedactorTest, OfARequestOnlyItsTypeFlagsAndLimitsStay) {
  Redactor redactor;
  EXPECT_EQ(redactor.Request(R"({"type":"SessionNew","id":"a","cwd":"/home","timeout_ms":5,)"
                             R"("command":["sh","status"],"env":{"TOKEN":"hunter2"},)"
                             R"("code":"hunter3","pin":1234,"lines":{"status":"hunter4"}})"),
            R"({"type":"SessionNew","id":"x1","cwd":"/x2","timeout_ms":5,)"
            R"("command":["x3","x4"],"env":{"x5":"x6"}})");
  EXPECT_EQ(Redactor().Request(R"({"type":"Query","query":{"type":"GetSession","id":"a"}})"),
            R"({"type":"Query","query":{"type":"GetSession","id":"x1"}})");
  EXPECT_EQ(Redactor().Request(R"({"type":"Ping","query":{"type":"hunter2"}})"),
            R"({"type":"Ping"})");
  EXPECT_EQ(Redactor().Request(R"({"type":"hunter2"})"), "x1");
  EXPECT_EQ(Redactor().Request(R"({"type":"CancelRequest","id":"r57"})"),
            R"({"type":"CancelRequest","id":"r57"})");
  EXPECT_EQ(Redactor().Request(R"({"type":"CancelRequest","id":"hunter2"})"),
            R"({"type":"CancelRequest","id":"x1"})");
}

TEST(RedactorTest, OfWhatAToolSaidWhatTheCoreJudgesByStays) {
  EXPECT_EQ(Redactor().Result("exit 1: no server running on /tmp/secret/default\n"),
            "exit 1: no server running on x1");
  EXPECT_EQ(Redactor().Result("exit 1: error connecting to /tmp/me (No such file or directory)"),
            "exit 1: error connecting to x1 No such file or directory x2");
  EXPECT_EQ(Redactor().Result("exit 128: fatal: not a git repository: hunter2"),
            "exit 128: x1 not a git repository x2");
  EXPECT_EQ(Redactor().Result("timed out 9"), "timed out 9");
  EXPECT_EQ(
      Redactor().Result("exit 128: fatal: cannot lock ref: Unable to create "
                        "'/home/me/.git/./secret.lock': File exists.\n\nAnother git"),
      "exit 128: x1 cannot lock ref x2 Unable to create '/x3/x4/x5/./x6.lock': File exists x7");
  for (const std::string_view phrase : kJudged) {
    const std::string said = "exit 1: " + std::string(phrase);
    EXPECT_EQ(Redactor().Result(said), said);
  }
}

TEST(DumpTest, APathMayBeAnyBytes) {
  Dump dump;
  dump.state = "{\"workspace\":{\"id\":\"one\",\"path\":\"/st\xff/one\"}}\n";
  const auto last_line = [&dump] {
    const std::string text = TextOf(dump);
    return text.substr(text.find('\n') + 1);
  };
  EXPECT_EQ(last_line(), "{\"workspace\":{\"id\":\"one\",\"path\":\"/st\uFFFD/one\"}}\n");
  dump.redact = true;
  EXPECT_EQ(last_line(), "{\"workspace\":{\"id\":\"x1\",\"path\":\"/x2/x1\"}}\n");
}

TEST(DumpTest, IsOneObjectALineAndTheFirstHasTheSettings) {
  Dump dump;
  dump.reason = "request";
  dump.config.git_tool = "/opt/tmux/git";
  dump.state = "{\"session\":{\"id\":\"work\",\"status\":\"live\",\"command\":[\"status\"]}}\n";
  const std::string command("/opt/tmux/git\0-C\0/home/Acme Merger\0status", 41);
  dump.recording.texts = "session:work" + command;
  dump.recording.entries.push_back(
      {Instant(Duration(5)), 9, EventKind::kLeaseGranted, 0, 3, 1, 0, 12, 0});
  dump.recording.entries.push_back(
      {Instant(Duration(6)), 9, EventKind::kProcessStarted, 0, 3, 7, 12, command.size(), 0});
  const std::string text = TextOf(dump);
  EXPECT_THAT(text, HasSubstr(R"("timeouts.tmux":10000)"));
  EXPECT_THAT(text, HasSubstr(R"({"at_ns":5,"wall_ms":9,"event":"lease_granted","request":3,)"
                              R"("value":1,"text":"session:work"})"));
  EXPECT_THAT(text, HasSubstr(R"("event":"process_started","request":3,"value":7,"tool":"git",)"
                              R"("arguments":["-C","/home/Acme Merger","status"]})"));
  dump.redact = true;
  EXPECT_THAT(TextOf(dump), Not(AnyOf(HasSubstr("work\""), HasSubstr("Acme"))));
  EXPECT_THAT(TextOf(dump), HasSubstr(R"("status":"live","command":["x2"])"));
  EXPECT_THAT(TextOf(dump), HasSubstr(R"("arguments":["-C","/x3/x4","status"])"));
}

}  // namespace
}  // namespace oj
