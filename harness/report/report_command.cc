#include "report/report_command.h"

#include <boost/json.hpp>
#include <iostream>

#include "explore/runs.h"
#include "report/chrome_trace.h"
#include "report/page.h"
#include "report/run_data.h"

namespace oj::sim {
namespace {

int Refuse(const std::string& why) {
  std::cerr << "oj-harness: " << why << '\n';
  return 2;
}

// What `file` is, its first line says.
Result<RunReport> RunOrReplay(const RunCommandOptions& options) {
  const Result<std::string> text = ReadFileText(options.file);
  if (!text) return text.error();
  return IsFailure(*text) ? ReplayOf(options.file) : RunOf(options);
}

std::string PageOf(const RunReport& report) {
  boost::json::object data = RunData(report.trace, report.verdicts);
  data["run"] = AsJson(report);
  data["run"].as_object().erase("laws");
  data["run"].as_object()["about"] = report.scenario.about;
  data["run"].as_object()["choices"] = report.about;
  return RunPage(data);
}

}  // namespace

int ReportCommand(const ReportCommandOptions& options) {
  const Result<RunReport> report = RunOrReplay(options.run);
  if (!report) return Refuse(report.error().message);
  if (!options.out.empty()) {
    const Status written = WriteFile(options.out, PageOf(*report));
    if (!written) return Refuse("--out: " + written.error().message);
  } else if (options.chrome_trace.empty()) {
    std::cout << PageOf(*report);
  }
  if (options.chrome_trace.empty()) return 0;
  const Status written = WriteFile(options.chrome_trace, ChromeTrace(report->trace));
  return written ? 0 : Refuse("--chrome-trace: " + written.error().message);
}

}  // namespace oj::sim
