// The twin: a scenario on a real daemon with real sockets and processes, the tools fake or real.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "oj/error.h"
#include "scenario/client_driver.h"
#include "scenario/scenario.h"
#include "trace/trace.h"

namespace oj::sim {

struct TwinOptions {
  std::string ojd;        // path of the daemon
  std::string fakes_dir;  // directory of the fake tools, for World::kFakes
  // For what a busy machine takes longer: added to every bound.
  Duration slack = std::chrono::seconds(5);
  // What a daemon whose clients have gone may take for what it sees through.
  Duration unit{};
};

struct TwinRun {
  Trace trace;  // real times since the daemon was ready; what it did to start is below zero
  std::vector<StepOutcome> steps;

  // When all clients had ended and the daemon had time to come to rest.
  bool quiet = false;             // no process and no zombie was left
  std::vector<std::string> live;  // "pid argv" of those that were
  int zombies = 0;
  int descriptors_before = 0;  // of the daemon, when it was ready
  int descriptors_after = 0;

  bool stopped_by_term = false;        // else it had to be killed, or had died before
  int daemon_exit = 0;                 // exit code, or -signal
  std::vector<std::string> left_over;  // processes that outlived the daemon
  std::vector<std::string> left;       // of the scenario's world, as SimResult::left has it
  std::string daemon_log;              // the last 16 KiB of its stdout and stderr

  bool AllExpected() const;
};

// Runs it in a directory of its own, which is removed, and before it those that killed runs have
// left. Bounded: when the scripts, limits and some seconds of grace have passed, what has not ended
// is "unfinished". SIGINT, SIGTERM and SIGHUP strike when all of it is gone. Error:
// kInvalidRequest, the scenario is not for this world; kUnavailable, something could not be
// started.
Result<TwinRun> RunTwin(const Scenario& scenario, World world, const TwinOptions& options);

}  // namespace oj::sim
