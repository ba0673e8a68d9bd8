#include "core/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dump.h"
#include "core/redactor.h"

namespace oj {
namespace {

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

TEST(RedactorTest, EqualWordsAreEqualTokensAndShapeStays) {
  const Redactor redactor(7);
  const std::string token = redactor.Words("work");
  EXPECT_EQ(token.size(), 9U);
  EXPECT_EQ(redactor.Command("/usr/bin/tmux capture-pane -t =work: -p"),
            "tmux capture-pane -t =" + token + ": -p");
  EXPECT_EQ(redactor.BehindColon("session:work"), "session:" + token);
  EXPECT_EQ(redactor.BehindColon("exit 1: can't find session: work"),
            "exit 1: can't find session: " + token);
  EXPECT_EQ(redactor.Json(R"({"type":"PeekSession","session_id":"work","lines":4})"),
            R"({"type":"PeekSession","session_id":")" + token + R"(","lines":4})");
}

TEST(RedactorTest, NothingPrivateStays) {
  const Redactor redactor(7);
  EXPECT_THAT(redactor.Command("git -C /home/me/x -c a=b worktree add -b secret -- /home/me/y"),
              testing::AllOf(HasSubstr("worktree add -b x"), Not(HasSubstr("secret")),
                             Not(HasSubstr("home"))));
  EXPECT_THAT(redactor.Command("tmux send-keys -t =a: -l -- --password hunter2"),
              Not(testing::AnyOf(HasSubstr("hunter2"), HasSubstr("password"))));
  EXPECT_THAT(redactor.BehindColon("exit 1: no server running on /tmp/secret/default"),
              Not(HasSubstr("secret")));
}

TEST(DumpTest, IsOneObjectALineAndTheFirstHasTheSettings) {
  Dump dump;
  dump.reason = "request";
  dump.state = "{\"session\":{\"id\":\"work\",\"status\":\"live\"}}\n";
  dump.recording.texts = "session:work";
  dump.recording.entries.push_back(
      {Instant(Duration(5)), 9, EventKind::kLeaseGranted, 0, 3, 1, 0, 12, 0});
  const std::string text = TextOf(dump);
  EXPECT_THAT(text, HasSubstr(R"("timeouts.tmux":10000)"));
  EXPECT_THAT(text, HasSubstr(R"({"at_ns":5,"wall_ms":9,"event":"lease_granted","request":3,)"
                              R"("value":1,"text":"session:work"})"));
  dump.redaction_key = 7;
  EXPECT_THAT(TextOf(dump), Not(HasSubstr("work\"")));
  EXPECT_THAT(TextOf(dump), HasSubstr(R"("status":"live")"));
}

}  // namespace
}  // namespace oj
