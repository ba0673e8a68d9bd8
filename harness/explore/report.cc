#include "explore/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>

#include "report/page.h"
#include "report/run_data.h"
#include "terminal/colour.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

namespace json = boost::json;
using terminal::Style;
using terminal::Styled;

constexpr std::size_t kMostShown = 5;  // violations of one law

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

double Seconds(Duration time) { return static_cast<double>(time.count()) / 1e9; }

// Of the runs and their repetitions, for each second of real time.
double RunsPerSecond(const ExploreReport& report, bool twice) {
  const double runs = static_cast<double>(report.runs) * (twice ? 2 : 1);
  return report.real > Duration::zero() ? runs / Seconds(report.real) : 0;
}
double VirtualToReal(const ExploreReport& report) {
  return report.real > Duration::zero() ? Seconds(report.simulated) / Seconds(report.real) : 0;
}

std::string Rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", number);
  return text;
}

}  // namespace

std::string AsText(const RunReport& report, int width, bool color) {
  std::string text = report.scenario.path + ": " + report.scenario.about + "\nworld " +
                     std::string(Name(report.world));
  if (report.world == World::kSim) {
    text.append(", seed ").append(std::to_string(report.seed)).append(" (");
    text.append(report.about).append(")");
  }
  text += "\n\n";
  for (const Verdict& each : report.verdicts) {
    const bool pass = each.pass();
    text += Padded(each.law, 9) + Padded(each.title, 24) +
            Styled(pass ? "pass" : "FAIL", pass ? Style::kGood : Style::kBad, color) + "\n";
    const std::size_t shown = std::min(kMostShown, each.violations.size());
    for (std::size_t i = 0; i < shown; ++i) {
      const Violation& violation = each.violations[i];
      text += "    at " + ShowTime(violation.at) + ": " + violation.message + "\n";
    }
    const std::size_t more = each.violations.size() - shown;
    if (more > 0) text.append("    and ").append(std::to_string(more)).append(" more\n");
  }
  text.append("\n").append(RenderTimeline(report.trace, width, color));
  text.append("\ntook ").append(ShowTime(report.took));
  if (report.world == World::kSim) {
    text.append(" of virtual time, ").append(std::to_string(report.steps));
    text.append(" steps, digest ").append(report.trace.digest().Hex());
  }
  return text + "\n";
}

json::object AsJson(const RunReport& report) {
  json::array laws;
  for (const Verdict& each : report.verdicts) {
    json::array violations;
    for (const Violation& violation : each.violations) {
      violations.push_back(json::object{{"at_ms", Millis(violation.at.time_since_epoch())},
                                        {"message", violation.message},
                                        {"events", json::value_from(violation.events)}});
    }
    laws.push_back(json::object{{"law", each.law},
                                {"title", each.title},
                                {"verdict", each.pass() ? "pass" : "fail"},
                                {"violations", std::move(violations)}});
  }
  json::object object{{"scenario", report.scenario.path},
                      {"world", Name(report.world)},
                      {"verdict", AllPass(report.verdicts) ? "pass" : "fail"},
                      {"laws", std::move(laws)}};
  if (report.world == World::kSim) {
    object["seed"] = report.seed;
    object["digest"] = report.trace.digest().Hex();
    object["virtual_ms"] = Millis(report.took);
    object["steps"] = report.steps;
  } else {
    object["took_ms"] = Millis(report.took);
  }
  return object;
}

std::string AsPage(const RunReport& report) {
  json::object data = RunData(report.trace, report.verdicts);
  json::object run = AsJson(report);
  run.erase("laws");
  run["about"] = report.scenario.about;
  if (report.world == World::kSim) run["seed"] = std::to_string(report.seed);
  run["choices"] = report.about;
  data["run"] = std::move(run);
  return RunPage(data);
}

std::string AsText(const Shrunk& shrunk, const std::string& law, int width, bool color) {
  std::string text = RenderTimeline(shrunk.judged.run.trace, width, color) + "\n";
  for (const TapeEntry& each : shrunk.judged.tape.decisions) {
    text.append("    ").append(Padded(each.site, 14)).append("of ");
    text.append(Padded(std::to_string(each.entity), 10)).append(std::to_string(each.choice));
    text.append(" of ").append(std::to_string(each.n)).append("\n");
  }
  for (const Verdict& each : shrunk.judged.verdicts) {
    if (each.law != law || each.pass()) continue;
    const Violation& first = each.violations.front();
    text += law + " at " + ShowTime(first.at) + ": " + first.message + "\n";
  }
  text += std::to_string(shrunk.operations) + " operations, " + std::to_string(shrunk.decisions) +
          " decisions of " + std::to_string(shrunk.before) + " are left, after " +
          std::to_string(shrunk.runs) + " runs and " + ShowTime(shrunk.took) +
          (shrunk.complete ? "" : "; the time was up") + "\n";
  return text;
}

namespace {

json::object ProbesOf(const Coverage& coverage) {
  json::object probes;
  for (std::size_t i = 0; i < kProbes; ++i) {
    const auto probe = static_cast<Probe>(i);
    probes[Name(probe)] = coverage.hits(probe);
  }
  for (const auto& [site, hits] : coverage.sites()) probes["site " + site] = hits;
  return probes;
}

std::string AsText(const Coverage& coverage) {
  const std::vector<std::string> never = coverage.NeverHit();
  const std::size_t all = kProbes + coverage.sites().size();
  std::string text = std::to_string(all - never.size()) + " of " + std::to_string(all) +
                     " probes hit; " + std::to_string(coverage.behaviours()) +
                     " behaviours, the last new one in run " + std::to_string(coverage.last_new()) +
                     "\n";
  const char* between = "    never: ";
  for (const std::string& each : never) {
    text += between + each;
    between = ", ";
  }
  if (!never.empty()) text += '\n';
  return text;
}

// What the strategy promises.
std::string BoundOf(const ExploreReport& report, const ExploreOptions& options) {
  char text[160] = "";
  if (options.exhaustive > 0) {
    std::snprintf(text, sizeof text, "%s orders of the first %u choices of the schedule\n",
                  report.complete ? "these are all" : "there are more", options.exhaustive);
  } else if (options.way.pct > 0 && report.strands > 0) {
    const double places = std::pow(report.schedule, options.way.pct - 1);
    std::snprintf(text, sizeof text,
                  "a bug of depth %u among %zu strands and %u choices is found by a run with a "
                  "probability of at least 1/%.0f\n",
                  options.way.pct, report.strands, report.schedule,
                  static_cast<double>(report.strands) * places);
  }
  return text;
}

}  // namespace

std::string AsText(const ExploreReport& report, const ExploreOptions& options,
                   const FailureStory* first, bool color) {
  std::string text = std::to_string(report.runs) + " runs from seed " +
                     std::to_string(options.seed) + (options.twice ? ", each twice" : "") +
                     ", in " + ShowTime(report.real) + ": " +
                     Rounded(RunsPerSecond(report, options.twice)) + " runs a second, " +
                     Rounded(VirtualToReal(report)) + " virtual seconds a second\n" +
                     std::to_string(report.steps) + " steps, " + std::to_string(report.decisions) +
                     " decisions, digest " + report.digest.Hex() + "\n" + BoundOf(report, options) +
                     AsText(report.coverage) +
                     Styled(std::to_string(report.violations) + " runs broke a law",
                            report.violations > 0 ? Style::kBad : Style::kGood, color) +
                     "\n";
  for (const auto& [law, broken] : report.laws) {
    text += "    " + Padded(law, 8) + Padded(std::to_string(broken.runs), 8) + "first by seed " +
            std::to_string(broken.first) + "\n";
  }
  if (report.mismatches > 0) {
    const std::string what = " seeds ran differently the second time";
    text += Styled(std::to_string(report.mismatches) + what, Style::kBad, color) +
            "; the first:\n    " + report.first_mismatch + "\n";
  }
  if (first != nullptr) text += "the first failure again:\n    " + first->replay + "\n";
  return text;
}

namespace {

json::object AsJson(const FailureStory& first) {
  json::object object{{"law", first.law}, {"message", first.message}, {"replay", first.replay}};
  if (!first.shrunk) return object;
  const Shrunk& shrunk = *first.shrunk;
  object["operations"] = shrunk.operations;
  object["decisions"] = shrunk.decisions;
  object["decisions_before"] = shrunk.before;
  object["shrink_runs"] = shrunk.runs;
  object["shrink_ms"] = Millis(shrunk.took);
  object["complete"] = shrunk.complete;
  return object;
}

}  // namespace

json::object AsJson(const ExploreReport& report, const ExploreOptions& options,
                    const FailureStory* first) {
  json::object laws;
  json::object first_seeds;
  for (const auto& [law, broken] : report.laws) {
    laws[law] = broken.runs;
    first_seeds[law] = broken.first;
  }
  json::object object{{"runs", report.runs},
                      {"seed", options.seed},
                      {"runs_per_second", RunsPerSecond(report, options.twice)},
                      {"virtual_to_real", VirtualToReal(report)},
                      {"real_ms", Millis(report.real)},
                      {"steps", report.steps},
                      {"decisions", report.decisions},
                      {"violations", report.violations},
                      {"laws", std::move(laws)},
                      {"first_seeds", std::move(first_seeds)},
                      {"mismatches", report.mismatches},
                      {"digest", report.digest.Hex()},
                      {"probes", ProbesOf(report.coverage)},
                      {"never_hit", json::value_from(report.coverage.NeverHit())},
                      {"behaviours", report.coverage.behaviours()},
                      {"last_new_behaviour", report.coverage.last_new()},
                      {"growth", json::value_from(report.growth)}};
  if (report.first_failure) object["first_failure_seed"] = *report.first_failure;
  if (!report.first_mismatch.empty()) object["first_mismatch"] = report.first_mismatch;
  if (first != nullptr) {
    object["first_failure"] = AsJson(*first);
    object["first_failure"].as_object()["run"] = *report.first_failure - options.seed + 1;
  }
  return object;
}

}  // namespace oj::sim
