#include "report/chrome_trace.h"

#include <boost/json.hpp>
#include <map>

#include "core/protocol.h"
#include "trace/lanes.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

constexpr const char* kKinds[] = {"faults", "clients", "requests", "leases", "processes", "daemon"};

double Micros(Instant at) { return static_cast<double>(at.time_since_epoch().count()) / 1000; }

const char* NameOf(char fill) {
  if (fill == '.') return "waits";
  if (fill == '%') return "in quarantine";
  return fill == '~' ? "unwinds" : nullptr;
}
const char* NameOfSign(char sign) {
  switch (sign) {
    case 'X':
      return "cancelled";
    case 'T':
      return "SIGTERM";
    case 'K':
      return "SIGKILL";
    case 's':
      return "signal";
    case '!':
      return "gave up";
    case 'h':
      return "half-close";
    case 'x':
      return "client closed";
    case 'c':
      return "daemon closed";
    case '?':
      return "torn reply";
    case 'd':
      return "drains";
    case 'U':
      return "unsettled";
    case 'D':
      return "defect";
    default:
      return nullptr;  // a bar's begin or end
  }
}

class Writer {
 public:
  explicit Writer(const Trace& trace) : trace_(trace), lanes_(LanesOf(trace)) {}

  std::string Write() {
    for (std::size_t i = 0; i < std::size(kKinds); ++i) Name("process_name", i, 0, kKinds[i]);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      const Lane& lane = lanes_[i];
      Name("thread_name", static_cast<std::size_t>(lane.kind), i + 1, lane.label);
      for (const Bar& bar : lane.bars) AddBar(lane, i + 1, bar);
      for (const Mark& mark : lane.marks) AddMark(lane, i + 1, mark);
    }
    Arrows();
    json::array all = std::move(names_);
    for (auto& [at, event] : events_) all.push_back(std::move(event));
    const json::object whole{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(all)}};
    return ToUtf8(json::serialize(whole));
  }

 private:
  json::object Event(const char* phase, std::string_view name, LaneKind kind, std::size_t thread,
                     Instant at) const {
    return {{"ph", phase},
            {"name", name},
            {"pid", static_cast<int>(kind) + 1},
            {"tid", thread},
            {"ts", Micros(at)}};
  }
  void Add(Instant at, json::object event) { events_.emplace(at, std::move(event)); }

  void Name(const char* what, std::size_t kind, std::size_t thread, std::string_view name) {
    json::object event = Event("M", what, static_cast<LaneKind>(kind), thread, Instant());
    event["args"] = json::object{{"name", name}};
    names_.push_back(std::move(event));
  }

  void AddBar(const Lane& lane, std::size_t thread, const Bar& bar) {
    const char* state = NameOf(bar.fill);
    std::string name = lane.label;
    if (bar.begin != kNoEvent && lane.kind == LaneKind::kClient) name = Text(bar.begin);
    if (state != nullptr) name = state;
    json::object event = Event("X", name, lane.kind, thread, bar.from);
    event["dur"] = Micros(bar.to) - Micros(bar.from);
    json::object args{{"lane", lane.label}};
    if (bar.begin != kNoEvent) args["begin"] = Words(bar.begin);
    args["end"] = bar.end == kNoEvent ? "goes on" : Words(bar.end);
    event["args"] = std::move(args);
    Add(bar.from, std::move(event));
  }

  void AddMark(const Lane& lane, std::size_t thread, const Mark& mark) {
    const char* name = NameOfSign(mark.sign);
    if (name == nullptr) return;
    json::object event = Event("i", name, lane.kind, thread, mark.at);
    event["s"] = "t";
    event["args"] = json::object{{"note", mark.note}};
    Add(mark.at, std::move(event));
    if (mark.sign == 'X') cancels_[lane.request] = {mark.at, thread};
  }

  // From where a request was cancelled to each signal to a process of its.
  void Arrows() {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      const Lane& lane = lanes_[i];
      const auto cancel = cancels_.find(lane.request);
      if (lane.kind != LaneKind::kProcess || cancel == cancels_.end()) continue;
      for (const Mark& mark : lane.marks) {
        const bool signal = mark.sign == 'T' || mark.sign == 'K';
        if (!signal || mark.at < cancel->second.at) continue;
        Arrow("s", LaneKind::kRequest, cancel->second.thread, cancel->second.at);
        Arrow("f", lane.kind, i + 1, mark.at);
        ++arrows_;
      }
    }
  }
  void Arrow(const char* phase, LaneKind kind, std::size_t thread, Instant at) {
    json::object event = Event(phase, "cancel", kind, thread, at);
    event["cat"] = "cancel";
    event["id"] = arrows_;
    if (*phase == 'f') event["bp"] = "e";
    Add(at, std::move(event));
  }

  std::string Text(std::size_t event) const {
    return std::string(trace_.Text(trace_.events()[event]));
  }
  std::string Words(std::size_t index) const {
    const TraceEvent& event = trace_.events()[index];
    std::string words(sim::NameOf(event.kind, event.daemon));
    return event.text == 0 ? words : words.append(": ").append(trace_.Text(event));
  }

  struct Cancel {
    Instant at;
    std::size_t thread = 0;
  };
  const Trace& trace_;
  std::vector<Lane> lanes_;
  json::array names_;
  std::multimap<Instant, json::object> events_;  // equal times: in the order of adding
  std::map<std::uint64_t, Cancel> cancels_;      // by request
  std::uint64_t arrows_ = 1;
};

}  // namespace

std::string ChromeTrace(const Trace& trace) { return Writer(trace).Write(); }

}  // namespace oj::sim
