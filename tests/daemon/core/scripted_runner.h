// A ProcessRunner that answers each subcommand as it was told to, and keeps every spec it saw.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core_test_support.h"
#include "oj/process_runner.h"

namespace oj {

class ScriptedRunner final : public ProcessRunner {
 public:
  explicit ScriptedRunner(Clock& clock) : clock_(clock) {}

  // The next answer to `tmux <command>` or `git <command>`, "worktree add" being one command. What
  // has none left succeeds without a word.
  void Answer(const std::string& command, int exit, std::string out = "", std::string err = "") {
    ProcessResult result;
    result.status = exit;
    result.out = std::move(out);
    result.err = std::move(err);
    answers_[command].push_back(std::move(result));
  }
  // Succeeds after a while, unless it is killed before.
  void Takes(const std::string& command, Duration time) {
    Answer(command, 0);
    takes_[command].push_back(time);
  }
  // Its first run ends by itself after that time, whatever is cancelled meanwhile: its leader was
  // dead already, and a cancel does not enter what is done for the others of its tree.
  void EndsAllTheSame(const std::string& command, Duration time) { all_the_same_[command] = time; }
  void SpawnFails(const std::string& command, int error) {
    ProcessResult result;
    result.end = ProcessResult::End::kSpawnFailed;
    result.status = error;
    answers_[command].push_back(std::move(result));
  }
  void Crashes(const std::string& command, int signal) {
    ProcessResult result;
    result.started = true;
    result.end = ProcessResult::End::kSignaled;
    result.status = signal;
    answers_[command].push_back(std::move(result));
  }
  // Hangs until it is killed, at its deadline or by a cancel.
  void Hangs(const std::string& command) {
    ProcessResult result;
    result.end = ProcessResult::End::kTimedOut;
    answers_[command].push_back(std::move(result));
  }
  // As Hangs, and the kill does not succeed until `undead->dead` is set.
  std::shared_ptr<Quarantine> HangsUndead(const std::string& command) {
    Hangs(command);
    auto undead = std::make_shared<Quarantine>();
    undead->pid = 77;
    undead->state = "D";
    answers_[command].back().quarantine = undead;
    return undead;
  }

  Task<ProcessResult> Run(ProcessSpec spec) override {
    const Here here = co_await WhereAmI();
    specs.push_back(spec);
    ProcessResult result;
    result.end = ProcessResult::End::kCancelled;
    if (here.scope.cancelled()) co_return result;
    result = Next(CommandOf(spec));
    if (result.end == ProcessResult::End::kSpawnFailed) co_return result;
    result.started = true;
    if (spec.observer != nullptr) spec.observer->OnStarted(50);
    if (result.end == ProcessResult::End::kTimedOut) {
      try {
        co_await SleepUntil(clock_, spec.deadline);
      } catch (const Cancelled&) {
        result.end = ProcessResult::End::kCancelled;
      }
    }
    if (auto& takes = takes_[CommandOf(spec)]; !takes.empty()) {
      const Deadline end = Deadline::After(clock_.Now(), takes.front());
      takes.pop_front();
      co_await SleepUntil(clock_, end);
    }
    if (const auto time = all_the_same_.extract(CommandOf(spec))) {
      auto sleep = Sleep(time.mapped());
      auto shielded = Shield(clock_, Deadline::Never(), std::move(sleep));
      co_await std::move(shielded);
    }
    if (spec.observer != nullptr) spec.observer->OnEnded(50);
    co_return result;
  }
  Task<void> Tend() override { return SleepForEver(); }

  static std::string CommandOf(const ProcessSpec& spec) {
    // git's own options come first, each of the words "-C" and "-c" with a value.
    std::size_t at = 1;
    while (at < spec.argv.size() && spec.argv[at].starts_with('-')) {
      at += spec.argv[at] == "-C" || spec.argv[at] == "-c" ? 2 : 1;
    }
    if (at >= spec.argv.size()) return "";
    if (spec.argv[at] != "worktree") return spec.argv[at];
    return spec.argv[at] + " " + spec.argv[at + 1];
  }
  // The commands that were run, by name.
  Log Commands() const {
    Log all;
    for (const ProcessSpec& spec : specs) all.push_back(CommandOf(spec));
    return all;
  }

  std::vector<ProcessSpec> specs;

 private:
  Task<void> Sleep(Duration time) { co_await SleepFor(clock_, time); }
  Task<void> SleepForEver() { co_await SleepUntil(clock_, Deadline::Never()); }
  ProcessResult Next(const std::string& command) {
    auto& queue = answers_[command];
    if (queue.empty()) return {};
    ProcessResult result = std::move(queue.front());
    queue.pop_front();
    return result;
  }

  Clock& clock_;
  std::map<std::string, Duration> all_the_same_;
  std::map<std::string, std::deque<ProcessResult>> answers_;
  std::map<std::string, std::deque<Duration>> takes_;
};

}  // namespace oj
