#include "explore/sweep.h"

#include <algorithm>
#include <cstdio>

#include "explore/judging.h"
#include "sim/sim_run.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kNames[] = {"disconnect", "deadline", "daemon SIGKILL", "power loss",
                                       "power loss, unsynced"};

class BenignChooser final : public Chooser {
  std::uint32_t Draw(const Site&, std::uint32_t, std::uint32_t, std::uint32_t) override {
    return 0;
  }
};

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

class Sweeper {
 public:
  explicit Sweeper(const Scenario& scenario) : scenario_(scenario), judging_(scenario) {}

  SweepReport Run() {
    SweepReport report;
    SimOptions undisturbed;
    undisturbed.portrait = true;
    BenignChooser chooser;
    RunSim(scenario_, chooser, undisturbed, run_);
    report.steps = run_.clients_gone;
    if (const auto verdicts = judging_.Judge(run_, chooser); !AllPass(verdicts)) {
      const Verdict* first = FirstFailure(verdicts);
      report.wrong = first->law + ": " + first->violations.front().message;
    }
    should_be_ = run_.portrait;
    const auto length = Millis(LastReply() - Instant());
    for (std::size_t i = 0; i < kSweepKinds; ++i) {
      SweepRow row;
      row.kind = static_cast<SweepKind>(i);
      // A tenth of what a client waits is its margin.
      const bool by_time = row.kind == SweepKind::kDeadline;
      const auto points = by_time ? static_cast<std::uint64_t>(length * 10 / 9 + 2) : report.steps;
      for (std::uint64_t at = 1; at <= points; ++at) Strike(row, at);
      report.rows.push_back(std::move(row));
    }
    return report;
  }

 private:
  Instant LastReply() const {
    Instant last;
    for (const TraceEvent& event : run_.trace.events()) {
      const bool scripted = event.subject <= scenario_.clients.size();
      if (event.kind == TraceKind::kClientReceived && scripted) last = event.at;
    }
    return last;
  }

  static SimOptions OptionsFor(SweepKind kind, std::uint64_t at) {
    using Kind = sim::Strike::Kind;
    SimOptions options;
    options.retry = options.portrait = true;
    options.strike.step = at;
    switch (kind) {
      case SweepKind::kDisconnect:
        options.strike.kind = Kind::kDisconnect;
        break;
      case SweepKind::kDeadline:
        options.call_timeout = milliseconds(at);
        break;
      case SweepKind::kDaemonKill:
        options.strike.kind = Kind::kDaemonKill;
        break;
      case SweepKind::kPowerLoss:
      case SweepKind::kPowerLossUnsynced:
        options.strike.kind = Kind::kPowerLoss;
        options.strike.unsynced = kind == SweepKind::kPowerLossUnsynced;
        break;
    }
    return options;
  }

  void Strike(SweepRow& row, std::uint64_t at) {
    BenignChooser chooser;
    RunSim(scenario_, chooser, OptionsFor(row.kind, at), run_);
    ++row.points;
    std::string bad;
    const bool gave_up = std::any_of(run_.violations.begin(), run_.violations.end(),
                                     [](const WorldViolation& each) { return each.law == "L6"; });
    if (run_.portrait == should_be_ && !gave_up) {
      ++row.converged;
    } else {
      bad = "L6: " +
            (gave_up ? "no retry came to its end" : FirstDifference(run_.portrait, should_be_));
    }
    for (const LostWork& each : run_.lost) {
      row.bytes_lost += each.bytes;
      bad = "L7: " + each.what + " is lost";
    }
    if (const std::string law = FirstBroken(judging_.Judge(run_, chooser)); !law.empty()) {
      ++row.broke_laws;
      if (bad.empty()) bad = law;
    }
    if (!bad.empty() && row.first.empty()) row.first = "at " + std::to_string(at) + ": " + bad;
  }

  const Scenario& scenario_;
  const Judging judging_;
  SimResult run_;
  std::vector<std::string> should_be_;
};

}  // namespace

std::string_view Name(SweepKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

bool SweepReport::pass() const {
  return wrong.empty() &&
         std::all_of(rows.begin(), rows.end(), [](const SweepRow& row) { return row.pass(); });
}

SweepReport Sweep(const Scenario& scenario) { return Sweeper(scenario).Run(); }

std::string AsText(const SweepReport& report) {
  std::string text = "an undisturbed run of " + std::to_string(report.steps) + " steps\n";
  if (!report.wrong.empty()) text += "it broke " + report.wrong + "\n";
  char line[160];
  std::snprintf(line, sizeof line, "%-22s %8s %10s %11s %11s\n", "struck by", "points", "converged",
                "bytes lost", "broke a law");
  text += line;
  for (const SweepRow& row : report.rows) {
    std::snprintf(line, sizeof line, "%-22s %8llu %10llu %11llu %11llu\n", Name(row.kind).data(),
                  static_cast<unsigned long long>(row.points),
                  static_cast<unsigned long long>(row.converged),
                  static_cast<unsigned long long>(row.bytes_lost),
                  static_cast<unsigned long long>(row.broke_laws));
    text += line;
    if (!row.first.empty()) text += "    " + row.first + "\n";
  }
  return text;
}

}  // namespace oj::sim
