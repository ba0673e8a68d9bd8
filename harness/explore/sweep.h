// Sweep: a base run, then the same run again and again, struck at each of its steps in each way, or
// with one fault at each place where there can be one: are all laws kept, does it end as the
// undisturbed run did when everything is asked once more (L6), with nothing lost (L7)?
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/checker.h"
#include "explore/pace.h"
#include "oj/deadline.h"
#include "scenario/scenario.h"
#include "sim/sim_run.h"
#include "trace/trace.h"

namespace oj::sim {

enum class SweepKind : std::uint8_t {
  kDisconnect,         // all clients close
  kHalfClose,          // all clients end what they send
  kDeadline,           // of the clients, at each moment at which something happens
  kOperator,           // somebody asks to cancel the last request that began
  kShutdown,           // SIGTERM
  kDaemonKill,         // SIGKILL
  kPowerLoss,          // the disk keeps all that was written
  kPowerLossUnsynced,  // it keeps what was written before the store's last commit
};
inline constexpr std::size_t kSweepKinds = 8;
std::string_view Name(SweepKind kind);

struct SweepOptions {
  std::vector<SweepKind> kinds;  // empty: all
  // Bases: the first is the script without faults, if there is one; the others are runs from
  // seeds, with faults, from 1 on. Only the first is judged by L6.
  std::uint64_t bases = 1;
  bool pairs = false;   // each two of those strikes, one after the other, on the first base
  bool faults = false;  // instead of strikes: each choice of each site of faults, on the first base
  bool stop_at_first = false;     // point at which something is wrong
  std::function<Duration()> now;  // real time since some begin; absent: none is told
  TellPace tell;                  // of points; may be empty
};

// All points of one kind.
struct SweepRow {
  std::string kind;
  std::uint64_t points = 0;
  std::uint64_t covered = 0;  // of these: what was to happen did
  std::uint64_t judged = 0;   // of these: by L6
  std::uint64_t converged = 0;
  std::uint64_t bytes_lost = 0;
  std::uint64_t broke_laws = 0;  // runs that broke any other law
  std::string first;             // what the first bad point says, or empty
  bool pass() const { return converged == judged && bytes_lost == 0 && broke_laws == 0; }
};

// A point at which something was wrong.
struct SweepFailure {
  std::uint64_t point = 0;  // its number among all points; 0: a base
  std::string kind;         // "undisturbed": a base
  std::string where;
  std::string what;  // "L6: there is no ..."
  // Its run, with the law that it broke among the verdicts.
  Trace trace;
  std::vector<Verdict> verdicts;
  std::uint64_t steps = 0;
  std::uint64_t seed = SimOptions().seed;
  std::string law() const { return what.substr(0, what.find(':')); }
};

struct SweepReport {
  std::uint64_t steps = 0;  // of the bases, until their clients have gone
  std::string wrong;        // what a base did wrong, or empty
  std::vector<SweepRow> rows;
  std::uint64_t bad = 0;  // points at which something was wrong
  std::optional<SweepFailure> first;
  Duration real{};
  std::uint64_t points() const;
  std::uint64_t covered() const;
  std::uint64_t violations() const;  // bad points and bases
  bool pass() const { return violations() == 0; }
};

SweepReport Sweep(const Scenario& scenario, const SweepOptions& options);
std::string AsText(const SweepReport& report, bool color = false);
boost::json::object AsJson(const SweepReport& report);

}  // namespace oj::sim
