// report: the picture of one run, or of many.
#pragma once

#include <string>

#include "explore/commands.h"

namespace oj::sim {

struct ReportCommandOptions {
  RunCommandOptions run{};     // its file: a scenario, a recorded failure, or the JSON of
                               // explore, sweep or ci/mutants
  std::string out{};           // the page; empty: standard output, if there is no chrome_trace
  std::string chrome_trace{};  // Chrome's trace events; empty: none
};
// 0: the pictures are written, whatever the laws say; 2: they could not be.
int ReportCommand(const ReportCommandOptions& options);

}  // namespace oj::sim
