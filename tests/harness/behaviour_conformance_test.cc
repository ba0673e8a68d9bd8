// Each way of a tool to misbehave, in both its worlds: the same rule on a simulated process and on
// a fake, run by the same runner, must look the same to who called it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/tree_runner.h"
#include "fakes/vocabulary.h"
#include "os/posix_process_host.h"
#include "os_test_support.h"
#include "scenario/scenario.h"
#include "sim/sim_test_support.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Words = std::vector<std::string>;

constexpr std::string_view kOfFakes[] = {"release", "wrap"};
constexpr const char* kScreen = "hello";

// "{root}" in a rule or a word is the directory of the repository `repo`, with the branch `old`,
// and of the worktree `tree` that is to be made. The session `work` is there.
const Words kPeek{"tmux", "capture-pane", "-p", "-t", "=work:"};
const Words kLook{"tmux", "has-session", "-t", "=work"};
const Words kKill{"tmux", "kill-session", "-t", "=work"};
const Words kList{"tmux", "list-panes", "-a", "-F", "#{session_name}"};
const Words kDelete{"git", "-C", "{root}/repo", "update-ref", "-d", "refs/heads/old"};
const Words kAdd{"git", "-C",  "{root}/repo", "worktree",       "add",
                 "-b",  "new", "{root}/tree", "refs/heads/main"};

struct Row {
  const char* name;
  std::string rule;          // without the tool, which is that of the last call
  std::vector<Words> calls;  // one after the other
  Words says;                // of each call, and of what is left in the end
  int limit_ms = 10'000;
  std::size_t output_limit = 4096;
  bool blocked = false;  // a lock of packed refs that git waits for: it is at work for a while
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string InRoot(std::string text, const std::string& root) {
  return Replaced(std::move(text), "{root}", root);
}

// What is written again and again is said once.
std::string Short(const std::string& text) {
  const bool same = text.size() > 20 && text.find_first_not_of(text[0]) == std::string::npos;
  return same ? text.substr(0, 1) + "*" : text;
}

// Up to what differs between two worlds: the id of a commit.
std::string FirstLine(const std::string& text) {
  return Short(text.substr(0, std::min(text.find('\n'), text.find(" is now at"))));
}

std::string Told(const ProcessResult& result) {
  static constexpr const char* kEnds[] = {"exited",    "signaled",  "not spawned",
                                          "timed out", "cancelled", "flooded"};
  std::string text = kEnds[static_cast<std::size_t>(result.end)];
  text += " " + std::to_string(result.status);
  if (!result.out.empty()) text += " out=" + FirstLine(result.out);
  if (!result.err.empty()) text += " err=" + FirstLine(result.err);
  if (result.quarantine) text += " quarantined";
  return text;
}

// Where a row is played.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual Instant Now() = 0;
  virtual ProcessResult Run(ProcessSpec spec) = 0;
  virtual bool HasSession() = 0;
  virtual void Touch(const std::string& path) = 0;
  // The real git would else have ended, on a busy machine, before anybody could strike.
  virtual void HoldCheckout() {}
  virtual bool Exists(const std::string& path) = 0;
  virtual int Started() = 0;  // processes, but for a fake's real tool
  virtual int Left() = 0;     // of them, alive
};

class SimStage final : public Stage {
 public:
  SimStage(Scenario scenario, const std::string& root) : scenario_(std::move(scenario)) {
    disk_.Model(root);
    git_.CreateRepository(root + "/repo", {{"f1", "one"}, {"f2", "two"}});
    disk_.Write(root + "/repo/.git/refs/heads/old",
                disk_.Read(root + "/repo/.git/refs/heads/main"));
    tmux_.Create("work", kScreen);
    processes_.emplace(loop_, decisions_, trace_, scenario_, tmux_, git_);
  }
  ProcessResult Run(ProcessSpec spec) override {
    SimProcessHost host(loop_, *processes_, violations_);
    TreeRunner runner(host, loop_);
    std::optional<ProcessResult> result;
    Nursery tasks(loop_, nullptr);
    auto run = runner.Run(std::move(spec));
    tasks.Start(Keep(std::move(run), &result));
    while (!result && loop_.Step()) {
    }
    return std::move(*result);
  }
  Instant Now() override { return loop_.Now(); }
  bool HasSession() override { return tmux_.Has("work"); }
  void Touch(const std::string& path) override { disk_.Write(path, ""); }
  bool Exists(const std::string& path) override { return disk_.Exists(path); }
  int Started() override {
    return static_cast<int>(
        std::count_if(trace_.events().begin(), trace_.events().end(),
                      [](const auto& each) { return each.kind == TraceKind::kProcessStarted; }));
  }
  int Left() override { return static_cast<int>(processes_->Left().size()); }

 private:
  Scenario scenario_;
  Trace trace_;
  PlannedChooser chooser_;
  Decisions decisions_{chooser_, trace_.digest(), kAllFaults};
  SimLoop loop_{decisions_, trace_.digest(), 100'000, std::chrono::hours(1)};
  SimTmux tmux_;
  SimDisk disk_;
  SimGit git_{disk_};
  std::vector<WorldViolation> violations_;
  std::optional<SimProcesses> processes_;
};

class FakeStage final : public Stage {
 public:
  FakeStage(const std::string& rule, const std::string& root) : root_(root) {
    fs::create_directories(root + "/state/sessions");
    WriteFile(root + "/state/sessions/work", std::string("0\n") + kScreen);
    WriteFile(root + "/rules.toml", "[[rule]]\n" + rule);
    const std::string git = "git -C " + root + "/repo -c user.name=a -c user.email=a@b ";
    const std::string quiet = "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null ";
    fs::create_directories(root + "/repo");
    for (const char* line : {"init -q -b main", "commit -q --allow-empty -m one", "branch old"}) {
      EXPECT_EQ(std::system((quiet + git + line).c_str()), 0);
    }
  }
  ProcessResult Run(ProcessSpec spec) override {
    spec.argv[0] = std::string(OJ_FAKES_DIR) + "/" + spec.argv[0];
    spec.env = {{"OJ_FAKE_RULES", root_ + "/rules.toml"},
                {"OJ_FAKE_STATE", root_ + "/state"},
                {"OJ_FAKE_JOURNAL", root_ + "/journal"},
                {"GIT_CONFIG_GLOBAL", "/dev/null"},
                {"TMUX_TMPDIR", "/tmp"},
                {"PATH", std::string(OJ_FAKES_DIR) + ":" + std::getenv("PATH")}};
    TreeRunner runner(host_, loop_);
    ProcessResult result = RunOn(loop_, runner.Run(std::move(spec)));
    result.err = Replaced(std::move(result.err), "/tmp/tmux-" + std::to_string(getuid()) + "/",
                          "/tmp/tmux-0/");
    return result;
  }
  Instant Now() override { return loop_.Now(); }
  bool HasSession() override { return fs::exists(root_ + "/state/sessions/work"); }
  void Touch(const std::string& path) override { WriteFile(path, ""); }
  void HoldCheckout() override {
    const std::string hook = root_ + "/repo/.git/hooks/reference-transaction";
    WriteFile(hook, "#!/bin/sh\n[ \"$1\" = prepared ] && [ -e '" + root_ +
                        "/tree/.git' ] && sleep 2\nexit 0\n");
    fs::permissions(hook, fs::perms::owner_all);
  }
  bool Exists(const std::string& path) override { return fs::exists(path); }
  int Started() override { return static_cast<int>(Pids().size()); }
  int Left() override {
    const auto pids = Pids();
    return static_cast<int>(std::count_if(pids.begin(), pids.end(), [](const std::string& pid) {
      const std::string stat = ReadFile("/proc/" + pid + "/stat");
      return !stat.empty() && stat.find(") Z ") == std::string::npos;
    }));
  }

 private:
  std::vector<std::string> Pids() const {
    std::vector<std::string> pids;
    std::istringstream journal(ReadFile(root_ + "/journal"));
    for (std::string line; std::getline(journal, line);) {
      if (line.starts_with("S ")) pids.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    return pids;
  }
  std::string root_;
  AsioLoop loop_;
  PosixProcessHost host_{loop_};
};

struct Played {
  Words says;
  Duration took{};
};

Played Play(Stage& stage, const Row& row, const std::string& root) {
  Played played;
  if (row.blocked) stage.Touch(root + "/repo/.git/packed-refs.lock");
  if (row.rule.find("at_path") != std::string::npos) stage.HoldCheckout();
  for (const Words& call : row.calls) {
    ProcessSpec spec;
    for (const std::string& word : call) spec.argv.push_back(InRoot(word, root));
    spec.lease_tag = "abc.r7";
    spec.output_limit = row.output_limit;
    spec.kill = {true, milliseconds(400), std::chrono::seconds(5)};
    spec.deadline = Deadline::After(stage.Now(), milliseconds(row.limit_ms));
    const Instant begin = stage.Now();
    played.says.push_back(Told(stage.Run(std::move(spec))));
    played.took += stage.Now() - begin;
  }
  std::string end = std::to_string(stage.Started()) + " started, " + std::to_string(stage.Left()) +
                    " left; there:";
  if (stage.HasSession()) end += " session";
  for (const auto& [name, path] : {std::pair{"branch", "/repo/.git/refs/heads/old"},
                                   {"entry", "/repo/.git/worktrees/tree"},
                                   {"lock", "/repo/.git/lock"}}) {
    if (stage.Exists(root + path)) end += std::string(" ") + name;
  }
  played.says.push_back(std::move(end));
  return played;
}

// Limits are so long that a loaded machine starts a fake within them.
constexpr int kHangs = 1000;

const Row kRows[] = {
    {"nothing", "", {kPeek}, {"exited 0 out=hello", "1 started, 0 left; there: session branch"}},
    {"nth",
     "nth = 2\nexit = 3\n",
     {kPeek, kPeek, kPeek},
     {"exited 0 out=hello", "exited 3", "exited 0 out=hello",
      "3 started, 0 left; there: session branch"}},
    {"match",
     "match = \"has-\"\nexit = 3\n",
     {kPeek, kLook},
     {"exited 0 out=hello", "exited 3", "2 started, 0 left; there: session branch"}},
    {"exit", "exit = 3\n", {kKill}, {"exited 3", "1 started, 0 left; there: session branch"}},
    {"exit_of_git",
     "exit = 3\n",
     {kDelete},
     {"exited 3", "1 started, 0 left; there: session branch"}},
    {"signal",
     "signal = 11\n",
     {kKill},
     {"signaled 11", "1 started, 0 left; there: session branch"}},
    {"texts",
     "out = \"o\\n\"\nerr = \"e\\n\"\nexit = 2\n",
     {kPeek},
     {"exited 2 out=o err=e", "1 started, 0 left; there: session branch"}},
    {"texts_in_place",
     "out = \"o\\n\"\nerr = \"e\\n\"\n",
     {kKill},
     {"exited 0 out=o err=e", "1 started, 0 left; there: branch"}},
    {"probability",
     "probability = 0.5\nseed = 7\nexit = 3\n",
     {kLook, kLook, kLook, kLook, kLook},
     {"exited 0", "exited 3", "exited 0", "exited 0", "exited 0",
      "5 started, 0 left; there: session branch"}},
    {"delay",
     "delay_ms = 300\n",
     {kLook},
     {"exited 0", "1 started, 0 left; there: session branch"}},
    {"delay_beyond_the_limit",
     "delay_ms = 60000\n",
     {kKill},
     {"timed out 15", "1 started, 0 left; there: session branch"},
     kHangs},
    {"delay_uniform",
     "delay_ms = 100\ndelay_to_ms = 500\nseed = 5\n",
     {kLook, kLook, kLook},
     {"exited 0", "exited 0", "exited 0", "3 started, 0 left; there: session branch"}},
    {"delay_exponential",
     "delay_mean_ms = 200\nseed = 5\n",
     {kLook, kLook, kLook},
     {"exited 0", "exited 0", "exited 0", "3 started, 0 left; there: session branch"}},
    {"hang",
     "hang = true\n",
     {kKill},
     {"timed out 15", "1 started, 0 left; there: session branch"},
     kHangs},
    {"hang_of_git",
     "hang = true\n",
     {kDelete},
     {"timed out 15", "1 started, 0 left; there: session branch"},
     kHangs},
    {"ignore_term",
     "hang = true\nignore_term = true\n",
     {kKill},
     {"timed out 9", "1 started, 0 left; there: session branch"},
     kHangs},
    {"exit_zero_on_term",
     "hang = true\nexit_zero_on_term = true\n",
     {kKill},
     {"timed out 0", "1 started, 0 left; there: session branch"},
     kHangs},
    {"after_with_hang",
     "after = true\nhang = true\n",
     {kDelete},
     {"timed out 15", "1 started, 0 left; there: session"},
     kHangs},
    {"after_with_exit",
     "after = true\nexit = 3\n",
     {kKill},
     {"exited 3", "1 started, 0 left; there: branch"}},
    {"after_with_signal",
     "after = true\nsignal = 11\nout = \"o\\n\"\n",
     {kKill},
     {"signaled 11 out=o", "1 started, 0 left; there: branch"}},
    {"after_with_delay",
     "after = true\ndelay_ms = 200\n",
     {kDelete},
     {"exited 0", "1 started, 0 left; there: session"}},
    {"at_ms",
     "at_ms = 5\nexit = 4\n",
     {kDelete},
     {"exited 4", "1 started, 0 left; there: session branch"},
     10'000,
     4096,
     true},
    {"at_path_with_exit",
     "at_path = \"{root}/tree/.git\"\nexit = 4\n",
     {kAdd},
     {"exited 4 err=Preparing worktree (new branch 'new')",
      "1 started, 0 left; there: session branch entry"}},
    {"at_path_with_signal",
     "at_path = \"{root}/tree/.git\"\nsignal = 9\n",
     {kAdd},
     {"signaled 9 err=Preparing worktree (new branch 'new')",
      "1 started, 0 left; there: session branch entry"}},
    {"at_path_with_hang",
     "at_path = \"{root}/tree/.git\"\nhang = true\n",
     {kAdd},
     {"timed out 15 err=Preparing worktree (new branch 'new')",
      "1 started, 0 left; there: session branch"},
     kHangs},
    {"at_path_with_hang_and_exit",
     "at_path = \"{root}/tree/.git\"\nhang = true\nexit = 4\nerr = \"e\\n\"\n",
     {kAdd},
     {"timed out 15", "1 started, 0 left; there: session branch"},
     kHangs},
    {"at_path_and_on",
     "at_path = \"{root}/tree/.git\"\ndelay_ms = 200\n",
     {kAdd},
     {"exited 0 out=HEAD err=Preparing worktree (new branch 'new')",
      "1 started, 0 left; there: session branch entry"}},
    {"lock_file",
     "lock_file = \"{root}/repo/.git/lock\"\nhang = true\n",
     {kDelete},
     {"timed out 15", "1 started, 0 left; there: session branch lock"},
     kHangs},
    {"cut",
     "cut = true\nout = \"0123456789\\n\"\n",
     {kPeek},
     {"exited 0 out=01234", "1 started, 0 left; there: session branch"}},
    {"non_utf8",
     "non_utf8 = true\n",
     {kPeek},
     {"exited 0 out=\xff\xc3\x28\x80hello err=\xff\xc3\x28\x80",
      "1 started, 0 left; there: session branch"}},
    {"bytes_per_s",
     "bytes_per_s = 20\nout = \"0123456789\"\nerr = \"abc\"\n",
     {kPeek},
     {"exited 0 out=0123456789 err=abc", "1 started, 0 left; there: session branch"}},
    {"bytes_per_s_too_few",
     "bytes_per_s = 1\nout = \"0123456789\"\n",
     {kKill},
     {"timed out 15", "1 started, 0 left; there: branch"},
     700},
    {"flood_bytes",
     "flood_bytes = 1000000\n",
     {kKill},
     {"flooded 15 out=x*", "1 started, 0 left; there: session branch"}},
    {"flood_within_the_limit",
     "flood_bytes = 4000\n",
     {kKill},
     {"exited 0 out=x*", "1 started, 0 left; there: branch"}},
    {"grandchild",
     "grandchild = true\ndelay_ms = 300\n",
     {kPeek},
     {"exited 0 out=hello", "2 started, 0 left; there: session branch"}},
    {"setsid",
     "grandchild = true\nsetsid = true\ndelay_ms = 300\n",
     {kPeek},
     {"exited 0 out=hello", "2 started, 0 left; there: session branch"}},
    {"forks",
     "forks = 5\ndelay_ms = 300\n",
     {kKill},
     {"exited 0", "6 started, 0 left; there: branch"}},
    {"forks_that_ignore_term",
     "forks = 5\nignore_term = true\nhang = true\n",
     {kKill},
     {"timed out 9", "6 started, 0 left; there: session branch"},
     kHangs},
    {"late_ms",
     "match = \"kill\"\nhang = true\nlate_ms = 0\n",
     {kKill, kLook},
     {"timed out 15", "exited 1 err=no server running on /tmp/tmux-0/default",
      "2 started, 0 left; there: branch"},
     kHangs},
    {"late_ms_not_yet",
     "match = \"kill\"\nhang = true\nlate_ms = 60000\n",
     {kKill, kLook},
     {"timed out 15", "exited 0", "2 started, 0 left; there: session branch"},
     kHangs},
    {"late_ms_of_git",
     "hang = true\nlate_ms = 60000\n",
     {kDelete},
     {"timed out 15", "2 started, 0 left; there: session branch"},
     kHangs},
    {"late_ms_of_git_in_the_grace",
     "hang = true\nlate_ms = 0\n",
     {kDelete},
     {"timed out 15", "2 started, 0 left; there: session"},
     kHangs},
    {"late_ms_of_git_without_work",
     "exit = 3\nlate_ms = 0\n",
     {kDelete},
     {"exited 3", "2 started, 0 left; there: session branch"}},
    {"passing_serves",
     "match = \"has\"\npassing = \"serves\"\n",
     {kKill, kLook},
     {"exited 0", "exited 1 err=no current target", "2 started, 0 left; there: branch"}},
    {"passing_serves_a_list",
     "match = \"list\"\npassing = \"serves\"\n",
     {kKill, kList},
     {"exited 0", "exited 1 err=no current target", "2 started, 0 left; there: branch"}},
    {"passing_exits",
     "match = \"has\"\npassing = \"exits\"\n",
     {kKill, kLook},
     {"exited 0", "exited 1 err=server exited unexpectedly", "2 started, 0 left; there: branch"}},
};

class BehaviourConformance : public testing::TestWithParam<Row> {
 protected:
  std::string Rule() const {
    return "tool = \"" + GetParam().calls.back()[0] + "\"\n" +
           InRoot(GetParam().rule, root_.path());
  }
  Scenario Parsed() const {
    const std::string client = "[[client]]\nname = \"a\"\nsteps = [{ sleep_ms = 1 }]\n";
    auto scenario = ParseScenario("[[tool]]\n" + Rule() + client, "row.toml");
    EXPECT_TRUE(scenario.ok()) << scenario.error().message;
    return std::move(*scenario);
  }
  TempDir root_;
};

TEST_P(BehaviourConformance, LooksTheSameInBothWorlds) {
  if (!fs::exists("/usr/bin/git")) GTEST_SKIP() << "no git here";
  SimStage sim(Parsed(), root_.path());
  const Played simulated = Play(sim, GetParam(), root_.path());
  FakeStage fake(Rule(), root_.path());
  const Played faked = Play(fake, GetParam(), root_.path());

  EXPECT_EQ(simulated.says, GetParam().says);
  EXPECT_EQ(faked.says, GetParam().says);
  EXPECT_GE(faked.took, simulated.took - milliseconds(20)) << "what takes time takes it in both";
}

INSTANTIATE_TEST_SUITE_P(Rows, BehaviourConformance, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(BehaviourVocabulary, EveryKeyHasARowOrIsForTheFakesOnly) {
  for (const std::string_view key : fakes::kRuleKeys) {
    const std::string line = std::string(key) + " = ";
    const bool has_row =
        key == "tool" || std::any_of(std::begin(kRows), std::end(kRows), [&](const Row& row) {
          return ("\n" + row.rule).find("\n" + line) != std::string::npos;
        });
    const bool of_fakes =
        std::find(std::begin(kOfFakes), std::end(kOfFakes), key) != std::end(kOfFakes);
    EXPECT_NE(has_row, of_fakes) << key;
  }
}

TEST(BehaviourVocabulary, WhatIsForTheFakesOnlyIsRefusedElsewhere) {
  for (const std::string_view key : kOfFakes) {
    const auto scenario =
        ParseScenario("[[tool]]\ntool = \"git\"\n" + std::string(key) + " = true\n", "row.toml");
    ASSERT_FALSE(scenario.ok());
    EXPECT_THAT(scenario.error().message, testing::HasSubstr("is for worlds = [\"fakes\"] only"));
  }
}

}  // namespace
}  // namespace oj::sim
