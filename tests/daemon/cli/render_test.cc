#include "cli/render.h"

#include <gtest/gtest.h>

namespace oj::cli {
namespace {

namespace json = boost::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

const View kPlainView{.color = false, .columns = 0, .now = 1'000'000};

json::object Object(std::string_view text) { return json::parse(text).as_object(); }

TEST(Humanise, PicksTheUnitThatAPersonWouldSay) {
  EXPECT_EQ(Humanise(milliseconds(0)), "0 ms");
  EXPECT_EQ(Humanise(milliseconds(350)), "350 ms");
  EXPECT_EQ(Humanise(milliseconds(999)), "999 ms");
  EXPECT_EQ(Humanise(milliseconds(1000)), "1.0 s");
  EXPECT_EQ(Humanise(milliseconds(4299)), "4.2 s");
  EXPECT_EQ(Humanise(milliseconds(59'999)), "59.9 s");
  EXPECT_EQ(Humanise(minutes(3)), "3 min");
  EXPECT_EQ(Humanise(minutes(59)), "59 min");
  EXPECT_EQ(Humanise(hours(2)), "2 h");
  EXPECT_EQ(Humanise(hours(47)), "47 h");
  EXPECT_EQ(Humanise(hours(24 * 5)), "5 d");
}

TEST(OneLine, ControlCharactersCannotReachATerminal) {
  EXPECT_EQ(OneLine("a\nb\tc\x1b[31m\x7f"), "a b c?[31m?");
  EXPECT_EQ(OneLine("\xc2\x9b"
                    "31m"),
            "?31m");  // the one-character CSI
  // U+2028, U+202E; U+2066, U+2069; neighbours of them stay.
  EXPECT_EQ(OneLine("a\xe2\x80\xa8\xe2\x80\xae z"), "a?? z");
  EXPECT_EQ(OneLine("a\xe2\x81\xa6\xe2\x81\xa9 z"), "a?? z");
  EXPECT_EQ(OneLine("\xe2\x80\xa6\xe2\x80"), "\xe2\x80\xa6\xe2\x80");
  EXPECT_EQ(OneLine("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(CommandLine, QuotesWhatAShellWouldNotTakeAsItIs) {
  EXPECT_EQ(CommandLine(json::parse(R"(["vi","a b","","it's","x=1"])")),
            R"(vi 'a b' '' 'it'\''s' x=1)");
}

TEST(RenderSessions, IsAnAlignedTable) {
  const auto reply = Object(R"({"sessions":[
      {"id":"w","status":"live","created_at_ms":995800,"cwd":"/src","command":["make","-j4"]},
      {"id":"long-name","status":"unknown","created_at_ms":0,"cwd":"/","command":[]}]})");
  EXPECT_EQ(RenderSessions(reply, kPlainView),
            "ID         STATUS   AGE    CWD   COMMAND\n"
            "w          live     4.2 s  /src  make -j4\n"
            "long-name  unknown  -      /     -\n");
}

TEST(RenderSessions, LinesAreCutAtTheEdgeOfTheTerminal) {
  const auto reply = Object(R"({"sessions":[{"id":"w","cwd":"/","command":["0123456789"]}]})");
  EXPECT_EQ(RenderSessions(reply, {.color = false, .columns = 33, .now = 0}),
            "ID  STATUS  AGE  CWD  COMMAND\n"
            "w   -       -    /    0123456789\n");
  EXPECT_EQ(RenderSessions(reply, {.color = false, .columns = 28, .now = 0}),
            "ID  STATUS  AGE  CWD  COMMA~\n"
            "w   -       -    /    01234~\n");
}

TEST(RenderSessions, ColoursAreForStatusOnlyAndKeepTheColumns) {
  const auto reply = Object(R"({"sessions":[{"id":"w","status":"live","cwd":"/"}]})");
  const std::string table = RenderSessions(reply, {.color = true, .columns = 0, .now = 0});
  EXPECT_NE(table.find("\x1b[32mlive  \x1b[0m  -    "), std::string::npos) << table;
}

TEST(RenderSessions, EmptyListIsEmpty) {
  EXPECT_EQ(RenderSessions(Object(R"({"sessions":[]})"), kPlainView), "");
  EXPECT_EQ(RenderSessions(Object("{}"), kPlainView), "");
}

TEST(RenderSessions, FieldsOfAWrongTypeDoNoHarm) {
  const auto reply = Object(R"({"sessions":[7,null,{"id":5,"cwd":null,"command":"x"}]})");
  EXPECT_EQ(RenderSessions(reply, kPlainView),
            "ID  STATUS  AGE  CWD  COMMAND\n"
            "5   -       -    -    x\n");
}

TEST(RenderRequests, ShowsWhatEachWaitsForAndItsChildren) {
  const auto reply = Object(R"({"requests":[
      {"id":"7","type":"PeekSession","client_pid":42,"age_ms":4200,"deadline_ms":500,
       "state":"running","locks":["session:w"],"waiters":0,
       "children":[{"pid":99,"argv":["tmux","a b"],"age_ms":350}]},
      {"id":"8","type":"SessionKill","client_pid":43,"age_ms":180000,"state":"waiting",
       "waiting_for":"session:w","locks":[],"children":[]}]})");
  EXPECT_EQ(RenderRequests(reply, kPlainView),
            "ID  TYPE         CLIENT  AGE    TIME LEFT  STATE    LOCKS      WAITING FOR\n"
            "7   PeekSession  42      4.2 s  500 ms     running  session:w  -\n"
            "    pid 99, 350 ms: tmux 'a b'\n"
            "8   SessionKill  43      3 min  -          waiting  -          session:w\n");
}

TEST(RenderLocks, ShowsQuarantineBelowItsKey) {
  const auto reply = Object(R"({"locks":[
      {"key":"session:w","mode":"shared","holder":"7","held_ms":10,"waiters":["8","9"]},
      {"key":"session:x","mode":"exclusive","holder":null,"held_ms":400000,"waiters":[],
       "quarantine":"pid 991, state D"}]})");
  EXPECT_EQ(RenderLocks(reply, kPlainView),
            "KEY        MODE       HELD   HOLDER  WAITERS\n"
            "session:w  shared     10 ms  7       8, 9\n"
            "session:x  exclusive  6 min  -       -\n"
            "    quarantined: pid 991, state D\n");
}

TEST(RenderLocks, DaemonsOwnWorkIsNamed) {
  const auto reply = Object(R"({"locks":[
      {"key":"branches:/r","mode":"exclusive","holder":"r0","held_ms":10,"waiters":["r0","r9"]}]})");
  EXPECT_EQ(RenderLocks(reply, kPlainView),
            "KEY          MODE       HELD   HOLDER  WAITERS\n"
            "branches:/r  exclusive  10 ms  ojd     ojd, r9\n");
}

TEST(RenderStatus, QuarantinedKeysAreNamed) {
  const auto reply = Object(R"({"quarantined":["session:a: process 7 could not be killed"]})");
  EXPECT_NE(RenderStatus(reply, kPlainView)
                .find("quarantined  session:a: process 7 could not be killed\n"),
            std::string::npos);
}

TEST(RenderStatus, IsOneFactALine) {
  const auto reply = Object(R"({"version":"0.1.0","pid":5,"uptime_ms":183000,"requests_active":2,
      "children_active":1,"sessions":3,"workspaces":0,"agents":0,"locks_held":1,
      "counters":{"requests":120,"cancelled":3}})");
  EXPECT_EQ(RenderStatus(reply, kPlainView),
            "ojd         0.1.0, pid 5, up 3 min\n"
            "requests    2 in flight\n"
            "children    1 alive\n"
            "locks       1 held\n"
            "sessions    3\n"
            "workspaces  0\n"
            "agents      0\n"
            "counters    requests=120, cancelled=3\n");
}

}  // namespace
}  // namespace oj::cli
