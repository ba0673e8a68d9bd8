// Strikes: what befalls the world at steps of a run: the one that a sweep names, or what the
// chooser has in store for each life of the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/decisions.h"
#include "sim/sim_run.h"

namespace oj::sim {

// What the scenario has in store, at that step.
Strike StrikeOf(const Blow& blow, std::uint64_t step);

class Strikes {
 public:
  explicit Strikes(const std::vector<Strike>& given);

  // A life of the daemon begins after so many steps of the run; what was in store for the last one
  // is void.
  void Draw(Decisions& decisions, std::uint32_t life, std::uint64_t steps);
  // One of the scenario's, due at once: it comes before the next step.
  void Come(const Strike& strike) { Add(strike, true); }
  // Whether the disk must remember what it would lose.
  bool LosesUnsynced() const;
  // Takes one that is due after so many steps.
  std::optional<Strike> Take(std::uint64_t steps);
  bool Due(std::uint64_t steps) const { return steps >= next_; }
  // Faults stop.
  void Clear();
  // Of those that were given: how many were taken.
  std::size_t struck() const { return struck_; }

 private:
  struct Planned {
    Strike strike;
    bool drawn = true;
  };
  void Add(const Strike& strike, bool drawn);
  void FindNext();

  std::vector<Planned> planned_;
  std::size_t struck_ = 0;
  std::uint64_t next_ = ~std::uint64_t{0};  // the step of the earliest
};

}  // namespace oj::sim
