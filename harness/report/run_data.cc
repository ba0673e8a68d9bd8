#include "report/run_data.h"

#include <boost/json.hpp>
#include <iterator>

#include "trace/lanes.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

// What a kind's fields mean; empty: nothing.
struct Fields {
  const char* subject = "";
  const char* object = "";
  const char* value = "";
  const char* text = "";
};

// In the order of TraceKind, then of EventKind.
constexpr Fields kFields[] = {
    {"client", "connection", "", ""},
    {"client", "call", "connection", "request type"},
    {"client", "call", "", "reply"},
    {"client", "", "", "what was wrong"},
    {"client", "call", "", ""},
    {"client", "", "connection", ""},
    {"client", "", "connection", ""},
    {"client", "", "connection", ""},
    {"pid", "request", "group", "argv"},
    {"pid", "", "signal", ""},
    {"pid", "", "exit", "how"},
    {"pid", "", "", ""},
    {"fault", "", "", "what"},
    {"fault", "", "", ""},
    {"daemon", "", "", ""},
    {"daemon", "", "killed", ""},
};
constexpr Fields kDaemonFields[] = {
    {"connection", "", "peer", ""},
    {"connection", "", "", ""},
    {"connection", "request", "client pid", "type"},
    {"connection", "request", "", "type"},
    {"", "request", "", "reason"},
    {"", "request", "", "reply"},
    {"", "request", "exclusive", "key"},
    {"", "request", "exclusive", "key"},
    {"", "request", "", "key"},
    {"", "request", "pid", "key"},
    {"", "request", "", "key"},
    {"", "request", "pid", "argv"},
    {"", "request", "pid", "argv"},
    {"", "", "", ""},
    {"", "", "limit in ms", ""},
    {"", "", "", ""},
    {"", "", "", "what"},
    {"", "request", "", "what"},
    {"", "", "failed", "path"},
};
static_assert(std::size(kFields) == static_cast<std::size_t>(TraceKind::kDaemon));
static_assert(std::size(kDaemonFields) == static_cast<std::size_t>(EventKind::kDumped) + 1);

std::int64_t Nanos(Instant at) { return at.time_since_epoch().count(); }

std::size_t KindOf(const TraceEvent& event) {
  const std::size_t daemon =
      event.kind == TraceKind::kDaemon ? static_cast<std::size_t>(event.daemon) : 0;
  return static_cast<std::size_t>(event.kind) + daemon;
}

json::array Kinds() {
  json::array kinds;
  const auto add = [&](TraceKind kind, EventKind daemon, const Fields& fields) {
    kinds.push_back(json::object{{"name", NameOf(kind, daemon)},
                                 {"subject", fields.subject},
                                 {"object", fields.object},
                                 {"value", fields.value},
                                 {"text", fields.text}});
  };
  for (std::size_t i = 0; i < std::size(kFields); ++i) {
    add(static_cast<TraceKind>(i), EventKind::kDefect, kFields[i]);
  }
  for (std::size_t i = 0; i < std::size(kDaemonFields); ++i) {
    add(TraceKind::kDaemon, static_cast<EventKind>(i), kDaemonFields[i]);
  }
  return kinds;
}

json::array Events(const Trace& trace) {
  json::array events;
  for (const TraceEvent& event : trace.events()) {
    events.push_back(json::array{Nanos(event.at), KindOf(event), event.subject, event.object,
                                 event.value, trace.Text(event)});
  }
  return events;
}

json::value Index(std::size_t event) {
  return event == kNoEvent ? json::value(-1) : json::value(event);
}

json::object AsJson(const Lane& lane) {
  constexpr const char* kNames[] = {"fault", "client", "request", "lease", "process", "daemon"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(LaneKind::kDaemon) + 1);
  json::array bars;
  for (const Bar& bar : lane.bars) {
    bars.push_back(json::array{Nanos(bar.from), Nanos(bar.to), std::string(1, bar.fill),
                               Index(bar.begin), Index(bar.end)});
  }
  json::array marks;
  for (const Mark& mark : lane.marks) {
    marks.push_back(
        json::array{Nanos(mark.at), std::string(1, mark.sign), Index(mark.event), mark.note});
  }
  return {{"kind", kNames[static_cast<std::size_t>(lane.kind)]},
          {"label", lane.label},
          {"request", lane.request},
          {"bars", std::move(bars)},
          {"marks", std::move(marks)}};
}

json::object AsJson(const Verdict& verdict) {
  json::array violations;
  for (const Violation& each : verdict.violations) {
    violations.push_back(json::object{{"at", Nanos(each.at)},
                                      {"message", each.message},
                                      {"events", json::value_from(each.events)}});
  }
  return {{"law", verdict.law}, {"title", verdict.title}, {"violations", std::move(violations)}};
}

}  // namespace

json::object RunData(const Trace& trace, const std::vector<Verdict>& verdicts) {
  json::array lanes;
  for (const Lane& lane : LanesOf(trace)) lanes.push_back(AsJson(lane));
  json::array laws;
  for (const Verdict& each : verdicts) laws.push_back(AsJson(each));
  return {{"kinds", Kinds()},
          {"events", Events(trace)},
          {"lanes", std::move(lanes)},
          {"laws", std::move(laws)}};
}

}  // namespace oj::sim
