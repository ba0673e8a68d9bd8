// The commands of oj-harness. Each prints its result to standard output, what is wrong with a file
// or an option to standard error, and returns the exit code: 0 all laws hold, 1 one is broken,
// 2 it could not be tried.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace oj::sim {

// How a seed decides.
struct ChoiceOptions {
  std::string strategy = "swarm";      // "random", "pct"
  unsigned depth = 3;                  // of pct
  std::vector<std::string> without{};  // classes of sites that stay at the default
};

struct RunCommandOptions {
  std::string file{};
  std::string world = "sim";      // "fakes", "real"
  std::uint64_t seed = 1;         // sim
  double scale = 1;               // of durations, not in sim
  std::string ojd{};              // the daemon; empty: beside this program
  std::uint64_t slack_ms = 1000;  // added to every bound on real processes
  ChoiceOptions choice{};         // sim
  bool json = false;
};
int RunCommand(const RunCommandOptions& options);

struct ExploreCommandOptions {
  std::string file{};
  std::uint64_t runs = 1000;
  std::uint64_t seed = 1;
  double seconds = 0;  // of real time; 0: no limit
  bool twice = false;
  bool stop_at_first = false;  // run that breaks a law
  ChoiceOptions choice{};
  unsigned jobs = 1;         // processes
  std::uint32_t orders = 0;  // decisions of the schedule, all of whose orders are run; 0: seeds
  bool json = false;
  std::string failures{};     // directory for failure files; empty: none are written
  double shrink_seconds = 2;  // of real time, for the first failure; 0: it stays as it is
  std::string report{};       // a page of HTML to write; empty: none
};
int ExploreCommand(const ExploreCommandOptions& options);

// Of a failure file.
int ReplayCommand(const std::string& file, bool json);
// A failure file once more, smaller: written to `to`, and told.
int ShrinkCommand(const std::string& file, const std::string& to, double seconds);
// A scenario from the dump of a daemon's flight recorder, to `to` or standard output.
int RecordCommand(const std::string& dump, const std::string& to);

struct SweepCommandOptions {
  std::string file{};
  std::vector<std::string> kinds{};  // empty: all
  std::uint64_t bases = 1;
  bool pairs = false;
  bool faults = false;
  bool stop_at_first = false;  // point at which something is wrong
  bool json = false;
  std::string report{};  // a page of HTML to write; empty: none
};
// Strikes a scenario's run at each step in each way; prints a table, which says how many points
// were covered: at the others nothing could be struck. 0: nothing was wrong at any.
int SweepCommand(const SweepCommandOptions& options);

struct TwinCommandOptions {
  std::vector<std::string> files{};   // scenarios, or directories of them
  std::vector<std::string> worlds{};  // of "fakes", "real"; empty: both
  std::uint64_t seeds = 100;          // runs in simulation, each in an order of its own
  std::uint64_t draws = 20;           // scenarios from each generated workload
  std::uint64_t seed = 1;             // of the first that is drawn
  unsigned jobs = 1;                  // scenarios at a time
  std::uint64_t at_least = 0;         // must agree
  std::string keep{};                 // directory for drawn scenarios that disagree; empty: none
  bool json = false;
  RunCommandOptions run{};  // scale, ojd, slack_ms
};
// Runs each scenario in simulation and on real processes, and says where what the processes did is
// not among what the simulation admits, and what laws are broken. 0: nowhere and none, and at least
// so many agree.
int TwinCommand(const TwinCommandOptions& options);

}  // namespace oj::sim
