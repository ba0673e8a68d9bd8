// oj top: the picture of one look, the keys, and one look at a daemon.
#include "cli/screen.h"
#include "cli/top_view.h"
#include "cli/wait_forest.h"
#include "run_test_base.h"
#include "terminal/width.h"

namespace oj::cli {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kStatus = R"({"type":"Status","version":"1","pid":7,"uptime_ms":65000,
  "requests_active":3,"children_active":250,"connections":4,"sessions":1,"workspaces":2,"agents":0,
  "limits":{"requests":512,"children":256,"connections":2048}})";
constexpr const char* kRequests = R"({"type":"Requests","requests":[
  {"id":"r3","type":"PeekSession","client_pid":11,"age_ms":4200,"deadline_ms":600,
   "state":"running","waiting_for":"tmux","locks":["session:work"],
   "children":[{"pid":123,"argv":"/usr/bin/tmux -L x capture-pane -p","age_ms":4200}]},
  {"id":"r5","type":"SessionSend","client_pid":12,"age_ms":3000,"deadline_ms":900,
   "state":"waiting","waiting_for":"session:work","locks":[],"children":[]},
  {"id":"r7","type":"SessionKill","client_pid":13,"age_ms":2000,"state":"cancelling",
   "locks":["session:b"],"children":[{"pid":124,"argv":"git x","age_ms":9,"ending":true}]}],
  "own_children":[{"pid":125,"argv":"git worktree list","age_ms":5}]})";
constexpr const char* kLocks = R"({"type":"Locks","locks":[
  {"key":"session:b","mode":"exclusive","holder":"r7","held_ms":2000,"waiters":[],
   "quarantine":"process 9 (state D) could not be killed"},
  {"key":"session:work","mode":"shared","holder":"r3","held_ms":4200,"waiters":["r5"]}]})";

json::object Parse(const char* text) { return json::parse(text).as_object(); }

TopLook Busy() {
  TopLook look;
  look.status = Parse(kStatus);
  look.requests = Parse(kRequests);
  look.locks = Parse(kLocks);
  return look;
}

View Columns(int columns) {
  View view;
  view.columns = columns;
  return view;
}

TEST(WaitForest, PutsARequestBelowTheHolderOfWhatItWaitsFor) {
  const auto rows = WaitForest(Parse(kRequests), Parse(kLocks), false);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].name, "r3");
  EXPECT_EQ(rows[0].waits_for, "tmux x, pid 123, 4.2 s");
  EXPECT_EQ(rows[1].name, "`-r5");
  EXPECT_EQ(rows[1].waits_for, "session:work, held by r3");
  EXPECT_TRUE(rows[1].blocked);
  EXPECT_EQ(rows[2].name, "r7");
  EXPECT_TRUE(rows[2].cancelling);
}

TEST(WaitForest, ChainIsAsDeepAsItIsAndAHolderThatHasEndedIsARoot) {
  const json::object requests = Parse(R"({"requests":[{"id":"r2"},{"id":"r3"},{"id":"r4"}]})");
  const json::object locks = Parse(R"({"locks":[
    {"key":"a","holder":"r1","waiters":["r2","r4"],"quarantine":"why"},
    {"key":"b","holder":"r2","waiters":["r3"]}]})");
  const auto rows = WaitForest(requests, locks, true);
  std::vector<std::string> names;
  for (const WaitRow& row : rows) names.push_back(row.name);
  EXPECT_THAT(names, ElementsAre("r1", "├─r2", "│ └─r3", "└─r4"));
  EXPECT_EQ(rows[1].waits_for, "a, held by r1 (quarantine)");
}

TEST(WaitForest, DaemonsOwnWorkIsNamedAndEachLockOfItIsItsOwnRow) {
  const json::object requests = Parse(R"({"requests":[{"id":"r2"},{"id":"r3"},{"id":"r4"}]})");
  const json::object locks = Parse(R"({"locks":[
    {"key":"a","holder":"r0","waiters":["r2"]},
    {"key":"b","holder":"r0","waiters":["r3"]},
    {"key":"c","holder":"r0","waiters":[]},
    {"key":"d","holder":"r4","waiters":["r0"]}]})");
  const auto rows = WaitForest(requests, locks, false);
  std::vector<std::string> names;
  for (const WaitRow& row : rows) names.push_back(row.name);
  EXPECT_THAT(names, ElementsAre("r4", "ojd", "`-r2", "ojd", "`-r3"));
  EXPECT_EQ(rows[1].waits_for, "ojd's own work");
  EXPECT_EQ(rows[2].waits_for, "a, held by ojd");
}

// It has begun to wait, or has ended, between the two answers.
TEST(WaitForest, WaiterThatIsNoRequestHasNoRow) {
  const json::object requests = Parse(R"({"requests":[{"id":"r2"}]})");
  const json::object locks = Parse(R"({"locks":[{"key":"a","holder":"r2","waiters":["r7"]},
                                                {"key":"b","holder":"r1","waiters":["r8"]}]})");
  const auto rows = WaitForest(requests, locks, false);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "r2");
}

TEST(TopLines, LeasesNameTheDaemonItself) {
  TopLook look;
  look.status = Parse(kStatus);
  look.locks = Parse(R"({"locks":[{"key":"a","mode":"exclusive","holder":"r0","held_ms":1,
                                   "waiters":["r2","r0"]}]})");
  EXPECT_THAT(TopLines(look, View{}, 0), Contains("a      exclusive  1 ms  ojd     r2, ojd"));
}

TEST(WaitForest, RingIsToldAndEnds) {
  const json::object requests = Parse(R"({"requests":[{"id":"r1"},{"id":"r2"}]})");
  const json::object locks = Parse(R"({"locks":[{"key":"a","holder":"r1","waiters":["r2"]},
                                                {"key":"b","holder":"r2","waiters":["r1"]}]})");
  EXPECT_EQ(WaitForest(requests, locks, false).size(), 2U);
}

TEST(TopLines, TellLimitsRequestsLeasesAndChildren) {
  EXPECT_THAT(
      TopLines(Busy(), View{}, 0),
      ElementsAre(
          "ojd 1, pid 7, up 1 min",
          "requests 3/512   children 250/256   connections 3/2048 (and this)   "
          "sessions 1  workspaces 2  agents 0",
          "",  //
          "ID    TYPE         CLIENT  AGE    LEFT    WAITS FOR",
          "r3    PeekSession  11      4.2 s  600 ms  tmux x, pid 123, 4.2 s",
          "`-r5  SessionSend  12      3.0 s  900 ms  session:work, held by r3",
          "r7    SessionKill  13      2.0 s  -       cancelled; git x, pid 124, 9 ms",
          "",  //
          "LEASE         MODE       HELD   HOLDER  WAITERS",
          "session:b     exclusive  2.0 s  r7      -",
          "    quarantine: process 9 (state D) could not be killed",
          "session:work  shared     4.2 s  r3      r5",
          "",  //
          "CHILD  AGE    OF   COMMAND", "123    4.2 s  r3   /usr/bin/tmux -L x capture-pane -p",
          "124    9 ms   r7   being killed: git x", "125    5 ms   ojd  git worktree list"));
}

TEST(TopLines, FitAnyTerminal) {
  TopLook look = Busy();
  look.trouble = "日本語 is no answer";
  look.keys = true;
  look.every = std::chrono::seconds(1);
  TopLook idle;
  idle.status = look.status;
  for (int columns = 1; columns < 130; ++columns) {
    for (int rows = 1; rows < 26; ++rows) {
      auto lines = TopLines(look, Columns(columns), rows);
      EXPECT_LE(lines.size(), static_cast<std::size_t>(rows));
      for (const std::string& line : TopLines(idle, Columns(columns), 0)) lines.push_back(line);
      for (const std::string& line : lines) {
        EXPECT_LE(terminal::WidthOf(line), static_cast<std::size_t>(columns)) << line;
      }
    }
  }
}

TEST(TopLines, NarrowTerminalKeepsWhoWaitsForWhat) {
  const auto lines = TopLines(Busy(), Columns(39), 10);
  EXPECT_THAT(lines, Contains("`-r5  3.0 s  session:work, held by r3"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("CLIENT"))));
}

TEST(TopLines, WhatDoesNotFitIsCountedAndCanBeReached) {
  TopLook look = Busy();
  json::array many;
  for (int i = 1; i <= 30; ++i) many.push_back(json::object{{"id", "r" + std::to_string(i)}});
  look.requests["requests"] = many;
  look.locks = {};
  EXPECT_THAT(TopLines(look, Columns(100), 20), Contains(HasSubstr("more")));
  std::size_t skip = 1000;
  auto lines = TopLines(look, Columns(100), 20, &skip);
  EXPECT_THAT(lines, AllOf(Contains(HasSubstr("before, 0 more")), Contains(HasSubstr("r30 "))));
  // One step back is one line.
  --skip;
  lines = TopLines(look, Columns(100), 20, &skip);
  EXPECT_THAT(lines, Contains(HasSubstr("before, 1 more")));
  look.requests = {};
  TopLines(look, Columns(100), 20, &skip);
  EXPECT_EQ(skip, 0U);
}

TEST(TopLines, KeysAreToldWhereThereAreAny) {
  TopLook look = Busy();
  look.every = std::chrono::seconds(2);
  EXPECT_THAT(TopLines(look, View{}, 0)[0], EndsWith("every 2.0 s"));
  look.keys = true;
  EXPECT_THAT(TopLines(look, View{}, 0)[0], EndsWith("every 2.0 s  space pause  q quit"));
}

TEST(TopLines, NothingInFlightIsSaid) {
  TopLook look;
  look.status = Parse(kStatus);
  EXPECT_THAT(TopLines(look, View{}, 0), Contains("nothing in flight, no lease, no child"));
}

TEST(TopLines, SilenceIsToldAndSoIsADaemonThatHasGone) {
  TopLook look = Busy();
  look.silent = std::chrono::milliseconds(3100);
  EXPECT_THAT(TopLines(look, View{}, 0)[0], HasSubstr("no answer for 3.1 s"));
  look = {};
  look.trouble = "ojd is not running";
  EXPECT_THAT(TopLines(look, View{}, 0), ElementsAre("ojd is not running"));
}

TEST(TopLines, UseNearALimitIsAWarningAndQuarantineIsBad) {
  View view;
  view.color = true;
  const auto lines = TopLines(Busy(), view, 0);
  EXPECT_THAT(lines, Contains(HasSubstr("\x1b[33mchildren 250/256\x1b[0m")));
  EXPECT_THAT(lines, Contains(HasSubstr("\x1b[31m    quarantine: process 9")));
  EXPECT_THAT(lines, Contains(HasSubstr("\x1b[31mbeing killed")));
}

TEST(ShortCommand, NamesTheProgramAndWhatItDoes) {
  EXPECT_EQ(ShortCommand("/usr/bin/git -C /a/b worktree remove"), "git worktree");
  EXPECT_EQ(ShortCommand("tmux"), "tmux");
  EXPECT_EQ(ShortCommand(""), "");
}

TEST(KeysIn, KnowArrowsAlsoInPartsAndSkipOtherSequences) {
  std::string rest;
  EXPECT_THAT(KeysIn("q \x03", rest), ElementsAre(Key::kQuit, Key::kPause, Key::kInterrupt));
  EXPECT_THAT(KeysIn("\x1b[A\x1bOB\x1b[15~", rest), ElementsAre(Key::kUp, Key::kDown, Key::kOther));
  EXPECT_THAT(KeysIn("\x1b[", rest), ElementsAre());
  EXPECT_THAT(KeysIn("B", rest), ElementsAre(Key::kDown));
  EXPECT_EQ(rest, "");
}

class TopTest : public RunTest {
 protected:
  void ServeLooks() {
    Serve([](ServedConnection& connection) {
      for (const char* reply : {kStatus, kLocks, kRequests}) {
        if (connection.ReadFrame().empty()) return;
        connection.Write(Frame(reply));
      }
      connection.AwaitClose();
    });
  }
};

TEST_F(TopTest, OneLookWhereThereIsNoTerminal) {
  ServeLooks();
  EXPECT_EQ(Run({"top"}), 0) << err_;
  EXPECT_THAT(out_,
              HasSubstr("`-r5  SessionSend  12      3.0 s  900 ms  session:work, held by r3\n"));
  EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
}

TEST_F(TopTest, JsonIsOneLineAlsoOnATerminal) {
  environment_.out_is_terminal = true;
  Set("TERM", "xterm");
  ServeLooks();
  EXPECT_EQ(Run({"top", "-o", "json"}), 0) << err_;
  const json::object all = json::parse(out_).as_object();
  EXPECT_EQ(all.at("type"), "Top");
  EXPECT_EQ(all.at("requests").as_array().size(), 3U);
  EXPECT_EQ(all.at("locks").as_array().size(), 2U);
}

TEST_F(TopTest, NoDaemonIsNotFoundAndNoneIsStarted) {
  EXPECT_EQ(Run({"top", "--once"}), 3);
  EXPECT_EQ(err_, "oj: top: ojd is not running (nobody listens on " + directory_.path() +
                      "/daemon.sock)\n    start it: `oj daemon start`\n");
}

TEST_F(TopTest, DaemonThatDoesNotAnswerIsGivenUpAtTheLimit) {
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    connection.AwaitClose();
  });
  EXPECT_EQ(Run({"top", "--once", "--timeout", "200"}), 124);
  EXPECT_THAT(err_, HasSubstr("200 ms"));
}

}  // namespace
}  // namespace oj::cli
