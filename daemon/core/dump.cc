#include "core/dump.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <vector>

#include "core/protocol.h"
#include "core/redactor.h"

namespace oj {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 23> kNames = {
    "connection_opened", "connection_closed", "request_begun", "request_joined", "request_latched",
    "request_ended",     "lease_waiting",     "lease_granted", "lease_released", "key_quarantined",
    "key_freed",         "process_started",   "process_ended", "ready",          "draining",
    "stopped",           "unsettled",         "defect",        "dumped",         "request_received",
    "replied",           "client_left",       "process_result"};
static_assert(kNames.size() == static_cast<std::size_t>(EventKind::kProcessResult) + 1);

std::string Redacted(Redactor& redactor, EventKind kind, std::string_view text) {
  switch (kind) {
    case EventKind::kRequestReceived:
      return redactor.Request(text);
    case EventKind::kLeaseWaiting:
    case EventKind::kLeaseGranted:
    case EventKind::kLeaseReleased:
    case EventKind::kKeyQuarantined:
    case EventKind::kKeyFreed:
      return redactor.Key(text);
    case EventKind::kProcessResult:
      return redactor.Result(text);
    case EventKind::kUnsettled:
    case EventKind::kDefect:
    case EventKind::kDumped:
      return redactor.Words(text);
    default:  // names of ours
      return std::string(text);
  }
}

// The tool by the name that it has here, whatever its path, and the rest.
void AddCommand(json::object& line, std::string_view text, const Config& config,
                Redactor* redactor) {
  const std::string_view program = text.substr(0, text.find('\0'));
  line["tool"] = program == config.git_tool ? "git" : "tmux";
  std::vector<std::string> arguments;
  for (std::size_t at = program.size(); at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at + 1), text.size());
    arguments.emplace_back(text.substr(at + 1, end - at - 1));
    at = end;
  }
  if (redactor != nullptr) arguments = redactor->Arguments(arguments);
  json::array& list = (line["arguments"] = json::array()).get_array();
  for (const std::string& each : arguments) list.emplace_back(ToUtf8(each));
}

std::string Head(const Dump& dump) {
  json::object config;
  for (const ConfigKey& each : ConfigKeys()) {
    if (each.key.starts_with("tools.") || each.key.starts_with("client.")) continue;
    const std::string value = GetConfig(dump.config, each.key);
    if (each.unit.empty() && !each.key.starts_with("limits.")) {
      config[each.key] = value;
    } else {
      config[each.key] = std::stoll(value);
    }
  }
  return json::serialize(json::object{{"dump", kDumpFormat},
                                      {"version", kVersion},
                                      {"reason", dump.reason},
                                      {"pid", dump.pid},
                                      {"at_ns", dump.at.time_since_epoch().count()},
                                      {"wall_ms", dump.wall_ms},
                                      {"redacted", dump.redact},
                                      {"lost", dump.recording.lost},
                                      {"config", std::move(config)}}) +
         "\n";
}

std::string Line(const Dump& dump, const Recording::Entry& entry, Redactor* redactor) {
  json::object line{{"at_ns", entry.at.time_since_epoch().count()},
                    {"wall_ms", entry.wall_ms},
                    {"event", NameOf(entry.kind)}};
  if (entry.connection != 0) line["connection"] = entry.connection;
  if (entry.request != 0) line["request"] = entry.request;
  if (entry.value != 0) line["value"] = entry.value;
  const std::string_view text = dump.recording.TextOf(entry);
  if (entry.kind == EventKind::kProcessStarted) {
    AddCommand(line, text, dump.config, redactor);
  } else if (!text.empty() && entry.kind != EventKind::kProcessEnded) {  // of which the pid tells
    line["text"] = ToUtf8(redactor == nullptr ? text : Redacted(*redactor, entry.kind, text));
  }
  if (entry.cut != 0) line["cut"] = entry.cut;
  return json::serialize(line) + "\n";
}

}  // namespace

std::string_view NameOf(EventKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::string TextOf(const Dump& dump) {
  Redactor redactor;
  std::string text = Head(dump);
  for (std::string_view lines = dump.state; !lines.empty();) {
    const std::size_t end = lines.find('\n');
    const std::string line = ToUtf8(lines.substr(0, end));  // a path may be anything
    text += dump.redact ? redactor.Record(line) : line;
    text += '\n';
    lines.remove_prefix(end + 1);
  }
  for (const Recording::Entry& each : dump.recording.entries) {
    text += Line(dump, each, dump.redact ? &redactor : nullptr);
  }
  return text;
}

}  // namespace oj
