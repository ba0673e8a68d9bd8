#include "report/report_command.h"

#include <boost/json.hpp>
#include <iostream>

#include "explore/meter.h"
#include "explore/runs.h"
#include "report/chrome_trace.h"
#include "report/page.h"

namespace oj::sim {
namespace {

int Refuse(const std::string& why) {
  std::cerr << "oj-harness: " << why << '\n';
  return 2;
}

// The JSON of many runs begins with a brace, which no scenario and no recorded failure does.
bool IsSurvey(std::string_view text) { return text.starts_with('{'); }

// Error (kInvalidRequest): it is no JSON, or not that of a command that has a page.
Result<std::string> SurveyOf(const std::string& file, std::string_view text) {
  const auto wrong = [&file](const std::string& why) {
    return Error{ErrorCode::kInvalidRequest, file + ": " + why, ""};
  };
  boost::system::error_code error;
  const boost::json::value data = boost::json::parse(text, error);
  if (error) return wrong("is no JSON: " + error.message());
  if (!data.is_object() || !data.as_object().contains("about")) {
    return wrong("has no \"about\": the JSON of explore, sweep or ci/mutants is expected");
  }
  return SurveyPage(data.as_object());
}

// What `file` is, its first line says.
Result<RunReport> RunOrReplay(const RunCommandOptions& options, std::string_view text) {
  const Waiting waiting("report: in the world " + options.world);
  return IsFailure(text) ? ReplayOf(options.file) : RunOf(options);
}

// Empty: standard output.
int Put(const std::string& out, std::string_view page) {
  if (out.empty()) {
    std::cout << page;
    return 0;
  }
  const Status written = WriteFile(out, page);
  return written ? 0 : Refuse("--out: " + written.error().message);
}

}  // namespace

int ReportCommand(const ReportCommandOptions& options) {
  const Result<std::string> text = ReadFileText(options.run.file);
  if (!text) return Refuse(text.error().message);
  if (IsSurvey(*text)) {
    if (!options.chrome_trace.empty()) return Refuse("--chrome-trace: is of one run, not of many");
    const Result<std::string> page = SurveyOf(options.run.file, *text);
    return page ? Put(options.out, *page) : Refuse(page.error().message);
  }
  const Result<RunReport> report = RunOrReplay(options.run, *text);
  if (!report) return Refuse(report.error().message);
  if (!options.out.empty() || options.chrome_trace.empty()) {
    if (const int status = Put(options.out, AsPage(*report)); status != 0) return status;
  }
  if (options.chrome_trace.empty()) return 0;
  const Status written = WriteFile(options.chrome_trace, ChromeTrace(report->trace));
  return written ? 0 : Refuse("--chrome-trace: " + written.error().message);
}

}  // namespace oj::sim
