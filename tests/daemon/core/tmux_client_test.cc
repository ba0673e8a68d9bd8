// The tmux commands word for word, what their answers mean, and the fence after a killed change.
#include "core/tmux_client.h"

#include <gmock/gmock.h>

#include "scripted_runner.h"

namespace oj {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StrEq;

class TmuxClientTest : public ::testing::Test {
 protected:
  TmuxClientTest() {
    config.tmux = 2s;
    table.emplace(loop, events, background);
    background.Start(tmux.Tend());
  }
  ~TmuxClientTest() override {
    background.scope().Cancel(CancelReason::kShutdown);
    loop.RunReady();
  }
  SessionLease Hold(LockMode mode = LockMode::kExclusive) {
    std::optional<Result<Lease>> lease;
    root.Start(KeepValue(table->Acquire(9, {{"session:a", mode}}), &lease));
    loop.RunReady();
    return SessionLease(tmux, std::move(lease->value()));
  }
  // The value of `task`, run in the scope until it ends or 10 s have gone.
  template <class T>
  std::optional<T> Run(Task<T> task) {
    std::optional<T> value;
    root.Start(RunIn(scope, KeepValue(std::move(task), &value)));
    for (int i = 0; i < 100 && !root.empty(); ++i) loop.Advance(100ms);
    return value;
  }
  template <class T>
  Error ErrorOf(Task<T> task) {
    auto value = Run(std::move(task));
    EXPECT_TRUE(value.has_value() && !value->ok());
    return value && !value->ok() ? value->error() : Error{};
  }
  std::vector<std::string> Argv() const { return runner.specs.back().argv; }
  static SessionRecord Record(std::vector<std::string> command) {
    SessionRecord record;
    record.id = "a";
    record.cwd = "/src";
    record.command = std::move(command);
    return record;
  }
  bool Free() {
    loop.RunReady();
    return table->held() == 0;
  }

  TestLoop loop;
  RecordingLog events;
  Config config;
  ScriptedRunner runner{loop};
  Tools tools{loop, runner, events, config, "life"};
  TmuxClient tmux{loop, tools, events, config};
  CancelScope scope{nullptr};
  Flight flight{9, "Test", "", 0, Instant{}, events};
  std::optional<LockTable> table;
  Nursery background{loop, nullptr};
  Nursery root{loop, nullptr};
};

TEST_F(TmuxClientTest, HasNamesExactlyThisSession) {
  SessionLease lease = Hold();
  EXPECT_EQ(Run(tmux.Has(flight, lease, "a"))->value(), Presence::kPresent);
  EXPECT_THAT(Argv(), ElementsAre("tmux", "has-session", "-t", "=a"));
}

TEST_F(TmuxClientTest, CaptureNamesTheActivePane) {
  SessionLease lease = Hold();
  runner.Answer("capture-pane", 0, "screen\n");
  EXPECT_EQ(Run(tmux.Capture(flight, lease, "a", false, 40))->value(), "screen\n");
  EXPECT_THAT(Argv(), ElementsAre("tmux", "capture-pane", "-t", "=a:", "-p", "-S", "-40"));
  Run(tmux.Capture(flight, lease, "a", true, 7));
  EXPECT_THAT(Argv(), ElementsAre("tmux", "capture-pane", "-t", "=a:", "-p", "-S", "-7", "-e"));
}

TEST_F(TmuxClientTest, NewEndsItsOptionsAndEscapesTrailingSemicolons) {
  SessionLease lease = Hold();
  SessionRecord record = Record({"sh", "-c", "true;", ";", "a;b"});
  record.cwd = "/s;";
  EXPECT_TRUE(Run(tmux.New(flight, lease, record, {{"K", "v;"}}))->ok());
  EXPECT_THAT(Argv(), ElementsAre("tmux", "new-session", "-d", "-s", "a", "-c", "/s\\;", "-e",
                                  "K=v\\;", "--", "sh", "-c", "true\\;", "\\;", "a;b"));
}

TEST_F(TmuxClientTest, SendTypesTextAndEnterInOneCommand) {
  SessionLease lease = Hold();
  EXPECT_TRUE(Run(tmux.Send(flight, lease, "a", "-x; ls;"))->ok());
  EXPECT_THAT(Argv(), ElementsAre("tmux", "send-keys", "-t", "=a:", "-l", "--", "-x; ls\\;", ";",
                                  "send-keys", "-t", "=a:", "Enter"));
}

TEST_F(TmuxClientTest, KillNamesExactlyThisSession) {
  SessionLease lease = Hold();
  EXPECT_EQ(Run(tmux.Kill(flight, lease, "a"))->value(), Presence::kPresent);
  EXPECT_THAT(Argv(), ElementsAre("tmux", "kill-session", "-t", "=a"));
}

// The server that the first session starts must survive the end of its client's tree.
TEST_F(TmuxClientTest, OnlyNewSessionCarriesNoLeaseTag) {
  SessionLease lease = Hold();
  Run(tmux.New(flight, lease, Record({"x", "y"}), {}));
  EXPECT_EQ(runner.specs.back().lease_tag, "");
  Run(tmux.Has(flight, lease, "a"));
  EXPECT_EQ(runner.specs.back().lease_tag, "life.r9");
}

TEST_F(TmuxClientTest, EnvironmentCannotLeadTheToolElsewhere) {
  SessionLease lease = Hold();
  Run(tmux.Has(flight, lease, "a"));
  const ProcessSpec& spec = runner.specs.back();
  for (const char* name : {"TMUX", "TMUX_PANE", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}) {
    EXPECT_THAT(spec.unset_env, Contains(StrEq(name)));
  }
  EXPECT_THAT(spec.env, Contains(Pair("GIT_TERMINAL_PROMPT", "0")));
  EXPECT_FALSE(spec.kill.term_first) << "on TERM from a hung server it would exit 0";
  EXPECT_EQ(spec.deadline, Deadline(Instant{} + 2s));
  EXPECT_EQ(spec.output_limit, config.max_output_bytes);
}

TEST_F(TmuxClientTest, ConfiguredToolIsWhatRuns) {
  config.tmux_tool = "/opt/tmux";
  SessionLease lease = Hold();
  Run(tmux.Has(flight, lease, "a"));
  EXPECT_EQ(Argv()[0], "/opt/tmux");
}

class AbsentSession : public TmuxClientTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(AbsentSession, IsAbsentAndNotFoundAndReleasesTheLease) {
  for (const char* command : {"has-session", "capture-pane", "send-keys", "kill-session"}) {
    runner.Answer(command, 1, "", GetParam());
  }
  {
    SessionLease lease = Hold();
    EXPECT_EQ(Run(tmux.Has(flight, lease, "a"))->value(), Presence::kAbsent);
    EXPECT_EQ(ErrorOf(tmux.Capture(flight, lease, "a", false, 1)).code, ErrorCode::kNotFound);
    EXPECT_EQ(ErrorOf(tmux.Send(flight, lease, "a", "x")).code, ErrorCode::kNotFound);
    EXPECT_EQ(Run(tmux.Kill(flight, lease, "a"))->value(), Presence::kAbsent);
  }
  EXPECT_TRUE(Free());
}

INSTANTIATE_TEST_SUITE_P(
    Texts, AbsentSession,
    ::testing::Values("can't find session: a\n", "can't find pane: =a:\n",
                      "no server running on /tmp/tmux-0/default\n",
                      "error connecting to /tmp/tmux-0/default (No such file or directory)\n"));

TEST_F(TmuxClientTest, OtherFailuresAreNeverTakenForAbsence) {
  for (const char* text : {"", "what?\n", "error connecting to /tmp/x (Connection refused)\n",
                           "error connecting to /tmp/x (Permission denied)\n"}) {
    SessionLease lease = Hold();
    runner.Answer("has-session", 1, "", text);
    const Error error = ErrorOf(tmux.Has(flight, lease, "a"));
    EXPECT_EQ(error.code, ErrorCode::kToolFailed) << text;
    EXPECT_THAT(error.message, HasSubstr("exit 1"));
    EXPECT_THAT(error.detail, HasSubstr("\"exit\":1"));
  }
}

// A server that ends under a look tells nothing: it is asked until it answers or is gone.
TEST_F(TmuxClientTest, DyingServerIsAskedAgainAndNotForEver) {
  SessionLease lease = Hold();
  runner.Answer("has-session", 1, "", "server exited unexpectedly\n");
  runner.Answer("has-session", 1, "", "lost server\n");
  runner.Answer("has-session", 1, "", "no server running on /tmp/x\n");
  EXPECT_EQ(Run(tmux.Has(flight, lease, "a"))->value(), Presence::kAbsent);
  for (int i = 0; i < 100; ++i) runner.Answer("has-session", 1, "", "lost server\n");
  EXPECT_EQ(ErrorOf(tmux.Has(flight, lease, "a")).code, ErrorCode::kToolFailed);
}

// tmux would give a command of one word to a shell.
TEST_F(TmuxClientTest, CommandOfOneWordMeetsNoShellThatReadsIt) {
  SessionLease lease = Hold();
  Run(tmux.New(flight, lease, Record({"a b; rm c"}), {}));
  const auto argv = Argv();
  ASSERT_GE(argv.size(), 4U);
  EXPECT_THAT(std::vector(argv.end() - 4, argv.end()),
              ElementsAre("sh", "-c", "exec \"$0\"", "a b; rm c"));
}

TEST_F(TmuxClientTest, DuplicateSessionIsAConflict) {
  SessionLease lease = Hold();
  runner.Answer("new-session", 1, "", "duplicate session: a\n");
  EXPECT_EQ(ErrorOf(tmux.New(flight, lease, Record({"x"}), {})).code, ErrorCode::kConflict);
}

TEST_F(TmuxClientTest, TimeoutNamesToolAndLimit) {
  SessionLease lease = Hold();
  runner.Hangs("has-session");
  const Error error = ErrorOf(tmux.Has(flight, lease, "a"));
  EXPECT_EQ(error.code, ErrorCode::kToolTimeout);
  EXPECT_THAT(error.message, HasSubstr("tmux has-session"));
  EXPECT_THAT(error.message, HasSubstr("2000 ms (timeouts.tmux)"));
}

TEST_F(TmuxClientTest, MissingToolIsNamedAndFencesNothing) {
  {
    SessionLease lease = Hold();
    runner.SpawnFails("kill-session", 2);
    const Error error = ErrorOf(tmux.Kill(flight, lease, "a"));
    EXPECT_EQ(error.code, ErrorCode::kToolMissing);
    EXPECT_THAT(error.message, HasSubstr("tools.tmux"));
  }
  EXPECT_TRUE(Free());
}

TEST_F(TmuxClientTest, MachineWithoutProcessesIsBusyNotMissing) {
  SessionLease lease = Hold();
  runner.SpawnFails("has-session", 11);
  EXPECT_EQ(ErrorOf(tmux.Has(flight, lease, "a")).code, ErrorCode::kBusy);
}

TEST_F(TmuxClientTest, LimitOnChildrenIsBusyAndRunsNothing) {
  config.max_children = 0;
  SessionLease lease = Hold();
  EXPECT_EQ(ErrorOf(tmux.Has(flight, lease, "a")).code, ErrorCode::kBusy);
  EXPECT_TRUE(runner.specs.empty());
}

TEST_F(TmuxClientTest, KilledLookFencesNothing) {
  {
    SessionLease lease = Hold();
    runner.Hangs("has-session");
    ErrorOf(tmux.Has(flight, lease, "a"));
  }
  EXPECT_TRUE(Free());
  EXPECT_THAT(runner.Commands(), ElementsAre("has-session"));
}

// The server may still carry out what its killed client asked for.
TEST_F(TmuxClientTest, KilledChangeFencesTheKeyUntilTheServerHasAnswered) {
  {
    SessionLease lease = Hold();
    runner.Hangs("kill-session");
    runner.Hangs("list-sessions");  // 1 s, then 2 s: it may be slow; then it answers
    runner.Hangs("list-sessions");
    EXPECT_EQ(ErrorOf(tmux.Kill(flight, lease, "a")).code, ErrorCode::kToolTimeout);
  }
  EXPECT_FALSE(Free());
  EXPECT_THAT(table->Rows().at(0).quarantine, HasSubstr("server does not answer"));
  loop.Advance(2s);
  EXPECT_FALSE(Free());
  loop.Advance(2s);
  EXPECT_TRUE(Free());
  EXPECT_THAT(runner.Commands(),
              ElementsAre("kill-session", "list-sessions", "list-sessions", "list-sessions"));
  EXPECT_THAT(Argv(), ElementsAre("tmux", "list-sessions", "-F", "#{session_name}"));
}

TEST_F(TmuxClientTest, ServerProvenDeadEndsTheFenceToo) {
  {
    SessionLease lease = Hold();
    runner.Hangs("send-keys");
    runner.Answer("list-sessions", 1, "", "no server running on /tmp/x\n");
    ErrorOf(tmux.Send(flight, lease, "a", "x"));
  }
  EXPECT_TRUE(Free());
}

TEST_F(TmuxClientTest, UnclearAnswerKeepsTheFence) {
  {
    SessionLease lease = Hold();
    runner.Hangs("send-keys");
    runner.Answer("list-sessions", 1, "", "lost server\n");
    ErrorOf(tmux.Send(flight, lease, "a", "x"));
  }
  EXPECT_FALSE(Free());
  loop.Advance(100ms);
  EXPECT_TRUE(Free());
}

// L5: a child that crashed proves nothing.
TEST_F(TmuxClientTest, ACrashInTheMiddleOfAChangeIsAnUnknownOutcome) {
  SessionLease lease = Hold();
  runner.Crashes("new-session", 11);
  EXPECT_EQ(ErrorOf(tmux.New(flight, lease, Record({"sh"}), {})).code, ErrorCode::kUnknownOutcome);
  runner.Crashes("kill-session", 11);
  EXPECT_EQ(ErrorOf(tmux.Kill(flight, lease, "a")).code, ErrorCode::kUnknownOutcome);
}

// L3: what it was asked to do may come at any time.
TEST_F(TmuxClientTest, NothingMoreRunsBesideAProcessThatCouldNotBeKilled) {
  SessionLease lease = Hold();
  const auto undead = runner.HangsUndead("new-session");
  ErrorOf(tmux.New(flight, lease, Record({"sh"}), {}));
  EXPECT_EQ(ErrorOf(tmux.Kill(flight, lease, "a")).code, ErrorCode::kBusy);
  EXPECT_THAT(runner.Commands(), ElementsAre("new-session"));
  undead->dead.Set();
  Run(tmux.Kill(flight, lease, "a"));
  EXPECT_THAT(runner.Commands(), ElementsAre("new-session", "kill-session"));
}

TEST_F(TmuxClientTest, CancelledChangeFencesToo) {
  runner.Hangs("kill-session");
  runner.Hangs("list-sessions");
  {
    SessionLease lease = Hold();
    std::optional<Result<Presence>> outcome;
    root.Start(RunIn(scope, KeepValue(tmux.Kill(flight, lease, "a"), &outcome)));
    loop.RunReady();
    scope.Cancel(CancelReason::kDisconnected);
    loop.RunReady();
    EXPECT_FALSE(outcome.has_value()) << "a cancel goes on";
  }
  EXPECT_FALSE(Free());
  loop.Advance(1100ms);
  EXPECT_TRUE(Free());
}

TEST_F(TmuxClientTest, TreeThatCannotBeKilledKeepsTheKeyUntilItIsDead) {
  auto undead = runner.HangsUndead("has-session");
  {
    SessionLease lease = Hold();
    ErrorOf(tmux.Has(flight, lease, "a"));
  }
  EXPECT_FALSE(Free());
  EXPECT_THAT(table->Rows().at(0).quarantine, HasSubstr("process 77 (state D)"));
  undead->dead.Set();
  EXPECT_TRUE(Free());
}

// What never ran changed nothing.
TEST_F(TmuxClientTest, ChangeCancelledBeforeItsSpawnFencesNothing) {
  runner.Hangs("list-sessions");
  {
    SessionLease lease = Hold();
    scope.Cancel(CancelReason::kDisconnected);
    EXPECT_FALSE(Run(tmux.Kill(flight, lease, "a")));
  }
  EXPECT_TRUE(Free());
}

TEST_F(TmuxClientTest, ChangeWhoseSpawnFailedFencesNothing) {
  runner.Hangs("list-sessions");
  {
    SessionLease lease = Hold();
    runner.SpawnFails("kill-session", 8);  // ENOEXEC
    ErrorOf(tmux.Kill(flight, lease, "a"));
  }
  EXPECT_TRUE(Free());
}

// L11: tmux expands formats in -c, and #(...) is a shell command (seen with 3.3a).
TEST_F(TmuxClientTest, DirectoryWithAHashIsEscaped) {
  SessionLease lease = Hold();
  SessionRecord record = Record({"x", "y"});
  record.cwd = "/src/#(id)";
  Run(tmux.New(flight, lease, record, {}));
  EXPECT_EQ(Argv()[6], "/src/##(id)");
}

TEST_F(TmuxClientTest, LookAfterAKilledChangeDoesNotHideTheFence) {
  {
    SessionLease lease = Hold();
    runner.Hangs("send-keys");
    runner.Hangs("list-sessions");
    ErrorOf(tmux.Send(flight, lease, "a", "x"));
    EXPECT_TRUE(Run(tmux.Has(flight, lease, "a"))->ok());
  }
  EXPECT_FALSE(Free());
  loop.Advance(1100ms);
  EXPECT_TRUE(Free());
}

TEST_F(TmuxClientTest, EveryTreeThatCannotBeKilledKeepsTheKey) {
  auto first = runner.HangsUndead("has-session");
  auto second = runner.HangsUndead("has-session");
  {
    SessionLease lease = Hold();
    ErrorOf(tmux.Has(flight, lease, "a"));
    ErrorOf(tmux.Has(flight, lease, "a"));
  }
  second->dead.Set();
  EXPECT_FALSE(Free());
  first->dead.Set();
  EXPECT_TRUE(Free());
}

}  // namespace
}  // namespace oj
