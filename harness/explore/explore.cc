#include "explore/explore.h"

#include <algorithm>

#include "explore/random_chooser.h"
#include "explore/replay_chooser.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

constexpr int kTimelineWidth = 100;

std::string Show(const Trace& trace, std::size_t i) {
  if (i >= trace.events().size()) return "nothing";
  const TraceEvent& event = trace.events()[i];
  return "kind " + std::to_string(static_cast<int>(event.kind)) + "/" +
         std::to_string(static_cast<int>(event.daemon)) + " at " + ShowTime(event.at) + " of " +
         std::to_string(event.subject) + ", " + std::to_string(event.object) + ", " +
         std::to_string(event.value) + ", '" + std::string(trace.Text(event)) + "'";
}

bool Same(const Trace& a, const Trace& b, std::size_t i) {
  const TraceEvent& x = a.events()[i];
  const TraceEvent& y = b.events()[i];
  return x.at == y.at && x.kind == y.kind && x.daemon == y.daemon && x.subject == y.subject &&
         x.object == y.object && x.value == y.value && a.Text(x) == b.Text(y);
}

SimOptions OptionsFor(std::uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  return options;
}

void Count(const std::vector<Verdict>& verdicts, std::uint64_t seed, ExploreReport& report) {
  if (AllPass(verdicts)) return;
  ++report.violations;
  for (const Verdict& each : verdicts) {
    if (!each.pass()) ++report.laws[each.law];
  }
  if (!report.first_failure) report.first_failure = seed;
}

}  // namespace

std::string FirstDifference(const SimResult& a, const SimResult& b) {
  const std::size_t most = std::max(a.trace.events().size(), b.trace.events().size());
  for (std::size_t i = 0; i < most; ++i) {
    const bool both = i < a.trace.events().size() && i < b.trace.events().size();
    if (both && Same(a.trace, b.trace, i)) continue;
    return "record " + std::to_string(i) + " is " + Show(a.trace, i) + " in the first run, " +
           Show(b.trace, i) + " in the second";
  }
  if (a.trace.digest() == b.trace.digest()) return "";
  return "the records are equal, the digests are not: " + a.trace.digest().Hex() + ", " +
         b.trace.digest().Hex() + " (" + std::to_string(a.steps) + ", " + std::to_string(b.steps) +
         " steps)";
}

Judged RunSeed(const Scenario& scenario, std::uint64_t seed, std::uint32_t without) {
  RandomChooser chooser(seed, without);
  Judged judged;
  judged.run = RunSim(scenario, chooser, OptionsFor(seed));
  judged.verdicts = Judging(scenario).Judge(judged.run, chooser);
  judged.tape = TapeOf(chooser);
  return judged;
}

ExploreReport Explore(const Scenario& scenario, const ExploreOptions& options) {
  ExploreReport report;
  const Judging judging(scenario);
  SimResult run;
  SimResult again;
  Digest digest;
  const auto now = [&] { return options.now ? options.now() : Duration::zero(); };
  const Duration begin = now();
  for (; report.runs < options.runs; ++report.runs) {
    if (options.budget > Duration::zero() && now() - begin >= options.budget) break;
    if (options.stop_at_first && report.first_failure) break;
    const std::uint64_t seed = options.seed + report.runs;
    RandomChooser chooser(seed, options.without);
    RunSim(scenario, chooser, OptionsFor(seed), run);
    Count(judging.Judge(run, chooser), seed, report);
    digest.Add(run.trace.digest().Hex());
    report.steps += run.steps;
    report.decisions += chooser.tape().size();
    report.simulated += run.ended.time_since_epoch();
    if (!options.twice) continue;
    RandomChooser same(seed, options.without);
    RunSim(scenario, same, OptionsFor(seed), again);
    const std::string difference = FirstDifference(run, again);
    if (difference.empty()) continue;
    if (++report.mismatches == 1) {
      report.first_mismatch = "seed " + std::to_string(seed) + ": " + difference;
    }
  }
  report.real = now() - begin;
  report.digest = digest.Hex();
  return report;
}

FailureFile FailureOf(const Scenario& scenario, std::uint64_t seed, const std::string& law,
                      const Judged& judged) {
  FailureFile file;
  file.scenario = scenario.path;
  file.settings = scenario.settings;
  file.seed = seed;
  file.law = law;
  for (const Verdict& each : judged.verdicts) {
    if (each.law == law && !each.pass()) file.message = each.violations.front().message;
  }
  file.digest = judged.run.trace.digest().Hex();
  file.tape = judged.tape;
  file.timeline = RenderTimeline(judged.run.trace, kTimelineWidth, false);
  return file;
}

Result<Judged> Replay(const Scenario& scenario, std::uint64_t seed, const Tape& tape) {
  ReplayChooser chooser(tape);
  Judged judged;
  judged.run = RunSim(scenario, chooser, OptionsFor(seed));
  const std::string misfit = chooser.Misfit();
  if (!misfit.empty()) {
    return Error{ErrorCode::kConflict, "the recorded run does not fit this code: " + misfit, ""};
  }
  judged.verdicts = Judging(scenario).Judge(judged.run, chooser);
  judged.tape = TapeOf(chooser);
  return judged;
}

}  // namespace oj::sim
