#include <gmock/gmock.h>

#include <algorithm>
#include <string_view>

#include "explore/random_chooser.h"
#include "sim/sim_run.h"
#include "sim/sites.h"
#include "sim_test_support.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kOneSession = R"(
about = "test"
[config]
timeouts.tmux = 2000
timeouts.handler = 6000
timeouts.kill_grace = 200
[[session]]
id = "work"
screen = "hello"
)";
constexpr std::string_view kPeek = R"({ type = "PeekSession", session_id = "work" })";

class RunTest : public ::testing::Test {
 protected:
  void Load(std::string text) {
    auto loaded = ParseScenario(std::string(kOneSession) + text, "test.toml");
    ASSERT_TRUE(loaded) << loaded.error().message;
    scenario = std::move(*loaded);
  }
  void Run() {
    RunSim(scenario, chooser, options, result);
    if (Clean()) return;
    ADD_FAILURE() << RenderEvents(result.trace);
    for (const WorldViolation& each : result.violations) {
      ADD_FAILURE() << each.law << ": " << each.what;
    }
  }
  bool Clean() const {
    bool left = false;
    for (const LeftProcess& each : result.processes) left = left || each.of_tool;
    return result.violations.empty() && result.AllExpected() && !left && result.leases_held == 0 &&
           result.keys_quarantined == 0 && result.open_connections == 0 && result.armed_timers == 0;
  }
  std::size_t Count(TraceKind kind) const {
    std::size_t count = 0;
    for (const TraceEvent& each : result.trace.events()) count += each.kind == kind ? 1u : 0u;
    return count;
  }
  Instant Last(TraceKind kind) const {
    Instant at;
    for (const TraceEvent& each : result.trace.events()) {
      if (each.kind == kind) at = each.at;
    }
    return at;
  }
  // The step at which something of that kind has happened for the first time.
  std::uint64_t StepOf(TraceKind kind) {
    SimOptions longer = options;
    for (std::uint64_t steps = 1; steps < 1000; ++steps) {
      longer.max_steps = steps;
      PlannedChooser benign;
      SimResult part = RunSim(scenario, benign, longer);
      for (const TraceEvent& each : part.trace.events()) {
        if (each.kind == kind) return steps;
      }
    }
    ADD_FAILURE() << "it never happens";
    return 0;
  }
  static std::string Client(std::string_view steps) {
    std::string text("[[client]]\nname = \"alice\"\nsteps = [\n");
    return text.append(steps).append("\n]\n");
  }
  static std::string Call(std::string_view request, std::string_view rest) {
    std::string text("{ call = ");
    return text.append(request).append(", ").append(rest).append(" },");
  }

  Scenario scenario;
  PlannedChooser chooser;
  SimOptions options;
  SimResult result;
};

TEST_F(RunTest, PeekIsAnswered) {
  Load(Client(Call(kPeek, R"(expect = "SessionPeek")")));
  Run();
  EXPECT_EQ(result.outcomes.size(), 1u);
}

// L1: nobody waits any more, the tool is hung and ignores TERM.
TEST_F(RunTest, DisconnectFromAHungToolKillsItWithinTheBound) {
  Load("[[hang]]\ntool = \"tmux\"\nfrom_ms = 0\nuntil_ms = 8000\nignore_term = true\n" +
       Client(Call(kPeek, R"(give_up_ms = 1000, expect = "gave_up")")));
  Run();
  EXPECT_EQ(Last(TraceKind::kClientGaveUp).time_since_epoch(), seconds(1));
  for (const TraceEvent& each : result.trace.events()) {
    if (each.kind != TraceKind::kProcessReaped || each.subject != 1001) continue;
    EXPECT_LE(each.at.time_since_epoch(), seconds(1) + milliseconds(250));
  }
}

TEST_F(RunTest, HungToolForEverTimesOut) {
  Load("[[hang]]\ntool = \"tmux\"\nfrom_ms = 0\n" +
       Client(Call(kPeek, R"(expect = "tool_timeout")")));
  Run();
}

TEST_F(RunTest, HalfCloseCancels) {
  Load("[[hang]]\ntool = \"tmux\"\nfrom_ms = 0\nuntil_ms = 1000\n" +
       Client("{ send = { type = \"PeekSession\", session_id = \"work\" } },"
              "{ sleep_ms = 100 }, { half_close = true },"
              "{ receive = true, give_up_ms = 3000, expect = \"closed\" },"));
  Run();
}

TEST_F(RunTest, EqualSeedsGiveEqualDigests) {
  Load("[mix]\nclients = 4\ncalls = 3\nsessions = 2\nfaults = [\"all\"]\n");
  std::string first;
  for (int i = 0; i < 2; ++i) {
    RandomChooser random(7);
    RunSim(scenario, random, options, result);
    if (i == 0) first = result.trace.digest().Hex();
  }
  EXPECT_EQ(result.trace.digest().Hex(), first);
  RandomChooser other(8);
  RunSim(scenario, other, options, result);
  EXPECT_NE(result.trace.digest().Hex(), first);
}

TEST_F(RunTest, AMixTellsWhatEachOfItsCallsHasAskedFor) {
  Load("[mix]\nclients = 2\ncalls = 8\nsessions = 1\nrequests = { PeekSession = 1 }\n");
  RandomChooser random(3);
  RunSim(scenario, random, options, result);
  std::size_t sent = 0;
  for (const TraceEvent& event : result.trace.events()) {
    if (event.kind != TraceKind::kClientSent) continue;
    if (result.trace.Text(event) != "PeekSession" || event.subject > 2) continue;
    ++sent;
    const auto at = std::find_if(result.mix_calls.begin(), result.mix_calls.end(),
                                 [&](const MixCall& each) { return each.call == event.object; });
    ASSERT_NE(at, result.mix_calls.end()) << event.object;
    EXPECT_TRUE(at->session == "s1" || at->session == "s2") << at->session;
  }
  EXPECT_GT(sent, 0u);
  EXPECT_EQ(result.mix_calls.size(), sent);
  EXPECT_TRUE(std::any_of(result.mix_calls.begin(), result.mix_calls.end(),
                          [](const MixCall& each) { return each.timeout > Duration::zero(); }));
}

TEST_F(RunTest, RandomMixesComeToRest) {
  Load("[mix]\nclients = 6\ncalls = 4\nsessions = 3\nfaults = [\"all\"]\n");
  std::size_t processes = 0;
  std::size_t kills = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomChooser random(seed);
    options.seed = seed;
    RunSim(scenario, random, options, result);
    ASSERT_TRUE(Clean()) << "seed " << seed << ": "
                         << (result.violations.empty() ? "" : result.violations[0].what);
    processes += Count(TraceKind::kProcessStarted);
    kills += Count(TraceKind::kProcessSignaled);
  }
  EXPECT_GT(processes, 1000u);
  EXPECT_GT(kills, 100u);
}

// Until the fault stops nothing else may be served under the lease; then the retry is.
TEST_F(RunTest, DaemonKilledDuringACallServesARetryAfterItsRestart) {
  Load(Client(Call(kPeek, R"(expect = ["closed", "SessionPeek"])") +
              Call(kPeek, R"(expect = "SessionPeek")")));
  options.strikes = {{Strike::Kind::kDaemonKill, StepOf(TraceKind::kProcessStarted)}};
  Run();
  EXPECT_EQ(result.daemons, 2u);
  EXPECT_EQ(result.outcomes[0].outcome, "closed");
}

TEST_F(RunTest, ShutdownStrikeEndsTheDaemon) {
  Load(Client(Call(kPeek, R"(expect = ["SessionPeek", "closed", "refused", "cancelled"])")));
  options.strikes = {{Strike::Kind::kShutdown, StepOf(TraceKind::kProcessStarted)}};
  Run();
  EXPECT_EQ(Count(TraceKind::kDaemonDied), 1u);
}

TEST_F(RunTest, ShutdownDuringARestartIsForGood) {
  Load(Client(Call(kPeek, R"(expect = ["SessionPeek", "closed", "refused", "cancelled"])")));
  const std::uint64_t at = StepOf(TraceKind::kProcessStarted);
  options.strikes = {{Strike::Kind::kRestart, at}, {Strike::Kind::kShutdown, at + 1}};
  Run();
  EXPECT_EQ(result.daemons, 1u);
}

// What the chooser has in store: 2 is SIGTERM, and a new daemon.
TEST_F(RunTest, ADrawnRestartIsFollowedByADaemonThatServes) {
  Load("[mix]\nclients = 1\ncalls = 2\nsessions = 1\nfaults = [\"daemon\"]\n");
  chooser.Plan(sites::kRequest, {1, 1});
  chooser.Plan(sites::kStrike, {2});
  chooser.Plan(sites::kStrikeScale, {1});
  chooser.Plan(sites::kStrikeStep, {30});
  Run();
  EXPECT_EQ(result.daemons, 2u);
  EXPECT_EQ(Count(TraceKind::kDaemonDied), 2u);
}

TEST_F(RunTest, ACommitMayBeTheLastOfTheDaemon) {
  for (const std::uint32_t when : {1u, 2u}) {
    Load(
        "[mix]\nclients = 1\ncalls = 2\nsessions = 1\nfaults = [\"store\"]\n"
        "requests = { SessionNew = 1 }\n");
    chooser.Plan(sites::kRequest, {1, 1});
    chooser.Plan(sites::kSession, {1, 1});
    chooser.Plan(sites::kCrashAtCommit, {when});
    Run();
    EXPECT_EQ(result.daemons, 2u) << when;
  }
}

TEST_F(RunTest, AMachineThatSleepsIsLateByThatMuch) {
  Load("[mix]\nclients = 1\ncalls = 2\nsessions = 1\nfaults = [\"clock\"]\n");
  chooser.Plan(sites::kJump, {2});
  Run();
  EXPECT_GE(result.stalled, seconds(40));
  EXPECT_EQ(result.daemons, 1u);
}

TEST_F(RunTest, OperatorStrikeCancelsTheCall) {
  Load("[[hang]]\ntool = \"tmux\"\nfrom_ms = 0\nuntil_ms = 1500\n" +
       Client(Call(kPeek, R"(expect = "cancelled")")));
  options.strikes = {{Strike::Kind::kOperator, StepOf(TraceKind::kProcessStarted) + 1}};
  Run();
}

TEST_F(RunTest, EveryStepCanBeTheLastOfAClient) {
  Load(Client(Call(kPeek, R"(expect = ["SessionPeek", "closed"])")));
  Run();
  const std::uint64_t steps = result.steps;
  for (std::uint64_t at = 1; at < steps; ++at) {
    options.strikes = {{Strike::Kind::kDisconnect, at}};
    Run();
  }
}

TEST_F(RunTest, EveryStepCanBeTheLastOfTheDaemon) {
  Load(Client(Call(kPeek, R"(expect = ["SessionPeek", "closed"])") +
              Call(kPeek, R"(expect = ["SessionPeek", "closed"])")));
  Run();
  const std::uint64_t steps = result.steps;
  for (std::uint64_t at = 1; at < steps; ++at) {
    options.strikes = {{Strike::Kind::kDaemonKill, at}};
    Run();
  }
}

TEST_F(RunTest, RunBeyondItsBudgetIsAViolation) {
  Load(Client(Call(kPeek, "give_up_ms = 1000")));
  options.max_steps = 10;
  RunSim(scenario, chooser, options, result);
  ASSERT_FALSE(result.violations.empty());
  EXPECT_EQ(result.violations[0].law, "L9");
}

TEST_F(RunTest, ClientThatWaitsForEverIsAViolation) {
  Load(Client("{ send = { type = \"Ping\" } }, { receive = true }, { receive = true },"));
  RunSim(scenario, chooser, options, result);
  ASSERT_FALSE(result.violations.empty());
  EXPECT_THAT(result.violations[0].what, ::testing::HasSubstr("no end within the budget"));
}

// Ready work is overtaken by a timer: the bound on what that adds is kept.
TEST_F(RunTest, StallsAreBoundedAndCounted) {
  Load("[mix]\nclients = 4\ncalls = 3\nsessions = 2\nfaults = [\"clock\"]\n");
  chooser.Plan(sites::kRequest, std::deque<std::uint32_t>(12, 1));
  chooser.Plan(sites::kStall, std::deque<std::uint32_t>(5000, 1));
  RunSim(scenario, chooser, options, result);
  EXPECT_GT(result.stalled, Duration::zero());
  EXPECT_LE(result.stalled, SimLoop::kMostStall);
}

}  // namespace
}  // namespace oj::sim
