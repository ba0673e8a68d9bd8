#include "explore/runs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "explore/random_chooser.h"
#include "scenario/scaled.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

Error Wrong(const std::string& why) { return {ErrorCode::kInvalidRequest, why, ""}; }

}  // namespace

Result<Scenario> LoadFor(const std::string& file, World world) {
  Result<Scenario> scenario = LoadScenario(file);
  if (!scenario) return scenario;
  const auto& worlds = scenario->worlds;
  if (std::find(worlds.begin(), worlds.end(), world) == worlds.end()) {
    return Wrong(file + ": is not for the world " + std::string(Name(world)) +
                 ", which its key `worlds` does not name");
  }
  return scenario;
}

Result<Way> WayOf(const ChoiceOptions& options) {
  Way way;
  way.swarm = options.strategy == "swarm";
  way.pct = options.strategy == "pct" ? options.depth : 0;
  for (const std::string& name : options.without) {
    std::size_t i = 0;
    while (i < kSiteClasses && Name(static_cast<SiteClass>(i)) != name) ++i;
    if (i == kSiteClasses) {
      return Wrong("--without: there is no class '" + name + "'");
    }
    way.without |= BitOf(static_cast<SiteClass>(i));
  }
  return way;
}

namespace {

Result<RunReport> RunInSim(const RunCommandOptions& options) {
  Result<Scenario> scenario = LoadFor(options.file, World::kSim);
  if (!scenario) return scenario.error();
  const Result<Way> way = WayOf(options.choice);
  if (!way) return way.error();
  Judged judged = RunSeed(*scenario, options.seed, *way);
  RunReport report{std::move(*scenario), World::kSim, std::move(judged.run.trace),
                   std::move(judged.verdicts)};
  report.took = judged.run.ended.time_since_epoch();
  report.steps = judged.run.steps;
  report.seed = options.seed;
  report.about = RandomChooser(options.seed, *way).About();
  return report;
}

// Beside this program.
fs::path Beside(const char* what) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / what).lexically_normal();
}

template <class Is>
bool AnyStep(const Scenario& scenario, Is is) {
  return std::any_of(scenario.clients.begin(), scenario.clients.end(),
                     [&](const ClientScript& client) {
                       return std::any_of(client.steps.begin(), client.steps.end(), is);
                     });
}

bool AsksForUnits(const Step& step) {
  constexpr std::string_view kType = "\"type\":\"";
  const std::size_t at = step.text.find(kType);
  return at != std::string::npos && HasUnits(std::string_view(step.text).substr(at + kType.size()));
}

std::vector<Verdict> JudgeTwin(const Scenario& scenario, Duration slack, const TwinRun& run) {
  Facts facts = Judging(scenario).FactsFor(run.trace);
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
  const bool asked_to_stop = AnyStep(scenario, [](const Step& step) {
    return step.text.find("\"Shutdown\"") != std::string::npos;
  });
  if ((!run.stopped_by_term && !asked_to_stop) || run.daemon_exit != 0) {
    facts.unexpected.push_back("the daemon did not stop on SIGTERM with 0, but with " +
                               std::to_string(run.daemon_exit) + "; its last words:\n" +
                               run.daemon_log);
  }
  return Judge(run.trace, facts);
}

}  // namespace

Duration LongestUnitOf(const Scenario& scenario, Duration slack) {
  if (!AnyStep(scenario, AsksForUnits)) return Duration();
  Facts facts = Judging(scenario).FactsFor(Trace());
  facts.slack = slack;
  return facts.LongestUnit();
}

Status CheckDirectory(const std::string& option, const std::string& path) {
  if (path.empty()) return Ok{};
  std::error_code error;
  fs::create_directories(path, error);
  if (fs::is_directory(path, error) && access(path.c_str(), W_OK | X_OK) == 0) return Ok{};
  return Error{ErrorCode::kInvalidRequest,
               option + ": " + path + ": is no directory that can be written to", ""};
}

Result<JudgedTwin> RunOnProcesses(const Scenario& scenario, World world,
                                  const RunCommandOptions& options) {
  const char* lab = std::getenv("OJ_LAB");
  if (lab != nullptr && *lab != '\0') {
    return Wrong("the tools of this shell are those of the lab " + std::string(lab) +
                 ": run it outside the lab");
  }
  TwinOptions twin;
  twin.ojd = options.ojd.empty() ? Beside("ojd").string() : options.ojd;
  twin.fakes_dir = Beside("../libexec/oj/fakes").string();
  if (!fs::exists(twin.ojd)) {
    return Wrong("--ojd: there is no daemon at " + twin.ojd);
  }
  const Duration slack = std::chrono::milliseconds(options.slack_ms);
  twin.slack = std::max(twin.slack, slack);
  twin.unit = LongestUnitOf(scenario, slack);
  Result<TwinRun> run = RunTwin(scenario, world, twin);
  if (!run) return run.error();
  auto verdicts = JudgeTwin(scenario, slack, *run);
  return JudgedTwin{std::move(*run), std::move(verdicts)};
}

namespace {

Result<RunReport> ReportOnProcesses(const RunCommandOptions& options, World world) {
  Result<Scenario> scenario = LoadFor(options.file, world);
  if (!scenario) return scenario.error();
  *scenario = Scaled(*scenario, options.scale);
  Result<JudgedTwin> judged = RunOnProcesses(*scenario, world, options);
  if (!judged) return judged.error();
  RunReport report{std::move(*scenario), world, std::move(judged->run.trace),
                   std::move(judged->verdicts)};
  const auto& events = report.trace.events();
  if (!events.empty()) report.took = events.back().at.time_since_epoch();
  return report;
}

}  // namespace

Result<RunReport> RunOf(const RunCommandOptions& options) {
  if (options.world == "sim") return RunInSim(options);
  if (options.world == "fakes") return ReportOnProcesses(options, World::kFakes);
  if (options.world == "real") return ReportOnProcesses(options, World::kReal);
  return Wrong("--world: must be sim, fakes or real");
}

Result<Recorded> LoadRecorded(const std::string& file) {
  const Result<std::string> text = ReadFileText(file);
  if (!text) return text.error();
  Result<FailureFile> failure = ParseFailure(*text, file);
  if (!failure) return failure.error();
  const Result<std::string> scenario_text = ReadFileText(failure->scenario);
  if (!scenario_text) return Wrong(file + ": scenario: " + scenario_text.error().message);
  if (DigestOf(*scenario_text) != failure->scenario_digest) {
    return Wrong(file + ": scenario-digest: " + failure->scenario +
                 " has changed since: the recorded run does not fit it");
  }
  Result<Scenario> scenario = LoadFor(failure->scenario, World::kSim);
  if (!scenario) return scenario.error();
  return Recorded{std::move(*failure), std::move(*scenario)};
}

Result<RunReport> ReplayOf(const std::string& file) {
  Result<Recorded> recorded = LoadRecorded(file);
  if (!recorded) return recorded.error();
  auto& [failure, scenario] = *recorded;
  Result<Judged> judged = Replay(scenario, failure.seed, failure.tape);
  if (!judged) return Wrong(file + ": " + judged.error().message);
  RunReport report{std::move(scenario), World::kSim, std::move(judged->run.trace),
                   std::move(judged->verdicts)};
  report.took = judged->run.ended.time_since_epoch();
  report.steps = judged->run.steps;
  report.seed = failure.seed;
  report.about = "replayed; it broke " + failure.law;
  return report;
}

}  // namespace oj::sim
