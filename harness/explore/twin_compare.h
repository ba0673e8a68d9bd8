// TwinCompare: whether what real processes did is among what the simulation admits.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/twin.h"
#include "sim/sim_run.h"

namespace oj::sim {

// How the steps of one run ended, and what was left of each thing: "there", "gone".
class Outcomes {
 public:
  // By client and the step's number; what is left stands under no client. Names that the daemon
  // makes up are replaced by what they have in common.
  using Place = std::pair<std::string, std::string>;

  explicit Outcomes(const SimResult& run);
  explicit Outcomes(const TwinRun& run);

  const std::map<Place, std::string>& steps() const { return steps_; }
  const std::set<std::string>& left() const { return left_; }

 private:
  void Leave(const std::vector<std::string>& lines);
  std::map<Place, std::string> steps_;
  std::set<std::string> left_;
};

// "session a1-12345678" is "session a1-*".
std::string WithoutDigits(const std::string& line);

class Admitted {
 public:
  void Add(const Outcomes& run);
  // One line for each step and each thing that came out as in no run here:
  // "alice, step 2, PeekSession: simulation: SessionPeek, busy; fakes: not_found".
  std::vector<std::string> Differences(const Outcomes& twin, const Scenario& scenario,
                                       World world) const;
  std::uint64_t runs() const { return runs_; }

 private:
  std::uint64_t runs_ = 0;
  std::map<Outcomes::Place, std::set<std::string>> steps_;
  std::map<std::string, std::uint64_t> left_;  // in how many runs
};

// The scenario as it may be when its tools, its clients and its hangs are a little later, by what a
// machine takes for processes and wake-ups.
Scenario Late(const Scenario& scenario, std::uint64_t seed);

struct SimAdmits {
  Admitted admitted;
  std::string broken;  // the first law that a run broke, in words; or empty
};
// Runs it in simulation, in so many orders and latenesses; no faults but those that are written.
SimAdmits RunInSimulation(const Scenario& scenario, std::uint64_t seeds);

}  // namespace oj::sim
