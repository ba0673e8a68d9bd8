// The twin with a daemon of one page: that it sees what happens, and what goes wrong.
#include "scenario/twin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "os/strays.h"
#include "scenario/process_watch.h"
#include "scenario/scaled.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSession = "[[session]]\nid = \"work\"\nscreen = \"hello\"\n";
constexpr const char* kHang = "[[hang]]\ntool = \"tmux\"\nignore_term = true\n";
constexpr const char* kLeaves = R"(
[[client]]
name = "alice"
steps = [{ call = { type = "PeekSession", session_id = "work" }, give_up_ms = 1000, expect = "gave_up" }]
)";  // long enough for the tool to have begun

class TwinTest : public testing::Test {
 protected:
  void TearDown() override { unsetenv("MINI_OJD"); }
  static void Habit(const char* habit) { setenv("MINI_OJD", habit, 1); }

  static TwinRun Ran(const Result<Scenario>& scenario, World world, double scale = 1) {
    EXPECT_TRUE(scenario.ok()) << scenario.error().message;
    if (!scenario.ok()) return {};
    TwinOptions options{OJ_MINI_OJD, OJ_FAKES_DIR, milliseconds(1000)};
    Result<TwinRun> run = RunTwin(Scaled(*scenario, scale), world, options);
    EXPECT_TRUE(run.ok()) << run.error().message;
    return run.ok() ? std::move(*run) : TwinRun{};
  }
  static TwinRun Ran(const std::string& text, World world = World::kFakes) {
    return Ran(ParseScenario("worlds = [\"fakes\", \"real\"]\n[config]\ntimeouts.tmux = 200\n" +
                                 std::string("timeouts.drain = 200\n") + text,
                             "x.toml"),
               world);
  }
  static std::vector<std::string> Outcomes(const TwinRun& run) {
    std::vector<std::string> outcomes;
    for (const StepOutcome& step : run.steps) outcomes.push_back(step.outcome);
    return outcomes;
  }
  static long Count(const TwinRun& run, TraceKind kind) {
    return std::count_if(run.trace.events().begin(), run.trace.events().end(),
                         [&](const TraceEvent& event) { return event.kind == kind; });
  }
  static const TraceEvent* First(const TwinRun& run, TraceKind kind) {
    for (const TraceEvent& event : run.trace.events()) {
      if (event.kind == kind) return &event;
    }
    return nullptr;
  }
};

TEST_F(TwinTest, APeekOnFakesIsServedAndItsProcessSeenFromBeginToReaping) {
  const TwinRun run = Ran(std::string(kSession) + R"(
[[client]]
name = "alice"
steps = [{ call = { type = "PeekSession", session_id = "work" }, expect = "SessionPeek" },
         { call = { type = "Ping" }, expect = "Pong" }]
)");
  EXPECT_THAT(Outcomes(run), ElementsAre("SessionPeek", "Pong"));
  EXPECT_TRUE(run.AllExpected());
  EXPECT_EQ(Count(run, TraceKind::kProcessStarted), 1);
  ASSERT_EQ(Count(run, TraceKind::kProcessEnded), 1);
  EXPECT_EQ(Count(run, TraceKind::kProcessReaped), 1);
  EXPECT_EQ(First(run, TraceKind::kProcessEnded)->value, 0);
  EXPECT_EQ(run.trace.Text(*First(run, TraceKind::kProcessStarted)),
            "tmux capture-pane -t =work: -p -S -40");
  EXPECT_TRUE(run.quiet);
  EXPECT_TRUE(run.stopped_by_term);
  EXPECT_EQ(run.daemon_exit, 0);
  EXPECT_EQ(run.descriptors_before, run.descriptors_after);
  EXPECT_THAT(run.left_over, IsEmpty());
}

TEST_F(TwinTest, EventsAreInTheOrderOfTime) {
  const TwinRun run = Ran(std::string(kSession) + kHang + kLeaves);
  EXPECT_TRUE(std::is_sorted(run.trace.events().begin(), run.trace.events().end(),
                             [](const TraceEvent& a, const TraceEvent& b) { return a.at < b.at; }));
}

TEST_F(TwinTest, AClientThatLeavesAHungFakeHasItsProcessKilled) {
  const TwinRun run = Ran(std::string(kSession) + kHang + kLeaves);
  EXPECT_THAT(Outcomes(run), ElementsAre("gave_up"));
  ASSERT_EQ(Count(run, TraceKind::kProcessEnded), 1);
  EXPECT_EQ(First(run, TraceKind::kProcessEnded)->value, -9);
  EXPECT_GE(First(run, TraceKind::kProcessEnded)->at, First(run, TraceKind::kClientGaveUp)->at);
  EXPECT_TRUE(run.quiet);
}

TEST_F(TwinTest, WhatOnlyAFakeCanDoIsDone) {
  const TwinRun run =
      Ran(ParseScenario("worlds = [\"fakes\"]\n[config]\ntimeouts.tmux = 200\n" +
                            std::string(kSession) +
                            "[[tool]]\ntool = \"tmux\"\nhang = true\nforks = 2\n" + kLeaves,
                        "x.toml"),
          World::kFakes);
  EXPECT_THAT(Outcomes(run), ElementsAre("gave_up"));
  EXPECT_EQ(Count(run, TraceKind::kProcessStarted), 3);
  EXPECT_EQ(Count(run, TraceKind::kProcessEnded), 3);
  EXPECT_TRUE(run.quiet);
}

TEST(Scaled, WhatIsWrittenSlowlyStaysSlow) {
  Scenario scenario;
  scenario.tools.resize(2);
  scenario.tools[0].bytes_per_s = 3;
  const Scenario slower = Scaled(scenario, 4);
  EXPECT_EQ(slower.tools[0].bytes_per_s, 1);
  EXPECT_EQ(slower.tools[1].bytes_per_s, 0);
}

TEST(ProcessWatch, ArgumentsAreReadAsTheyWereJournalled) {
  EXPECT_EQ(JournalledArguments(R"(["tmux","a b",""] "/a] \"b"/x")"), "tmux a b ");
  EXPECT_EQ(JournalledArguments(R"(["git","a\",","c\\d","e\u000af"] "/")"), "git a\", c\\d e\nf");
  EXPECT_EQ(JournalledArguments("[\"git\",\"\xff\xfe\"] \"/\""), "git \xff\xfe");
  EXPECT_EQ(JournalledArguments("[\"torn\\"), "torn");
}

TEST_F(TwinTest, ALeakedProcessIsSeenAndEndedAfterTheRun) {
  Habit("leak");
  const TwinRun run = Ran(std::string(kSession) + kHang + kLeaves);
  EXPECT_FALSE(run.quiet);
  EXPECT_THAT(run.live, ElementsAre(HasSubstr("tmux capture-pane")));
  EXPECT_THAT(run.left_over, ElementsAre(HasSubstr("tmux capture-pane")));
}

TEST_F(TwinTest, AZombieIsSeen) {
  Habit("zombie");
  const TwinRun run = Ran(std::string(kSession) + R"(
[[client]]
name = "alice"
steps = [{ call = { type = "PeekSession", session_id = "work" } }]
)");
  EXPECT_EQ(run.zombies, 1);
  EXPECT_FALSE(run.quiet);
}

TEST_F(TwinTest, ADescriptorThatStaysOpenIsSeen) {
  Habit("fd");
  const TwinRun run = Ran(R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" } }]
)");
  EXPECT_GT(run.descriptors_after, run.descriptors_before);
}

TEST_F(TwinTest, ADaemonThatIgnoresTermIsKilled) {
  Habit("deaf");
  const TwinRun run = Ran(R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" } }]
)");
  EXPECT_FALSE(run.stopped_by_term);
  EXPECT_EQ(run.daemon_exit, -9);
}

TEST_F(TwinTest, ATornReplyIsSeen) {
  Habit("torn");
  const TwinRun run = Ran(R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" }, expect = "Pong" }]
)");
  EXPECT_THAT(Outcomes(run), ElementsAre("torn"));
  EXPECT_FALSE(run.AllExpected());
  EXPECT_EQ(Count(run, TraceKind::kClientTornReply), 1);
}

TEST_F(TwinTest, EveryVerbOfAClientIsPlayed) {
  const TwinRun run = Ran(std::string(kSession) + R"(
[[client]]
name = "alice"
steps = [
  { send = { type = "Ping" } }, { receive = true, expect = "Pong" },
  { receive = true, give_up_ms = 30, expect = "gave_up" },
  { raw = "\u0000\u0000\u0000\u0001x" }, { receive = true, expect = "invalid_request" },
  { sleep_ms = 20 }, { until_ms = 30 }, { close = true },
  { send = { type = "Ping" } }, { receive = true }, { half_close = true },
  { receive = true, expect = "closed" },
]
)");
  EXPECT_THAT(Outcomes(run), ElementsAre("Pong", "gave_up", "invalid_request", "Pong", "closed"));
  EXPECT_TRUE(run.AllExpected());
  EXPECT_EQ(Count(run, TraceKind::kClientConnected), 3);
  EXPECT_EQ(Count(run, TraceKind::kClientHalfClosed), 1);
}

TEST_F(TwinTest, TheScaleShortensTheWholeScenario) {
  const Result<Scenario> scenario = LoadScenario(OJ_SCENARIOS "/fast/hung-tmux-peek.toml");
  const TwinRun run = Ran(scenario, World::kFakes, 0.1);
  EXPECT_TRUE(run.AllExpected()) << RenderEvents(run.trace);
  EXPECT_TRUE(run.quiet);
  EXPECT_EQ(run.steps.size(), 5u);
  EXPECT_LT(run.trace.events().back().at, Instant(std::chrono::seconds(6))) << "the steps alone: 9";
  std::printf("%s", RenderTimeline(run.trace, 100, false).c_str());
}

TEST_F(TwinTest, ARealTmuxHangsUnderSigstopAndServesAfterwards) {
  if (!fs::exists("/usr/bin/tmux")) GTEST_SKIP() << "no tmux here";
  const Result<Scenario> scenario = LoadScenario(OJ_SCENARIOS "/fast/hung-tmux-peek.toml");
  const TwinRun run = Ran(scenario, World::kReal, 0.1);
  EXPECT_TRUE(run.AllExpected()) << RenderEvents(run.trace);
  EXPECT_GE(Count(run, TraceKind::kProcessStarted), 2);
  ASSERT_NE(First(run, TraceKind::kProcessEnded), nullptr);
  const TraceEvent& killed = *First(run, TraceKind::kProcessEnded);
  EXPECT_TRUE(killed.value == -9 || killed.text != 0) << killed.value;
  EXPECT_TRUE(run.quiet);
  EXPECT_THAT(run.left_over, IsEmpty());
  std::printf("%s", RenderTimeline(run.trace, 100, false).c_str());
}

TEST_F(TwinTest, WhatIsNotForAWorldIsRefused) {
  const auto refused = [](const std::string& text, World world) {
    const Result<Scenario> scenario = ParseScenario(text + kLeaves, "x.toml");
    EXPECT_TRUE(scenario.ok());
    TwinOptions options{OJ_MINI_OJD, OJ_FAKES_DIR, milliseconds(1000)};
    const Result<TwinRun> run = RunTwin(*scenario, world, options);
    return run.ok() ? "it was not refused" : run.error().message;
  };
  EXPECT_THAT(refused("worlds = [\"sim\"]\n", World::kFakes), HasSubstr("not for the world fakes"));
}

TEST_F(TwinTest, ADaemonThatCannotStartIsNamed) {
  const Result<Scenario> scenario =
      ParseScenario(std::string("worlds = [\"fakes\"]\n") + kLeaves, "x.toml");
  TwinOptions options{"/no/such/ojd", OJ_FAKES_DIR, milliseconds(1000)};
  const Result<TwinRun> run = RunTwin(*scenario, World::kFakes, options);
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.error().message, HasSubstr("/no/such/ojd"));
}

// A run in a process of its own, with a place for temporary files of its own, and with a daemon
// that only SIGKILL ends and a tool that hangs.
class CutTwinTest : public TwinTest {
 protected:
  void SetUp() override {
    std::string path = (fs::canonical(fs::temp_directory_path()) / "oj-cut-XXXXXX").string();
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    place_ = path;
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    setenv("TMPDIR", place_.c_str(), 1);
    Habit("deaf");
  }
  void TearDown() override {
    unsetenv("TMPDIR");
    if (before_) setenv("TMPDIR", before_->c_str(), 1);
    EndStrays(place_ + "/", std::chrono::seconds(5), "OJ_STATE_DIR");
    fs::remove_all(place_);
    TwinTest::TearDown();
  }

  pid_t Begin(World world) const {
    const pid_t run = fork();
    if (run == 0) {
      // Also where this test was started with them ignored.
      for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
      Ran(std::string(kSession) + kHang + R"(
[[client]]
name = "alice"
steps = [{ call = { type = "PeekSession", session_id = "work" }, give_up_ms = 60000 }]
)",
          world);
      _exit(0);
    }
    EXPECT_TRUE(Soon([&] { return HasTool(); }));
    return run;
  }
  static int StatusOf(pid_t run) {
    int status = 0;
    EXPECT_EQ(waitpid(run, &status, 0), run);
    return status;
  }
  std::vector<Stray> All() const { return FindStrays(place_ + "/", "OJ_STATE_DIR"); }
  bool HasTool() const {
    const std::vector<Stray> all = All();
    return std::any_of(all.begin(), all.end(), [](const Stray& each) {
      std::ifstream file("/proc/" + std::to_string(each.pid) + "/cmdline", std::ios::binary);
      const std::string line{std::istreambuf_iterator<char>(file), {}};
      return line.find("capture-pane") != std::string::npos &&
             line.find("-40") != std::string::npos;
    });
  }
  template <class Is>
  static bool Soon(Is is) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!is()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }

  std::string place_;
  std::optional<std::string> before_;
};

TEST_F(CutTwinTest, ARunThatIsInterruptedLeavesNothingBehind) {
  for (const World world : {World::kFakes, World::kReal}) {
    if (world == World::kReal && !fs::exists("/usr/bin/tmux")) continue;
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      const pid_t run = Begin(world);
      kill(run, number);
      const int status = StatusOf(run);
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << status;
      EXPECT_THAT(All(), IsEmpty());
      EXPECT_TRUE(fs::is_empty(place_));
    }
  }
}

TEST_F(CutTwinTest, WhatARunThatIsKilledLeavesTheNextOneRemoves) {
  const pid_t run = Begin(World::kFakes);
  kill(run, SIGKILL);
  StatusOf(run);
  ASSERT_FALSE(fs::is_empty(place_));
  Habit("");
  Ran("[[client]]\nname = \"a\"\nsteps = [{ call = { type = \"Ping\" } }]\n");
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(place_));
}

TEST_F(CutTwinTest, ADaemonIsToldThatItsRunWasKilled) {
  Habit("");
  const pid_t run = Begin(World::kFakes);
  kill(run, SIGKILL);
  StatusOf(run);
  EXPECT_TRUE(Soon([&] { return All().empty(); })) << "it ends its tool, and itself";
}

// The directory of a run that lives is nobody else's.
TEST_F(CutTwinTest, ARunBesideAnotherLeavesItAlone) {
  const pid_t run = Begin(World::kFakes);
  const std::size_t before = All().size();
  Habit("");
  Ran("[[client]]\nname = \"a\"\nsteps = [{ call = { type = \"Ping\" } }]\n");
  EXPECT_EQ(All().size(), before);
  kill(run, SIGTERM);
  StatusOf(run);
}

}  // namespace
}  // namespace oj::sim
