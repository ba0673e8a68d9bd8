// Probes: what runs should come to see sometimes. One that is never hit says that the exploration
// does not reach what it claims to.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "explore/chooser.h"
#include "sim/sim_run.h"

namespace oj::sim {

enum class Probe : std::uint8_t {
  kCancelledByDisconnect,
  kCancelledByDeadline,
  kCancelledByOperator,
  kCancelledByShutdown,
  kFlightJoined,
  kWaitedForLease,
  kCancelledWhileWaiting,
  kKeyQuarantined,
  kKeyFreed,
  kTermWasEnough,
  kKilled,
  kOutlivedItsDaemon,
  kDiedOfItself,
  kDaemonKilled,
  kDaemonCameBack,
  kUnsettled,
  kTornReply,
  kReplyAfterHalfClose,
  kBusy,
  kConflict,
  kUnavailable,
  kUnknownOutcome,
  kDeadlineExceeded,
  kToolTimeout,
  kToolFailed,
};
inline constexpr std::size_t kProbes = 25;
std::string_view Name(Probe probe);

// Over many runs: in how many of them each was hit; and how many kinds of successions of events
// there were at all, which tells whether more runs still show anything new.
class Coverage {
 public:
  void Add(const SimResult& run, const Chooser& chooser);
  void Merge(const Coverage& other);

  std::uint64_t hits(Probe probe) const { return probes_[static_cast<std::size_t>(probe)]; }
  // By the site's name: runs in which it took a choice other than 0.
  const std::map<std::string, std::uint64_t>& sites() const { return sites_; }
  std::size_t behaviours() const { return seen_.count(); }
  std::uint64_t runs() const { return runs_; }
  std::uint64_t last_new() const { return last_new_; }  // the run that showed the last new one
  std::vector<std::string> NeverHit() const;

  // One line each, to be read by Parse.
  std::string Write() const;
  static Coverage Parse(const std::string& text);

 private:
  static constexpr std::size_t kBits = 1 << 14;
  void AddBehaviour(std::uint64_t feature);

  std::uint64_t runs_ = 0;
  std::uint64_t last_new_ = 0;
  std::array<std::uint64_t, kProbes> probes_{};
  std::map<std::string, std::uint64_t> sites_;
  std::bitset<kBits> seen_;
};

}  // namespace oj::sim
