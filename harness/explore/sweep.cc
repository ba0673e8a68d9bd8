#include "explore/sweep.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "explore/judging.h"
#include "explore/keyed_chooser.h"
#include "explore/random_chooser.h"
#include "sim/decisions.h"
#include "sim/sim_run.h"
#include "terminal/colour.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kNames[] = {"disconnect", "half-close", "deadline", "operator",
                                       "shutdown",   "kill",       "power",    "power-unsynced"};

// The first line in which they differ.
std::string FirstDifference(const std::vector<std::string>& is,
                            const std::vector<std::string>& should_be) {
  for (const std::string& line : is) {
    if (std::find(should_be.begin(), should_be.end(), line) == should_be.end()) {
      return "there is '" + line + "'";
    }
  }
  for (const std::string& line : should_be) {
    if (std::find(is.begin(), is.end(), line) == is.end()) return "there is no '" + line + "'";
  }
  return "something is there twice";
}

// The first broken law that a strike does not excuse: its clients do not end as the scenario says.
std::string FirstBroken(const std::vector<Verdict>& verdicts) {
  for (const Verdict& each : verdicts) {
    const bool judged_here = each.law == "L6" || each.law == "L7";
    if (each.pass() || judged_here || each.law == "expect" || each.law == "vacuity") continue;
    return each.law + ": " + each.violations.front().message;
  }
  return "";
}

Strike StrikeOf(SweepKind kind, std::uint64_t at) {
  using Kind = Strike::Kind;
  constexpr Kind kKinds[] = {Kind::kDisconnect, Kind::kHalfClose, Kind::kDisconnect,
                             Kind::kOperator,   Kind::kShutdown,  Kind::kDaemonKill,
                             Kind::kPowerLoss,  Kind::kPowerLoss};
  Strike strike{kKinds[static_cast<std::size_t>(kind)], at};
  strike.unsynced = kind == SweepKind::kPowerLossUnsynced;
  return strike;
}

// A run that others are compared with.
struct Base {
  std::optional<std::uint64_t> seed;  // absent: nothing goes otherwise than it should
  std::uint64_t steps = 0;            // until its clients have gone
  std::set<std::int64_t> moments;     // in ms, at which something happened
  std::vector<std::string> portrait;
};

class Sweeper {
 public:
  Sweeper(const Scenario& scenario, const SweepOptions& options)
      : scenario_(scenario), options_(options), judging_(scenario) {}

  SweepReport Run() {
    begin_ = Now();
    const bool scripted = !scenario_.clients.empty();
    for (std::uint64_t i = 0; i < options_.bases && !Over(); ++i) {
      Base base;
      if (!scripted || i > 0) base.seed = scripted ? i : i + 1;
      RunBase(base);
      if (i == 0 && options_.faults) {
        EachFault(base);
      } else {
        EachStrike(base);
      }
      if (i == 0 && options_.pairs) EachPair(base);
    }
    for (auto& [kind, row] : rows_) report_.rows.push_back(std::move(row));
    report_.real = Now() - begin_;
    return std::move(report_);
  }

 private:
  bool Over() const { return options_.stop_at_first && report_.first; }
  Duration Now() const { return options_.now ? options_.now() : Duration::zero(); }
  std::vector<SweepKind> Kinds() const {
    if (!options_.kinds.empty()) return options_.kinds;
    std::vector<SweepKind> all;
    for (std::size_t i = 0; i < kSweepKinds; ++i) all.push_back(static_cast<SweepKind>(i));
    return all;
  }
  // In the order in which they first come.
  SweepRow& Row(const std::string& kind) {
    for (auto& [name, row] : rows_) {
      if (name == kind) return row;
    }
    rows_.emplace_back(kind, SweepRow{});
    rows_.back().second.kind = kind;
    return rows_.back().second;
  }

  SimOptions OptionsFor(const Base& base) const {
    SimOptions options;
    options.portrait = true;
    if (base.seed) options.seed = *base.seed;
    if (options_.faults) options.faults = kAllFaults;
    return options;
  }
  std::unique_ptr<Chooser> ChooserFor(const Base& base) const {
    if (base.seed) return std::make_unique<RandomChooser>(*base.seed);
    return std::make_unique<KeyedChooser>(std::vector<KeyedDecision>());
  }

  void RunBase(Base& base) {
    const auto chooser = ChooserFor(base);
    RunSim(scenario_, *chooser, OptionsFor(base), run_);
    if (options_.faults) sites_ = KeyedOf(*chooser, true);
    base.steps = run_.clients_gone;
    base.portrait = run_.portrait;
    report_.steps += base.steps;
    for (const TraceEvent& event : run_.trace.events()) {
      // A tenth of what a client waits is its margin.
      const auto after = Millis(event.at.time_since_epoch()) * 10 / 9;
      base.moments.insert({after + 1, after + 2});
    }
    const auto verdicts = judging_.Judge(run_, *chooser);
    std::string bad = FirstBroken(verdicts);
    const Verdict* first = FirstFailure(verdicts);
    if (!base.seed && first != nullptr) bad = first->law + ": " + first->violations.front().message;
    if (!base.seed && bad.empty()) bad = StillThere();
    if (bad.empty()) return;
    const std::string seed = base.seed ? "seed " + std::to_string(*base.seed) : "";
    if (!report_.first) KeepFirst(base, {0, "undisturbed", seed, bad, {}, verdicts});
    if (report_.wrong.empty()) report_.wrong = std::move(bad);
  }

  // Of what the scenario says is gone in the end.
  std::string StillThere() const {
    for (const std::string& gone : scenario_.gone) {
      for (const std::string& line : run_.portrait) {
        if (line.find(gone) != std::string::npos) return "expect: there is still '" + line + "'";
      }
    }
    return "";
  }

  // Points that there will be; 0: unknown.
  std::uint64_t Expected(const Base& base) const {
    if (options_.bases > 1 || options_.pairs || options_.faults) return 0;
    std::uint64_t all = 0;
    for (const SweepKind kind : Kinds()) {
      if (kind != SweepKind::kDeadline) all += base.steps - 1;
      if (kind == SweepKind::kDeadline && !base.seed) all += base.moments.size();
    }
    return all;
  }

  void EachStrike(const Base& base) {
    for (const SweepKind kind : Kinds()) {
      SweepRow& row = Row(std::string(Name(kind)));
      if (kind == SweepKind::kDeadline) {
        if (!base.seed) EachDeadline(row, base);
        continue;
      }
      for (std::uint64_t at = 1; at < base.steps; ++at) {
        Point(row, base, {StrikeOf(kind, at)}, kind != SweepKind::kShutdown, std::to_string(at));
      }
    }
  }

  void EachDeadline(SweepRow& row, const Base& base) {
    for (const std::int64_t at : base.moments) {
      if (Over()) return;
      SimOptions options = OptionsFor(base);
      options.call_timeout = milliseconds(at);
      const auto chooser = ChooserFor(base);
      Try(row, base, *chooser, options, true, std::to_string(at) + " ms");
      ++row.covered;
    }
  }

  void EachPair(const Base& base) {
    for (const SweepKind first : Kinds()) {
      for (const SweepKind second : Kinds()) {
        if (first == SweepKind::kDeadline || second == SweepKind::kDeadline) continue;
        // After the end of the daemon nothing more can be done to it.
        if (first == SweepKind::kShutdown) continue;
        SweepRow& row = Row(std::string(Name(first)).append(", ").append(Name(second)));
        for (std::uint64_t at = 1; at < base.steps; ++at) {
          for (std::uint64_t then = at + 1; then < base.steps; ++then) {
            const std::string where = std::to_string(at) + " and " + std::to_string(then);
            Point(row, base, {StrikeOf(first, at), StrikeOf(second, then)},
                  second != SweepKind::kShutdown, where);
          }
        }
      }
    }
  }

  void Point(SweepRow& row, const Base& base, std::vector<Strike> strikes, bool converges,
             const std::string& where) {
    if (Over()) return;
    SimOptions options = OptionsFor(base);
    options.strikes = std::move(strikes);
    const auto chooser = ChooserFor(base);
    Try(row, base, *chooser, options, converges, where);
    if (run_.struck == options.strikes.size()) ++row.covered;
    if (!base.seed && !Over() && IsOfRequests(options.strikes)) {
      TryWithoutRetry(row, base, options, where);
    }
  }

  static bool IsOfRequests(const std::vector<Strike>& strikes) {
    using Kind = Strike::Kind;
    return std::all_of(strikes.begin(), strikes.end(), [](const Strike& each) {
      return each.kind == Kind::kDisconnect || each.kind == Kind::kHalfClose ||
             each.kind == Kind::kOperator;
    });
  }
  // The same point, judged by what is left when nobody asks again.
  void TryWithoutRetry(SweepRow& row, const Base& base, SimOptions options,
                       const std::string& where) {
    options.liveness = false;
    const auto chooser = ChooserFor(base);
    RunSim(scenario_, *chooser, options, run_);
    const std::string bad = HalfDone(base);
    if (bad.empty()) return;
    ++row.broke_laws;
    Tell(row, base, where + ", not asked again", bad, judging_.Judge(run_, *chooser));
  }

  void EachFault(const Base& base) {
    for (const KeyedDecision& site : sites_) {
      if ((BitOf(site.kind) & kAlwaysOn) != 0) continue;
      for (std::uint32_t choice = 1; choice < site.n; ++choice) {
        KeyedDecision fault = site;
        fault.choice = choice;
        KeyedChooser chooser({fault});
        SweepRow& row = Row(site.site);
        const std::string where = "number " + std::to_string(site.ordinal + 1) + " of " +
                                  std::to_string(site.entity) + ", choice " +
                                  std::to_string(choice);
        Try(row, base, chooser, OptionsFor(base), true, where);
        const auto& tape = chooser.tape();
        const bool met = std::any_of(tape.begin(), tape.end(),
                                     [](const Decision& each) { return each.choice != 0; });
        if (met) ++row.covered;
      }
    }
  }

  void Try(SweepRow& row, const Base& base, Chooser& chooser, SimOptions options, bool converges,
           const std::string& where) {
    if (Over()) return;
    options.retry = !base.seed && converges;
    RunSim(scenario_, chooser, options, run_);
    ++row.points;
    ++points_;
    if (options_.tell) options_.tell({points_, Expected(base), report_.bad, Now() - begin_});
    std::string bad;
    if (options.retry) {
      ++row.judged;
      bad = Divergence(base, options.strikes);
      if (bad.empty()) ++row.converged;
    }
    for (const LostWork& each : run_.lost) {
      row.bytes_lost += each.bytes;
      bad = "L7: " + each.what + " is lost";
    }
    auto verdicts = judging_.Judge(run_, chooser);
    if (const std::string law = FirstBroken(verdicts); !law.empty()) {
      ++row.broke_laws;
      if (bad.empty()) bad = law;
    }
    if (!bad.empty()) Tell(row, base, where, bad, std::move(verdicts));
  }

  void Tell(SweepRow& row, const Base& base, const std::string& where, const std::string& bad,
            std::vector<Verdict> verdicts) {
    ++report_.bad;
    const std::string at = (base.seed ? "seed " + std::to_string(*base.seed) + ", " : "") + "at ";
    if (row.first.empty()) row.first = at + where + ": " + bad;
    if (!report_.first) {
      KeepFirst(base, {points_, row.kind, at + where, bad, {}, std::move(verdicts)});
    }
  }

  // What a strike excuses is no verdict on the run, and what only a sweep sees is one.
  void KeepFirst(const Base& base, SweepFailure first) {
    if (base.seed) first.seed = *base.seed;
    first.trace = run_.trace;
    first.steps = run_.steps;
    auto& verdicts = first.verdicts;
    if (first.point != 0) {
      std::erase_if(verdicts, [](const Verdict& each) {
        return each.law == "expect" || each.law == "vacuity";
      });
    }
    const bool told = std::ranges::any_of(verdicts, [&first](const Verdict& each) {
      return each.law == first.law() && !each.pass();
    });
    if (!told) {
      const auto& events = first.trace.events();
      const Instant end = events.empty() ? Instant{} : events.back().at;
      const std::string message = first.what.substr(first.law().size() + 2);
      verdicts.push_back({first.law(), "ends as undisturbed", {{end, message, {}}}});
    }
    report_.first = std::move(first);
  }

  // Without a retry: whole units are done, the others have not begun. Only what a request was
  // interrupted by is judged: a daemon that dies leaves its intents to the next.
  std::string HalfDone(const Base& base) const {
    for (const std::string& line : run_.portrait) {
      const bool intent = line.starts_with("intent ") && !line.starts_with("intent trash:");
      if (intent) return "L6: half a unit was done: there is still '" + line + "'";
    }
    const auto has = [](const std::vector<std::string>& lines, const std::string& line) {
      return std::find(lines.begin(), lines.end(), line) != lines.end();
    };
    for (const AgentSetup& agent : scenario_.agents) {
      const std::string line = "tmux has " + agent.id;
      if (!agent.runs || !has(base.portrait, line) || has(run_.portrait, line)) continue;
      return "L6: half a unit was done: agent '" + agent.id + "' was left dead";
    }
    return "";
  }

  // How it ended otherwise than the base, or "".
  std::string Divergence(const Base& base, const std::vector<Strike>& strikes) const {
    for (const WorldViolation& each : run_.violations) {
      if (each.law == "L6") return "L6: no retry came to its end";
    }
    const bool power_went = std::any_of(strikes.begin(), strikes.end(), [](const Strike& each) {
      return each.kind == Strike::Kind::kPowerLoss;
    });
    std::vector<std::string> should_be = base.portrait;
    if (power_went) std::erase_if(should_be, [&](const auto& line) { return WasThere(line); });
    std::vector<std::string> is = run_.portrait;
    if (power_went) std::erase_if(is, [&](const auto& line) { return WasThere(line); });
    return is == should_be ? "" : "L6: " + FirstDifference(is, should_be);
  }
  // A tmux session from before the run: no request brings it back after the power went.
  bool WasThere(const std::string& line) const {
    return std::any_of(scenario_.sessions.begin(), scenario_.sessions.end(),
                       [&](const SessionSetup& each) { return line == "tmux has " + each.id; });
  }

  const Scenario& scenario_;
  const SweepOptions& options_;
  const Judging judging_;
  SimResult run_;
  std::vector<KeyedDecision> sites_;  // all decisions of the first base
  std::vector<std::pair<std::string, SweepRow>> rows_;
  Duration begin_{};
  std::uint64_t points_ = 0;
  SweepReport report_;
};

std::uint64_t Sum(const std::vector<SweepRow>& rows, std::uint64_t SweepRow::* what) {
  std::uint64_t sum = 0;
  for (const SweepRow& row : rows) sum += row.*what;
  return sum;
}

}  // namespace

std::string_view Name(SweepKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::uint64_t SweepReport::points() const { return Sum(rows, &SweepRow::points); }
std::uint64_t SweepReport::covered() const { return Sum(rows, &SweepRow::covered); }
std::uint64_t SweepReport::violations() const { return bad + (wrong.empty() ? 0 : 1); }

SweepReport Sweep(const Scenario& scenario, const SweepOptions& options) {
  return Sweeper(scenario, options).Run();
}

std::string AsText(const SweepReport& report, bool color) {
  using terminal::Style;
  using terminal::Styled;
  std::string text = "the base takes " + std::to_string(report.steps) + " steps\n";
  if (!report.wrong.empty()) {
    text += Styled("undisturbed it broke " + report.wrong, Style::kBad, color) + "\n";
  }
  char line[160];
  std::snprintf(line, sizeof line, "%-28s %8s %8s %10s %11s %11s\n", "struck by", "points",
                "covered", "converged", "bytes lost", "broke a law");
  text += line;
  using ull = unsigned long long;
  for (const SweepRow& row : report.rows) {
    const std::string converged = row.judged == 0 ? "-" : std::to_string(row.converged);
    std::snprintf(line, sizeof line, "%-28s %8llu %8llu %10s %11llu %11llu", row.kind.c_str(),
                  ull{row.points}, ull{row.covered}, converged.c_str(), ull{row.bytes_lost},
                  ull{row.broke_laws});
    text += Styled(line, row.pass() ? Style::kPlain : Style::kBad, color) + "\n";
    if (!row.first.empty()) text += "    " + row.first + "\n";
  }
  std::snprintf(line, sizeof line, "%llu points, %llu covered, %llu violations, in %.3f s",
                ull{report.points()}, ull{report.covered()}, ull{report.violations()},
                static_cast<double>(report.real.count()) / 1e9);
  return text + Styled(line, report.pass() ? Style::kGood : Style::kBad, color) + "\n";
}

boost::json::object AsJson(const SweepReport& report) {
  boost::json::array rows;
  for (const SweepRow& row : report.rows) {
    rows.push_back(boost::json::object{{"kind", row.kind},
                                       {"points", row.points},
                                       {"covered", row.covered},
                                       {"judged_by_L6", row.judged},
                                       {"converged", row.converged},
                                       {"bytes_lost", row.bytes_lost},
                                       {"broke_laws", row.broke_laws},
                                       {"first", row.first}});
  }
  boost::json::object object{{"points", report.points()},
                             {"covered", report.covered()},
                             {"violations", report.violations()},
                             {"seconds", static_cast<double>(report.real.count()) / 1e9},
                             {"steps", report.steps},
                             {"wrong", report.wrong},
                             {"kinds", std::move(rows)}};
  if (report.first) {
    const SweepFailure& first = *report.first;
    object["first_failure"] = {{"run", first.point},
                               {"law", first.what.substr(0, first.what.find(':'))},
                               {"kind", first.kind},
                               {"where", first.where},
                               {"message", first.what}};
  }
  return object;
}

}  // namespace oj::sim
