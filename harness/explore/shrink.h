// Shrink: the smallest story that still breaks the same law: operations of clients, faults and
// schedule are reduced together, by running again and again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "explore/explore.h"

namespace oj::sim {

struct ShrinkOptions {
  std::uint64_t seed = 1;  // of the run
  std::string law;         // the one that must still be broken
  std::uint64_t most_runs = 20'000;
  Duration budget = std::chrono::seconds(2);  // of real time
  // Real time since some begin; without it, only the runs are counted.
  std::function<Duration()> now;
  TellPace tell;  // may be empty
};

struct Shrunk {
  Judged judged;               // the smallest run that was found
  std::size_t before = 0;      // decisions that were not the default
  std::size_t decisions = 0;   // and are
  std::size_t operations = 0;  // of clients that a mix has drawn
  std::uint64_t runs = 0;
  Duration took{};
  bool complete = false;  // nothing more can be taken away; else the budget was used up
};

// `tape`: of the run that broke the law. Error (kConflict): it does not fit, or breaks it no more.
Result<Shrunk> Shrink(const Scenario& scenario, const Tape& tape, const ShrinkOptions& options);

}  // namespace oj::sim
