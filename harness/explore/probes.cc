#include "explore/probes.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <sstream>

namespace oj::sim {
namespace {

constexpr std::array<std::string_view, kProbes> kNames = {"cancelled by disconnect",
                                                          "cancelled by deadline",
                                                          "cancelled by operator",
                                                          "cancelled by shutdown",
                                                          "flight joined",
                                                          "waited for a lease",
                                                          "cancelled while waiting",
                                                          "key quarantined",
                                                          "key freed again",
                                                          "SIGTERM was enough",
                                                          "killed",
                                                          "outlived its daemon",
                                                          "died of itself",
                                                          "daemon killed",
                                                          "daemon came back",
                                                          "left unsettled",
                                                          "torn reply",
                                                          "reply after a half-close",
                                                          "answered busy",
                                                          "answered conflict",
                                                          "answered unavailable",
                                                          "answered unknown_outcome",
                                                          "answered deadline_exceeded",
                                                          "answered tool_timeout",
                                                          "answered tool_failed"};

// What one run has hit.
class Reader {
 public:
  explicit Reader(const Trace& trace) : trace_(trace) {}

  std::bitset<kProbes> Read() {
    for (const TraceEvent& event : trace_.events()) {
      if (event.kind == TraceKind::kDaemon) {
        OfDaemon(event);
      } else {
        OfWorld(event);
      }
    }
    return hit_;
  }

 private:
  void Hit(Probe probe) { hit_.set(static_cast<std::size_t>(probe)); }

  void OfWorld(const TraceEvent& event) {
    switch (event.kind) {
      case TraceKind::kProcessStarted:
        alive_.insert(event.subject);
        return;
      case TraceKind::kProcessSignaled:
        signals_[event.subject] = event.value;
        return;
      case TraceKind::kProcessEnded:
        return Ended(event);
      case TraceKind::kDaemonStarted:
        if (event.subject > 1) Hit(Probe::kDaemonCameBack);
        return;
      case TraceKind::kDaemonDied:
        if (event.value == 1) Hit(Probe::kDaemonKilled);
        if (!alive_.empty()) Hit(Probe::kOutlivedItsDaemon);
        return;
      case TraceKind::kClientTornReply:
        return Hit(Probe::kTornReply);
      case TraceKind::kClientHalfClosed:
        half_closed_.insert(event.subject);
        return;
      case TraceKind::kClientReceived:
        return Received(event);
      default:
        return;
    }
  }

  void Ended(const TraceEvent& event) {
    alive_.erase(event.subject);
    const auto signal = signals_.find(event.subject);
    if (signal == signals_.end()) {
      if (event.value < 0) Hit(Probe::kDiedOfItself);
    } else {
      Hit(signal->second == 9 ? Probe::kKilled : Probe::kTermWasEnough);
    }
  }

  void Received(const TraceEvent& event) {
    constexpr std::pair<std::string_view, Probe> kCodes[] = {
        {"busy", Probe::kBusy},
        {"conflict", Probe::kConflict},
        {"unavailable", Probe::kUnavailable},
        {"unknown_outcome", Probe::kUnknownOutcome},
        {"deadline_exceeded", Probe::kDeadlineExceeded},
        {"tool_timeout", Probe::kToolTimeout},
        {"tool_failed", Probe::kToolFailed}};
    if (half_closed_.contains(event.subject)) Hit(Probe::kReplyAfterHalfClose);
    for (const auto& [code, probe] : kCodes) {
      if (trace_.Text(event) == code) return Hit(probe);
    }
  }

  void OfDaemon(const TraceEvent& event) {
    switch (event.daemon) {
      case EventKind::kRequestLatched:
        return Latched(event);
      case EventKind::kRequestJoined:
        return Hit(Probe::kFlightJoined);
      case EventKind::kLeaseWaiting:
        waiting_.insert(event.object);
        return;
      case EventKind::kLeaseGranted:
        if (waiting_.erase(event.object) > 0) Hit(Probe::kWaitedForLease);
        return;
      case EventKind::kKeyQuarantined:
        return Hit(Probe::kKeyQuarantined);
      case EventKind::kKeyFreed:
        return Hit(Probe::kKeyFreed);
      case EventKind::kUnsettled:
        return Hit(Probe::kUnsettled);
      default:
        return;
    }
  }

  void Latched(const TraceEvent& event) {
    constexpr std::pair<std::string_view, Probe> kReasons[] = {
        {"disconnected", Probe::kCancelledByDisconnect},
        {"deadline", Probe::kCancelledByDeadline},
        {"operator", Probe::kCancelledByOperator},
        {"shutdown", Probe::kCancelledByShutdown}};
    for (const auto& [reason, probe] : kReasons) {
      if (trace_.Text(event) == reason) Hit(probe);
    }
    if (waiting_.erase(event.object) > 0) Hit(Probe::kCancelledWhileWaiting);
  }

  const Trace& trace_;
  std::bitset<kProbes> hit_;
  boost::unordered_flat_set<std::uint64_t> alive_;
  boost::unordered_flat_map<std::uint64_t, std::int64_t> signals_;
  boost::unordered_flat_set<std::uint64_t> half_closed_;
  boost::unordered_flat_set<std::uint64_t> waiting_;  // requests
};

}  // namespace

std::string_view Name(Probe probe) { return kNames[static_cast<std::size_t>(probe)]; }

void Coverage::Add(const SimResult& run, const Chooser& chooser) {
  ++runs_;
  const std::bitset<kProbes> hit = Reader(run.trace).Read();
  for (std::size_t i = 0; i < kProbes; ++i) probes_[i] += hit[i] ? 1 : 0;
  std::vector<bool> chosen(chooser.site_names().size());
  for (const Decision& each : chooser.tape()) {
    if (each.choice != 0) chosen[each.site] = true;
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    sites_[chooser.site_names()[i]] += chosen[i] ? 1 : 0;
  }
  // What kinds of events follow each other, two and three in a row.
  std::uint64_t before = 0;
  for (const TraceEvent& event : run.trace.events()) {
    const auto kind =
        static_cast<std::uint64_t>(event.kind) << 5 | static_cast<std::uint64_t>(event.daemon);
    before = (before << 16 | kind) & 0xffffffffffff;
    AddBehaviour(before & 0xffffffff);
    AddBehaviour(before);
  }
}

void Coverage::AddBehaviour(std::uint64_t feature) {
  const std::size_t bit = (feature * 0x9e3779b97f4a7c15u) >> 50;
  if (seen_[bit]) return;
  seen_.set(bit);
  last_new_ = runs_;
}

void Coverage::Merge(const Coverage& other) {
  runs_ += other.runs_;
  last_new_ = std::max(last_new_, other.last_new_);
  for (std::size_t i = 0; i < kProbes; ++i) probes_[i] += other.probes_[i];
  for (const auto& [site, hits] : other.sites_) sites_[site] += hits;
  seen_ |= other.seen_;
}

std::vector<std::string> Coverage::NeverHit() const {
  std::vector<std::string> never;
  for (std::size_t i = 0; i < kProbes; ++i) {
    if (probes_[i] == 0) never.emplace_back(kNames[i]);
  }
  for (const auto& [site, hits] : sites_) {
    if (hits == 0) never.push_back("site " + site);
  }
  return never;
}

std::string Coverage::Write() const {
  std::ostringstream out;
  out << runs_ << ' ' << last_new_;
  for (const std::uint64_t each : probes_) out << ' ' << each;
  out << ' ' << seen_.to_string() << '\n';
  for (const auto& [site, hits] : sites_) out << site << ' ' << hits << '\n';
  return out.str();
}

Coverage Coverage::Parse(const std::string& text) {
  std::istringstream in(text);
  Coverage coverage;
  in >> coverage.runs_ >> coverage.last_new_;
  for (std::uint64_t& each : coverage.probes_) in >> each;
  in >> coverage.seen_;
  std::string site;
  for (std::uint64_t hits = 0; in >> site >> hits;) coverage.sites_[site] = hits;
  return coverage;
}

}  // namespace oj::sim
