// Judging: what a scenario says about its runs, found once, and the laws judged on one of them.
#pragma once

#include <vector>

#include "checkers/checker.h"
#include "explore/chooser.h"
#include "scenario/scenario.h"
#include "sim/sim_run.h"

namespace oj::sim {

class Judging {
 public:
  // Keeps a reference.
  explicit Judging(const Scenario& scenario);

  // What holds for every run; the calls are filled in from a trace.
  Facts FactsFor(const Trace& trace) const;

  // Of a run in the simulation with that chooser; with what the world itself found wrong.
  std::vector<Verdict> Judge(const SimResult& run, const Chooser& chooser) const;

 private:
  const Scenario& scenario_;
  Facts facts_;
  std::vector<std::vector<CallFacts>> scripts_;  // by client: what it sends, in order
};

// Adds a violation to the law's verdict, which is added if it is not there.
void AddViolation(std::vector<Verdict>& verdicts, const std::string& law, Violation violation);

}  // namespace oj::sim
