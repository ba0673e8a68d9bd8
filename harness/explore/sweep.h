// Sweep: a scenario's undisturbed run, then the same run struck at each of its steps in each way,
// and everything asked once more: does it end as the undisturbed run did (L6), with nothing lost
// (L7)?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace oj::sim {

enum class SweepKind : std::uint8_t {
  kDisconnect,
  kDeadline,  // of the clients, at every millisecond instead of every step
  kDaemonKill,
  kPowerLoss,          // the disk keeps all that was written
  kPowerLossUnsynced,  // it keeps what was written before the store's last commit
};
inline constexpr std::size_t kSweepKinds = 5;
std::string_view Name(SweepKind kind);

struct SweepRow {
  SweepKind kind = SweepKind::kDisconnect;
  std::uint64_t points = 0;
  std::uint64_t converged = 0;
  std::uint64_t bytes_lost = 0;
  std::uint64_t broke_laws = 0;  // runs that broke any other law
  std::string first;             // what the first bad point says, or empty
  bool pass() const { return converged == points && bytes_lost == 0 && broke_laws == 0; }
};

struct SweepReport {
  std::uint64_t steps = 0;  // of the undisturbed run, until its clients have gone
  std::string wrong;        // what the undisturbed run did wrong, or empty
  std::vector<SweepRow> rows;
  bool pass() const;
};

SweepReport Sweep(const Scenario& scenario);
std::string AsText(const SweepReport& report);

}  // namespace oj::sim
