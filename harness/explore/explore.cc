#include "explore/explore.h"

#include <algorithm>
#include <cstdio>

#include "explore/odometer.h"
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
    if (!each.pass()) report.laws[each.law].Add({1, seed});
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

Judged RunSeed(const Scenario& scenario, std::uint64_t seed, const Way& way) {
  RandomChooser chooser(seed, way);
  Judged judged;
  judged.run = RunSim(scenario, chooser, OptionsFor(seed));
  judged.verdicts = Judging(scenario).Judge(judged.run, chooser);
  judged.tape = TapeOf(chooser);
  return judged;
}

void DigestSum::Add(std::uint64_t seed, const Digest& digest) {
  Digest each = digest;
  each.Add(seed);
  low += each.word();
  each.Add(seed);
  high += each.word();
}

std::string DigestSum::Hex() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

namespace {

class Explorer {
 public:
  Explorer(const Scenario& scenario, const ExploreOptions& options)
      : scenario_(scenario), options_(options), judging_(scenario), odometer_(options.exhaustive) {}

  ExploreReport Run() {
    const Duration begin = Now();
    while (report_.runs < options_.runs && !report_.complete) {
      const Duration now = Now();
      if (options_.budget > Duration::zero() && now - begin >= options_.budget) break;
      if (options_.stop_at_first && report_.first_failure) break;
      One();
      if (options_.tell) {
        options_.tell({report_.runs, options_.exhaustive > 0 ? 0 : options_.runs,
                       report_.violations, now - begin});
      }
      if (report_.runs >= next_growth_) Grown();
    }
    if (report_.runs > 0) Grown();
    report_.real = Now() - begin;
    return std::move(report_);
  }

 private:
  Duration Now() const { return options_.now ? options_.now() : Duration::zero(); }

  // So that a million runs have some seventy points.
  void Grown() {
    report_.growth.emplace_back(report_.runs, report_.coverage.behaviours());
    next_growth_ = report_.runs + report_.runs / 5 + 1;
  }

  void One() {
    const std::uint64_t seed = options_.seed + report_.runs * options_.stride;
    ++report_.runs;
    if (options_.exhaustive > 0) {
      OdometerChooser chooser(odometer_);
      Judge(options_.seed, chooser);
      if (report_.first_failure && !report_.first_tape) report_.first_tape = TapeOf(chooser);
      report_.complete = !odometer_.Advance();
      return;
    }
    RandomChooser chooser(seed, options_.way);
    Judge(seed, chooser);
    if (chooser.pct()) {
      report_.strands = std::max(report_.strands, chooser.pct()->strands());
      report_.schedule = std::max(report_.schedule, chooser.pct()->steps());
    }
    if (options_.twice) Again(seed);
  }

  void Judge(std::uint64_t seed, Chooser& chooser) {
    RunSim(scenario_, chooser, OptionsFor(seed), run_);
    Count(judging_.Judge(run_, chooser), seed, report_);
    report_.coverage.Add(run_, chooser);
    report_.digest.Add(seed, run_.trace.digest());
    report_.steps += run_.steps;
    report_.decisions += chooser.tape().size();
    report_.simulated += run_.ended.time_since_epoch();
  }

  void Again(std::uint64_t seed) {
    RandomChooser chooser(seed, options_.way);
    RunSim(scenario_, chooser, OptionsFor(seed), again_);
    const std::string difference = FirstDifference(run_, again_);
    if (difference.empty()) return;
    if (++report_.mismatches > 1) return;
    report_.first_mismatch = "seed " + std::to_string(seed) + ": " + difference;
  }

  const Scenario& scenario_;
  const ExploreOptions& options_;
  const Judging judging_;
  Odometer odometer_;
  std::uint64_t next_growth_ = 1;  // runs
  SimResult run_;
  SimResult again_;
  ExploreReport report_;
};

}  // namespace

ExploreReport Explore(const Scenario& scenario, const ExploreOptions& options) {
  return Explorer(scenario, options).Run();
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
