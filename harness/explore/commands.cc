#include "explore/commands.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "explore/explore.h"
#include "explore/random_chooser.h"
#include "explore/report.h"
#include "explore/sweep.h"
#include "scenario/twin.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

constexpr int kPass = 0, kFail = 1, kRefused = 2;

int Refuse(const std::string& why) {
  std::cerr << "oj-harness: " << why << '\n';
  return kRefused;
}

bool OnTerminal() { return isatty(STDOUT_FILENO) == 1; }
int Width() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60;
  return known ? size.ws_col : 100;
}

int Print(const RunReport& report, bool as_json) {
  if (as_json) {
    std::cout << boost::json::serialize(AsJson(report)) << '\n';
  } else {
    std::cout << AsText(report, Width(), OnTerminal());
  }
  return AllPass(report.verdicts) ? kPass : kFail;
}

// The scenario, if it is for that world.
Result<Scenario> LoadFor(const std::string& file, World world) {
  Result<Scenario> scenario = LoadScenario(file);
  if (!scenario) return scenario;
  const auto& worlds = scenario->worlds;
  if (std::find(worlds.begin(), worlds.end(), world) == worlds.end()) {
    return Error{ErrorCode::kInvalidRequest,
                 file + ":0: worlds: is not for the world " + std::string(Name(world)), ""};
  }
  return scenario;
}

int RunInSim(const RunCommandOptions& options) {
  const Result<Scenario> scenario = LoadFor(options.file, World::kSim);
  if (!scenario) return Refuse(scenario.error().message);
  const Judged judged = RunSeed(*scenario, options.seed);
  RunReport report{*scenario, World::kSim, judged.run.trace, judged.verdicts};
  report.took = judged.run.ended.time_since_epoch();
  report.steps = judged.run.steps;
  report.seed = options.seed;
  report.about = RandomChooser(options.seed).About();
  return Print(report, options.json);
}

// Beside this program.
fs::path Beside(const char* what) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / what).lexically_normal();
}

std::vector<Verdict> JudgeTwin(const Scenario& scenario, double scale, Duration slack,
                               const TwinRun& run) {
  Facts facts = Judging(scenario, scale).FactsFor(run.trace);
  facts.slack = slack;
  facts.at_rest = run.quiet;
  facts.left = {
      {"zombies", run.zombies},
      {"live processes", static_cast<std::int64_t>(run.live.size())},
      {"processes that outlived the daemon", static_cast<std::int64_t>(run.left_over.size())},
      {"open descriptors", run.descriptors_after - run.descriptors_before}};
  for (const StepOutcome& each : run.steps) {
    if (each.expected) continue;
    facts.unexpected.push_back(scenario.path + ":" + std::to_string(each.line) + ": " +
                               each.client + ": came out as " + each.outcome);
  }
  if (!run.stopped_by_term || run.daemon_exit != 0) {
    facts.unexpected.push_back("the daemon did not stop on SIGTERM with 0, but with " +
                               std::to_string(run.daemon_exit) + "; its last words:\n" +
                               run.daemon_log);
  }
  return Judge(run.trace, facts);
}

int RunOnProcesses(const RunCommandOptions& options, World world) {
  const Result<Scenario> scenario = LoadFor(options.file, world);
  if (!scenario) return Refuse(scenario.error().message);
  TwinOptions twin;
  twin.ojd = options.ojd.empty() ? Beside("ojd").string() : options.ojd;
  twin.fakes_dir = Beside("../libexec/oj/fakes").string();
  twin.scale = options.scale;
  if (!fs::exists(twin.ojd)) return Refuse("--ojd: there is no daemon at " + twin.ojd);
  const Result<TwinRun> run = RunTwin(*scenario, world, twin);
  if (!run) return Refuse(run.error().message);
  const Duration slack = std::chrono::milliseconds(options.slack_ms);
  const auto verdicts = JudgeTwin(*scenario, options.scale, slack, *run);
  RunReport report{*scenario, world, run->trace, verdicts};
  const auto& events = run->trace.events();
  if (!events.empty()) report.took = events.back().at.time_since_epoch();
  return Print(report, options.json);
}

// Writes the first failure's file. Its path.
Result<std::string> WriteFirstFailure(const Scenario& scenario, const Result<std::string>& text,
                                      std::uint64_t seed, const std::string& directory) {
  if (!text) return text.error();
  FailureFile file = FailureOf(scenario, seed, RunSeed(scenario, seed));
  file.scenario_digest = DigestOf(*text);
  std::error_code error;
  fs::create_directories(directory, error);
  const fs::path path = fs::path(directory) / (fs::path(scenario.path).stem().string() + "-" +
                                               file.law + "-" + std::to_string(seed) + ".txt");
  std::ofstream out(path, std::ios::binary);
  out << WriteFailure(file);
  if (out.close(); !out) {
    return Error{ErrorCode::kInvalidRequest, path.string() + ":0: file: cannot be written", ""};
  }
  return path.string();
}

// A word for a shell.
std::string Quoted(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("/._-+=,:@").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !word.empty()) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

int RunCommand(const RunCommandOptions& options) {
  if (options.world == "sim") return RunInSim(options);
  if (options.world == "fakes") return RunOnProcesses(options, World::kFakes);
  if (options.world == "real") return RunOnProcesses(options, World::kReal);
  return Refuse("--world: must be sim, fakes or real");
}

int ExploreCommand(const ExploreCommandOptions& options) {
  const Result<Scenario> scenario = LoadFor(options.file, World::kSim);
  if (!scenario) return Refuse(scenario.error().message);
  ExploreOptions explore;
  explore.runs = options.runs;
  explore.seed = options.seed;
  explore.budget = Duration(static_cast<Duration::rep>(options.seconds * 1e9));
  explore.twice = options.twice;
  explore.now = [] { return Duration(std::chrono::steady_clock::now().time_since_epoch()); };
  const ExploreReport report = Explore(*scenario, explore);
  std::string replay;
  if (report.first_failure && options.failures.empty()) {
    replay = "oj-harness run " + Quoted(options.file) + " --seed " +
             std::to_string(*report.first_failure);
  } else if (report.first_failure) {
    const auto path = WriteFirstFailure(*scenario, ReadFileText(options.file),
                                        *report.first_failure, options.failures);
    if (!path) return Refuse(path.error().message);
    replay = "oj-harness replay " + Quoted(*path);
  }
  if (options.json) {
    std::cout << boost::json::serialize(AsJson(report, explore, replay)) << '\n';
  } else {
    std::cout << AsText(report, explore, replay);
  }
  return report.violations == 0 && report.mismatches == 0 ? kPass : kFail;
}

int SweepCommand(const std::string& file) {
  const Result<Scenario> scenario = LoadFor(file, World::kSim);
  if (!scenario) return Refuse(scenario.error().message);
  if (scenario->clients.empty()) return Refuse(file + ": client: a sweep needs a script");
  const SweepReport report = Sweep(*scenario);
  std::cout << file << ": " << AsText(report);
  return report.pass() ? kPass : kFail;
}

int ReplayCommand(const std::string& file, bool json) {
  const Result<std::string> text = ReadFileText(file);
  if (!text) return Refuse(text.error().message);
  const Result<FailureFile> failure = ParseFailure(*text, file);
  if (!failure) return Refuse(failure.error().message);
  const Result<std::string> scenario_text = ReadFileText(failure->scenario);
  if (!scenario_text) return Refuse(file + ": scenario: " + scenario_text.error().message);
  if (DigestOf(*scenario_text) != failure->scenario_digest) {
    return Refuse(file + ": scenario-digest: " + failure->scenario +
                  " has changed since: the recorded run does not fit it");
  }
  const Result<Scenario> scenario = LoadFor(failure->scenario, World::kSim);
  if (!scenario) return Refuse(scenario.error().message);
  const Result<Judged> judged = Replay(*scenario, failure->seed, failure->tape);
  if (!judged) return Refuse(file + ": " + judged.error().message);
  RunReport report{*scenario, World::kSim, judged->run.trace, judged->verdicts};
  report.took = judged->run.ended.time_since_epoch();
  report.steps = judged->run.steps;
  report.seed = failure->seed;
  report.about = "replayed; it broke " + failure->law;
  return Print(report, json);
}

}  // namespace oj::sim
