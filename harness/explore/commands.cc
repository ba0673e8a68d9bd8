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
#include "explore/meter.h"
#include "explore/report.h"
#include "explore/runs.h"
#include "explore/shards.h"
#include "explore/shrink.h"
#include "explore/sweep.h"
#include "report/page.h"
#include "scenario/record.h"
#include "terminal/colour.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

constexpr int kPass = 0, kFail = 1, kRefused = 2;

int Refuse(const std::string& why) {
  std::cerr << "oj-harness: " << why << '\n';
  return kRefused;
}

bool Colour() { return terminal::UsesColour(isatty(STDOUT_FILENO) == 1); }
int Width() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60;
  return known ? size.ws_col : 100;
}

int Print(const Result<RunReport>& report, bool as_json) {
  if (!report) return Refuse(report.error().message);
  if (as_json) {
    std::cout << boost::json::serialize(AsJson(*report)) << '\n';
  } else {
    std::cout << AsText(*report, Width(), Colour());
  }
  return AllPass(report->verdicts) ? kPass : kFail;
}

// Of `run`, for the same.
std::string AsArguments(const ChoiceOptions& options) {
  std::string arguments;
  if (options.strategy != "swarm") arguments += " --strategy " + options.strategy;
  if (options.strategy == "pct") arguments += " --depth " + std::to_string(options.depth);
  for (const std::string& each : options.without) arguments += " --without " + each;
  return arguments;
}

Duration RealNow() { return Duration(std::chrono::steady_clock::now().time_since_epoch()); }
Duration FromSeconds(double seconds) { return Duration(static_cast<Duration::rep>(seconds * 1e9)); }

ShrinkOptions ShrinkWithin(double seconds, std::uint64_t seed, const std::string& law) {
  ShrinkOptions options;
  options.seed = seed;
  options.law = law;
  options.budget = FromSeconds(seconds);
  options.now = RealNow;
  return options;
}

// The text of a scenario's file; its digest goes into what a failure leaves behind.
Status Write(const std::string& path, FailureFile file) {
  const Result<std::string> text = ReadFileText(file.scenario);
  if (!text) return text.error();
  file.scenario_digest = DigestOf(*text);
  std::ofstream out(path, std::ios::binary);
  out << WriteFailure(file);
  if (out.close(); !out) {
    return Error{ErrorCode::kInvalidRequest, path + ":0: file: cannot be written", ""};
  }
  return Ok{};
}

// Says what was run many times.
boost::json::object Titled(boost::json::object data, const Scenario& scenario) {
  data["scenario"] = scenario.path;
  data["about"] = scenario.about;
  return data;
}

// The page of many runs, where one is wished.
Status Draw(const std::string& path, const boost::json::object& data) {
  if (path.empty()) return Ok{};
  const Status written = WriteFile(path, SurveyPage(data));
  if (written) return Ok{};
  return Error{ErrorCode::kInvalidRequest, "--report: " + written.error().message, ""};
}

// What a long command is to write in the end can be written.
Status CheckPage(const std::string& path) {
  if (path.empty()) return Ok{};
  std::error_code error;
  if (fs::is_fifo(path, error)) return Ok{};  // its reader would see the end
  const bool there = fs::exists(fs::symlink_status(path, error));
  const bool can = std::ofstream(path, std::ios::app).is_open();
  if (can && !there) fs::remove(path, error);
  if (can) return Ok{};
  return Error{ErrorCode::kInvalidRequest, "--report: " + path + ": cannot be written", ""};
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

std::string MessageOf(const std::vector<Verdict>& verdicts, const std::string& law) {
  for (const Verdict& each : verdicts) {
    if (each.law == law && !each.pass()) return each.violations.front().message;
  }
  return "";
}

// The first failure of an exploration: reduced, written where that is wished. An error leaves told
// what was known by then.
Status Tell(const Scenario& scenario, const ExploreReport& report, const Way& way,
            const ExploreCommandOptions& options, std::optional<FailureStory>& story) {
  const std::uint64_t seed = *report.first_failure;
  Result<Judged> failed =
      report.first_tape ? Replay(scenario, seed, *report.first_tape) : RunSeed(scenario, seed, way);
  if (!failed) return failed.error();
  const Judged& judged = *failed;
  FailureStory& told = story.emplace();
  told.law = FirstFailure(judged.verdicts)->law;
  told.message = MessageOf(judged.verdicts, told.law);
  told.replay = "oj-harness run " + Quoted(options.file) + " --seed " + std::to_string(seed);
  told.replay += AsArguments(options.choice);
  if (report.first_tape) told.replay.clear();  // no seed leads there: only a file does
  if (options.shrink_seconds > 0) {
    ShrinkOptions shrink = ShrinkWithin(options.shrink_seconds, seed, told.law);
    Meter meter("shrink", "decisions are left", shrink.budget);
    shrink.tell = meter.Tell();
    Result<Shrunk> shrunk = Shrink(scenario, judged.tape, shrink);
    if (!shrunk) return shrunk.error();
    told.shrunk = std::move(*shrunk);
    told.message = MessageOf(told.shrunk->judged.verdicts, told.law);
  }
  if (options.failures.empty()) return Ok{};
  const std::string name = fs::path(scenario.path).stem().string() + "-" + told.law + "-" +
                           std::to_string(seed) + ".txt";
  const std::string path = (fs::path(options.failures) / name).string();
  const Judged& smallest = told.shrunk ? told.shrunk->judged : judged;
  const Status written = Write(path, FailureOf(scenario, seed, told.law, smallest));
  if (written) told.replay = "oj-harness replay " + Quoted(path);
  return written;
}

ExploreReport ExploreAll(const Scenario& scenario, ExploreOptions explore,
                         const ExploreCommandOptions& options) {
  Meter meter("explore", "broke a law", explore.budget);
  explore.tell = meter.Tell();
  return options.jobs > 1 && options.orders == 0 ? ExploreInShards(scenario, explore, options.jobs)
                                                 : Explore(scenario, explore);
}

Result<RunReport> RunAndWait(const RunCommandOptions& options) {
  const Waiting waiting("run: in the world " + options.world);
  return RunOf(options);
}

Result<RunReport> ReplayAndWait(const std::string& file) {
  const Waiting waiting("replay: in the world sim");
  return ReplayOf(file);
}

}  // namespace

int RunCommand(const RunCommandOptions& options) {
  return Print(RunAndWait(options), options.json);
}

int ReplayCommand(const std::string& file, bool json) { return Print(ReplayAndWait(file), json); }

namespace {

Status CheckExplore(const Scenario& scenario, const ExploreCommandOptions& options) {
  if (options.orders > 0 && scenario.clients.empty()) {
    return Error{ErrorCode::kInvalidRequest,
                 options.file + ": client: all orders of a mix would be none: it draws its calls",
                 ""};
  }
  const Status page = CheckPage(options.report);
  return page ? CheckDirectory("--failures", options.failures) : page;
}

}  // namespace

int ExploreCommand(const ExploreCommandOptions& options) {
  const Result<Scenario> scenario = LoadFor(options.file, World::kSim);
  if (!scenario) return Refuse(scenario.error().message);
  ExploreOptions explore;
  explore.runs = options.runs;
  explore.seed = options.seed;
  explore.budget = FromSeconds(options.seconds);
  explore.twice = options.twice;
  explore.stop_at_first = options.stop_at_first;
  const Result<Way> way = WayOf(options.choice);
  if (!way) return Refuse(way.error().message);
  explore.way = *way;
  explore.exhaustive = options.orders;
  const Status checked = CheckExplore(*scenario, options);
  if (!checked) return Refuse(checked.error().message);
  explore.now = RealNow;
  const ExploreReport report = ExploreAll(*scenario, explore, options);
  std::optional<FailureStory> first;
  Status told = Ok{};
  if (report.first_failure) told = Tell(*scenario, report, *way, options, first);
  const FailureStory* story = first ? &*first : nullptr;
  const boost::json::object json = Titled(AsJson(report, explore, story), *scenario);
  if (options.json) {
    std::cout << boost::json::serialize(json) << '\n';
  } else {
    if (first && first->shrunk) std::cout << AsText(*first->shrunk, first->law, Width(), Colour());
    std::cout << AsText(report, explore, story, Colour());
  }
  const Status drawn = Draw(options.report, json);
  if (!told) return Refuse(told.error().message);
  if (!drawn) return Refuse(drawn.error().message);
  return report.violations == 0 && report.mismatches == 0 ? kPass : kFail;
}

namespace {

RunReport RunOf(const Scenario& scenario, const SweepFailure& failure) {
  RunReport report{scenario, World::kSim, failure.trace, failure.verdicts};
  const auto& events = report.trace.events();
  if (!events.empty()) report.took = events.back().at.time_since_epoch();
  report.steps = failure.steps;
  report.seed = failure.seed;
  report.about = failure.where.empty() ? failure.kind : failure.kind + " " + failure.where;
  return report;
}

SweepReport SweepAll(const Scenario& scenario, SweepOptions sweep) {
  Meter meter("sweep", "went wrong");
  sweep.tell = meter.Tell();
  return Sweep(scenario, sweep);
}

}  // namespace

int SweepCommand(const SweepCommandOptions& options) {
  const Result<Scenario> scenario = LoadFor(options.file, World::kSim);
  if (!scenario) return Refuse(scenario.error().message);
  SweepOptions sweep;
  sweep.bases = options.bases;
  sweep.pairs = options.pairs;
  sweep.faults = options.faults;
  sweep.stop_at_first = options.stop_at_first;
  sweep.now = RealNow;
  for (const std::string& name : options.kinds) {
    std::size_t kind = 0;
    while (kind < kSweepKinds && Name(static_cast<SweepKind>(kind)) != name) ++kind;
    if (kind == kSweepKinds) return Refuse("--kinds: there is no '" + name + "'");
    sweep.kinds.push_back(static_cast<SweepKind>(kind));
  }
  const Status checked = CheckPage(options.report);
  if (!checked) return Refuse(checked.error().message);
  const SweepReport report = SweepAll(*scenario, sweep);
  boost::json::object json = Titled(AsJson(report), *scenario);
  const fs::path page = fs::path(options.report).replace_extension(".first.html");
  if (report.first && !options.report.empty()) {
    json["first_failure"].as_object()["page"] = page.filename().string();
  }
  if (options.json) {
    std::cout << boost::json::serialize(json) << '\n';
  } else {
    if (report.first) {
      std::cout << AsText(RunOf(*scenario, *report.first), Width(), Colour()) << '\n';
    }
    std::cout << options.file << ": " << AsText(report, Colour());
  }
  if (report.first && !options.report.empty()) {
    const Status drawn = WriteFile(page.string(), AsPage(RunOf(*scenario, *report.first)));
    if (!drawn) return Refuse("--report: " + drawn.error().message);
  }
  const Status drawn = Draw(options.report, json);
  if (!drawn) return Refuse(drawn.error().message);
  return report.pass() ? kPass : kFail;
}

namespace {

Result<Shrunk> ShrinkAll(const Recorded& recorded, double seconds) {
  ShrinkOptions options = ShrinkWithin(seconds, recorded.file.seed, recorded.file.law);
  Meter meter("shrink", "decisions are left", options.budget);
  options.tell = meter.Tell();
  return Shrink(recorded.scenario, recorded.file.tape, options);
}

}  // namespace

int ShrinkCommand(const std::string& file, const std::string& to, double seconds) {
  const Result<Recorded> recorded = LoadRecorded(file);
  if (!recorded) return Refuse(recorded.error().message);
  const auto& [failure, scenario] = *recorded;
  const Result<Shrunk> shrunk = ShrinkAll(*recorded, seconds);
  if (!shrunk) return Refuse(file + ": " + shrunk.error().message);
  const Status written = Write(to, FailureOf(scenario, failure.seed, failure.law, shrunk->judged));
  if (!written) return Refuse(written.error().message);
  std::cout << AsText(*shrunk, failure.law, Width(), Colour()) << "written to " << to
            << "; again:\n    oj-harness replay " << Quoted(to) << '\n';
  return kPass;
}

int RecordCommand(const std::string& dump, const std::string& to) {
  const Result<std::string> text = ReadFileText(dump);
  if (!text) return Refuse(text.error().message);
  const Result<std::string> scenario = ScenarioOf(*text, dump);
  if (!scenario) return Refuse(scenario.error().message);
  // What is written can be run.
  const std::string made = "the scenario made of " + dump;
  const Result<Scenario> parsed = ParseScenario(*scenario, made);
  if (!parsed) return Refuse(parsed.error().message);
  if (to.empty()) {
    std::cout << *scenario;
    return kPass;
  }
  std::ofstream out(to, std::ios::binary);
  out << *scenario;
  if (out.close(); !out) return Refuse(to + ": cannot be written");
  std::cout << "written to " << to << "; run it:\n    oj-harness run " << Quoted(to) << '\n';
  return kPass;
}

}  // namespace oj::sim
