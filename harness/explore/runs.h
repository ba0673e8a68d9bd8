// Runs: what the command line names, run once and judged: a scenario in any of its worlds, or a
// recorded failure.
#pragma once

#include <string>
#include <vector>

#include "explore/commands.h"
#include "explore/explore.h"
#include "explore/report.h"
#include "scenario/twin.h"

namespace oj::sim {

// Errors (kInvalidRequest) of all of these are for people: they name the file or the option.
// The scenario, if it is for that world.
Result<Scenario> LoadFor(const std::string& file, World world);
Result<Way> WayOf(const ChoiceOptions& options);

// What a failure file tells, with its scenario as it was then.
struct Recorded {
  FailureFile file;
  Scenario scenario;
};
Result<Recorded> LoadRecorded(const std::string& file);

// So long, as the checkers see it with that slack, a daemon may go on with what it sees through for
// clients that have gone.
Duration LongestUnitOf(const Scenario& scenario, Duration slack);

// Makes it where it is missing. Error: it cannot be written to; `option` is named.
Status CheckDirectory(const std::string& option, const std::string& path);

// On a real daemon, as the scenario is; ojd and slack are the options'.
struct JudgedTwin {
  TwinRun run;
  std::vector<Verdict> verdicts;
};
Result<JudgedTwin> RunOnProcesses(const Scenario& scenario, World world,
                                  const RunCommandOptions& options);

Result<RunReport> RunOf(const RunCommandOptions& options);
Result<RunReport> ReplayOf(const std::string& file);

}  // namespace oj::sim
