#include "os/spdlog_event_log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace oj {
namespace {

using spdlog::level::level_enum;

// How an event is told. In `line`: {0} text, {1} value.
struct Line {
  level_enum level;
  const char* line;
};

// By EventKind.
constexpr std::array<Line, 19> kLines = {{
    {level_enum::debug, "connected, pid {1}"},
    {level_enum::debug, "disconnected"},
    {level_enum::debug, "{0} begun"},
    {level_enum::debug, "{0} joined one in flight"},
    {level_enum::info, "cancelled: {0}"},
    {level_enum::debug, "ended: {0}"},
    {level_enum::debug, "waits for {0}"},
    {level_enum::debug, "holds {0}"},
    {level_enum::debug, "released {0}"},
    {level_enum::warn, "quarantined {0}, pid {1}"},
    {level_enum::info, "freed {0}"},
    {level_enum::debug, "started {0}, pid {1}"},
    {level_enum::debug, "process ended: {0}, pid {1}"},
    {level_enum::info, "ready"},
    {level_enum::info, "draining"},
    {level_enum::info, "stopped"},
    {level_enum::warn, "not settled: {0}"},
    {level_enum::err, "defect: {0}"},
    {level_enum::warn, "what has lately been done is in {0}"},
}};
static_assert(kLines.size() == static_cast<std::size_t>(EventKind::kDumped) + 1);

// Somebody was told to come again: worth a line where requests that end are not.
constexpr Line kRefused{level_enum::info, "refused: {0}"};

// Not because of a process, but of what a server may still do.
constexpr Line kFenced{level_enum::warn, "quarantined {0} until tmux has answered"};

constexpr Line kNotDumped{level_enum::warn, "no dump: {0}"};

const Line& LineOf(const LogEvent& event) {
  if (event.kind == EventKind::kRequestEnded && event.text == Name(ErrorCode::kBusy)) {
    return kRefused;
  }
  if (event.kind == EventKind::kDumped && event.value != 0) return kNotDumped;
  if (event.kind == EventKind::kKeyQuarantined && event.value == 0) return kFenced;
  return kLines.at(static_cast<std::size_t>(event.kind));
}

// One line, whatever was in the text.
std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace

SpdlogEventLog::SpdlogEventLog(std::shared_ptr<spdlog::logger> logger)
    : logger_(std::move(logger)) {}
SpdlogEventLog::~SpdlogEventLog() = default;

Result<std::unique_ptr<SpdlogEventLog>> SpdlogEventLog::Open(std::string_view level,
                                                             const std::string& file) {
  if (level != "debug" && level != "info" && level != "warn" && level != "error") {
    return Error{ErrorCode::kInvalidRequest,
                 "log level '" + std::string(level) + "' is not debug, info, warn or error", ""};
  }
  try {
    // Recorded by the loop's thread only.
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(file);
    }
    auto logger = std::make_shared<spdlog::logger>("ojd", std::move(sink));
    logger->set_level(spdlog::level::from_str(std::string(level)));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %-5l %v");
    logger->flush_on(level_enum::info);
    return std::unique_ptr<SpdlogEventLog>(new SpdlogEventLog(std::move(logger)));
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInvalidRequest, std::string("log: ") + e.what(), ""};
  }
}

void SpdlogEventLog::Record(const LogEvent& event) {
  if (IsForReplayOnly(event.kind)) return;
  const Line& line = LineOf(event);
  if (!logger_->should_log(line.level)) return;
  std::string who;
  if (event.connection != 0) who += "connection " + std::to_string(event.connection) + " ";
  if (event.request != 0) who += "request " + std::to_string(event.request) + " ";
  const std::string what = fmt::format(fmt::runtime(line.line), OneLine(event.text), event.value);
  logger_->log(line.level, "{}{}", who, what);
}

}  // namespace oj
