// Explore: many runs of a scenario in the simulation, each from a seed, each judged.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "explore/judging.h"
#include "explore/pace.h"
#include "explore/probes.h"
#include "explore/random_chooser.h"
#include "explore/tape.h"
#include "scenario/scenario.h"
#include "sim/sim_run.h"

namespace oj::sim {

// One run with its verdicts.
struct Judged {
  SimResult run;
  std::vector<Verdict> verdicts;
  Tape tape;
};
Judged RunSeed(const Scenario& scenario, std::uint64_t seed, const Way& way = {});

// The same for the same runs, in whatever order they are added.
struct DigestSum {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  void Add(std::uint64_t seed, const Digest& digest);
  std::string Hex() const;
};

// Runs that broke a law.
struct Broken {
  std::uint64_t runs = 0;
  std::uint64_t first = 0;  // its seed
  void Add(const Broken& more) {
    first = runs == 0 ? more.first : std::min(first, more.first);
    runs += more.runs;
  }
};

struct ExploreOptions {
  std::uint64_t runs = 1000;
  std::uint64_t seed = 1;      // of the first run; the next has the next
  Duration budget{};           // of real time; zero: none
  bool twice = false;          // each seed, to compare the two
  bool stop_at_first = false;  // run that breaks a law
  std::uint64_t stride = 1;    // between seeds
  Way way{};
  // Instead of seeds: all orders in which the first so many decisions of the schedule can go, with
  // nothing else out of the ordinary; 0: seeds.
  std::uint32_t exhaustive = 0;
  TellPace tell;  // may be empty
  // Real time since some begin; exploration itself knows of no clock.
  std::function<Duration()> now;
};

struct ExploreReport {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  std::uint64_t decisions = 0;
  Duration real{};
  Duration simulated{};
  DigestSum digest;              // over those of all runs
  std::uint64_t violations = 0;  // runs that broke a law
  std::map<std::string, Broken> laws;
  std::uint64_t mismatches = 0;                // seeds whose two runs differ
  std::string first_mismatch;                  // where
  std::optional<std::uint64_t> first_failure;  // its seed
  std::optional<Tape> first_tape;              // and what it chose, where no seed tells
  bool complete = false;                       // all orders have been
  std::size_t strands = 0;                     // at most, in a run, where they have priorities
  std::uint32_t schedule = 0;                  // and choices among them
  Coverage coverage;
  // Behaviours after so many runs, now and then; of a single process only.
  std::vector<std::pair<std::uint64_t, std::size_t>> growth;
};

ExploreReport Explore(const Scenario& scenario, const ExploreOptions& options);

// Where two runs differ first, in words; empty if nowhere.
std::string FirstDifference(const SimResult& a, const SimResult& b);

// What a run that broke that law leaves behind. The scenario's digest is the caller's to set.
FailureFile FailureOf(const Scenario& scenario, std::uint64_t seed, const std::string& law,
                      const Judged& judged);

// A tape once more. Error (kConflict): it does not fit.
Result<Judged> Replay(const Scenario& scenario, std::uint64_t seed, const Tape& tape);

}  // namespace oj::sim
