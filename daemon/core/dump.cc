#include "core/dump.h"

#include <array>
#include <boost/json.hpp>

#include "core/protocol.h"
#include "core/redactor.h"

namespace oj {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 22> kNames = {"connection_opened", "connection_closed",
                                                     "request_begun",     "request_joined",
                                                     "request_latched",   "request_ended",
                                                     "lease_waiting",     "lease_granted",
                                                     "lease_released",    "key_quarantined",
                                                     "key_freed",         "process_started",
                                                     "process_ended",     "ready",
                                                     "draining",          "stopped",
                                                     "unsettled",         "defect",
                                                     "request_received",  "replied",
                                                     "client_left",       "process_result"};
static_assert(kNames.size() == static_cast<std::size_t>(EventKind::kProcessResult) + 1);

std::string Redacted(const Redactor& redactor, EventKind kind, std::string_view text) {
  switch (kind) {
    case EventKind::kRequestReceived:
      return redactor.Json(text);
    case EventKind::kProcessStarted:
    case EventKind::kProcessEnded:
      return redactor.Command(text);
    case EventKind::kLeaseWaiting:
    case EventKind::kLeaseGranted:
    case EventKind::kLeaseReleased:
    case EventKind::kKeyQuarantined:
    case EventKind::kKeyFreed:
    case EventKind::kProcessResult:
      return redactor.BehindColon(text);
    case EventKind::kUnsettled:
    case EventKind::kDefect:
      return redactor.Words(text);
    default:  // names of ours
      return std::string(text);
  }
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
  return json::serialize(json::object{{"dump", 1},
                                      {"version", kVersion},
                                      {"reason", dump.reason},
                                      {"pid", dump.pid},
                                      {"at_ns", dump.at.time_since_epoch().count()},
                                      {"wall_ms", dump.wall_ms},
                                      {"redacted", dump.redaction_key.has_value()},
                                      {"lost", dump.recording.lost},
                                      {"config", std::move(config)}}) +
         "\n";
}

std::string Line(const Recording& recording, const Recording::Entry& entry,
                 const Redactor* redactor) {
  json::object line{{"at_ns", entry.at.time_since_epoch().count()},
                    {"wall_ms", entry.wall_ms},
                    {"event", NameOf(entry.kind)}};
  if (entry.connection != 0) line["connection"] = entry.connection;
  if (entry.request != 0) line["request"] = entry.request;
  if (entry.value != 0) line["value"] = entry.value;
  const std::string_view text = recording.TextOf(entry);
  if (!text.empty()) {
    line["text"] = ToUtf8(redactor == nullptr ? text : Redacted(*redactor, entry.kind, text));
  }
  if (entry.cut != 0) line["cut"] = entry.cut;
  return json::serialize(line) + "\n";
}

}  // namespace

std::string_view NameOf(EventKind kind) { return kNames.at(static_cast<std::size_t>(kind)); }

std::string TextOf(const Dump& dump) {
  std::optional<Redactor> redactor;
  if (dump.redaction_key) redactor.emplace(*dump.redaction_key);
  std::string text = Head(dump);
  for (std::string_view lines = dump.state; !lines.empty();) {
    const std::size_t end = lines.find('\n');
    text += redactor ? redactor->Json(lines.substr(0, end)) : std::string(lines.substr(0, end));
    text += '\n';
    lines.remove_prefix(end + 1);
  }
  for (const Recording::Entry& each : dump.recording.entries) {
    text += Line(dump.recording, each, redactor ? &*redactor : nullptr);
  }
  return text;
}

}  // namespace oj
