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

// What only one of the commands prints, as the page's script tells them apart, and draws.
bool HasPage(const boost::json::object& data) {
  const auto is = [&data](const char* key, auto type) {
    const boost::json::value* value = data.if_contains(key);
    return value != nullptr && (value->*type)();
  };
  if (!is("about", &boost::json::value::is_string)) return false;
  if (is("mutants", &boost::json::value::is_array)) return true;
  return is("scenario", &boost::json::value::is_string) &&
         (is("kinds", &boost::json::value::is_array) ||
          is("growth", &boost::json::value::is_array));
}

// What a flight recorder writes begins with a line that says so.
bool IsDump(std::string_view text) {
  boost::system::error_code error;
  const boost::json::value head = boost::json::parse(text.substr(0, text.find('\n')), error);
  return !error && head.is_object() && head.get_object().contains("dump");
}

// Error (kInvalidRequest): it is no JSON, or not that of a command that has a page.
Result<std::string> SurveyOf(const std::string& file, std::string_view text) {
  const auto wrong = [&file](const std::string& why) {
    return Error{ErrorCode::kInvalidRequest, file + ": " + why, ""};
  };
  if (IsDump(text)) {
    return wrong("is a dump; `oj-harness record --from " + file + "` makes a scenario of it");
  }
  boost::system::error_code error;
  const boost::json::value data = boost::json::parse(text, error);
  if (error) return wrong("is no JSON: " + error.message());
  if (!data.is_object() || !HasPage(data.get_object())) {
    return wrong("is not the JSON of explore, sweep or ci/mutants");
  }
  return SurveyPage(data.get_object());
}

// Options for a run that is yet to be; empty: none differs from its default.
std::string OptionsOfARun(const RunCommandOptions& given) {
  const RunCommandOptions none;
  std::string all;
  const auto add = [&all](const char* option, bool differs) {
    if (differs) all.append(all.empty() ? "" : ", ").append(option);
  };
  add("--world", given.world != none.world);
  add("--seed", given.seed != none.seed);
  add("--scale", given.scale != none.scale);
  add("--ojd", given.ojd != none.ojd);
  add("--slack-ms", given.slack_ms != none.slack_ms);
  add("--strategy", given.choice.strategy != none.choice.strategy);
  add("--depth", given.choice.depth != none.choice.depth);
  add("--without", given.choice.without != none.choice.without);
  return all;
}

// What `file` is, its first line says.
Result<RunReport> RunOrReplay(const RunCommandOptions& options, std::string_view text) {
  const Waiting waiting("report: in the world " + options.world);
  return IsFailure(text) ? ReplayOf(options.file) : RunOf(options);
}

// Empty: standard output.
int Put(const std::string& out, std::string_view page) {
  if (out.empty()) {
    return std::cout << page << std::flush ? 0 : Refuse("standard output: cannot be written");
  }
  const Status written = WriteFile(out, page);
  if (!written) return Refuse("--out: " + written.error().message);
  std::cout << "written to " << out << '\n';
  return 0;
}

}  // namespace

int ReportCommand(const ReportCommandOptions& options) {
  const Result<std::string> text = ReadFileText(options.run.file);
  if (!text) return Refuse(text.error().message);
  const std::string of_run = OptionsOfARun(options.run);
  if (!of_run.empty() && (IsSurvey(*text) || IsFailure(*text))) {
    return Refuse(of_run + ": of a scenario only; " + options.run.file + " has been run");
  }
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
