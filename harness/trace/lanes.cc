#include "trace/lanes.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string_view>
#include <tuple>

namespace oj::sim {
namespace {

using Key = std::tuple<LaneKind, std::uint64_t, std::string>;

// A command line without git's options before the subcommand: where it runs tells less than what.
std::string Brief(std::string_view line) {
  std::string brief;
  bool skip = false;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    const bool option = word == "-C" || word == "-c";
    const bool shown = !option && !skip && word != "--no-optional-locks";
    if (shown) brief.append(brief.empty() ? "" : " ").append(word);
    skip = option;
  }
  return brief;
}

class Builder {
 public:
  explicit Builder(const Trace& trace) : trace_(trace) {}

  std::vector<Lane> Build() {
    for (now_ = 0; now_ < trace_.events().size(); ++now_) Add(trace_.events()[now_]);
    const Instant end = trace_.events().empty() ? Instant() : trace_.events().back().at;
    for (auto& [lane, open] : open_) {
      lane->bars.push_back({open.from, end, open.fill, open.event, kNoEvent});
      lane->marks.push_back({end, '>', "", kNoEvent});
    }
    std::vector<Lane> lanes;
    for (int kind = 0; kind <= static_cast<int>(LaneKind::kDaemon); ++kind) {
      for (const Lane& lane : lanes_) {
        if (static_cast<int>(lane.kind) == kind) lanes.push_back(lane);
      }
    }
    return lanes;
  }

 private:
  struct Open {
    Instant from;
    char fill;
    std::size_t event;
  };

  // The lane of this kind and number; made on first sight, with that label.
  Lane& At(const TraceEvent& event, LaneKind kind, std::uint64_t number, const std::string& label,
           const std::string& name = "") {
    Lane*& lane = index_[Key(kind, number, name)];
    if (lane == nullptr) {
      lanes_.push_back({kind, label, event.at, RequestOf(event, kind), {}, {}});
      lane = &lanes_.back();
    }
    return *lane;
  }
  static std::uint64_t RequestOf(const TraceEvent& event, LaneKind kind) {
    const bool has_one =
        kind == LaneKind::kRequest || kind == LaneKind::kLease || kind == LaneKind::kProcess;
    return has_one ? event.object : 0;
  }
  // A process's number may be used again: its next life has a lane of its own.
  void Forget(LaneKind kind, std::uint64_t number, const std::string& name = "") {
    index_.erase(Key(kind, number, name));
  }

  void Begin(Lane& lane, Instant at, char fill, char sign) {
    open_[&lane] = {at, fill, now_};
    Put(lane, at, sign, "");
  }
  void End(Lane& lane, Instant at, char sign, std::string_view note) {
    if (const auto open = open_.find(&lane); open != open_.end()) {
      Close(lane, at, open->second);
      open_.erase(open);
    }
    Put(lane, at, sign, note);
  }
  void Close(Lane& lane, Instant at, const Open& open) {
    lane.bars.push_back({open.from, at, open.fill, open.event, now_});
  }
  void Put(Lane& lane, Instant at, char sign, std::string_view note) {
    lane.marks.push_back({at, sign, std::string(note), now_});
  }
  // From here on the bar looks otherwise, if there is one.
  void Change(Lane& lane, Instant at, char fill) {
    const auto open = open_.find(&lane);
    if (open == open_.end()) return;
    Close(lane, at, open->second);
    open->second = {at, fill, now_};
  }

  void Add(const TraceEvent& event) {
    switch (event.kind) {
      case TraceKind::kFaultBegan:
      case TraceKind::kFaultEnded:
        return Fault(event);
      case TraceKind::kDaemonStarted:
      case TraceKind::kDaemonDied:
        return Daemon(event);
      case TraceKind::kProcessStarted:
      case TraceKind::kProcessSignaled:
      case TraceKind::kProcessEnded:
      case TraceKind::kProcessReaped:
        return Process(event);
      case TraceKind::kDaemon:
        return FromDaemon(event);
      default:
        return Client(event);
    }
  }

  void Fault(const TraceEvent& event) {
    Lane& lane = At(event, LaneKind::kFault, event.subject,
                    "fault " + std::to_string(event.subject) + " " + Text(event));
    if (event.kind == TraceKind::kFaultBegan) {
      Begin(lane, event.at, '#', '[');
    } else {
      End(lane, event.at, ']', "");
    }
  }

  void Daemon(const TraceEvent& event) {
    Lane& lane =
        At(event, LaneKind::kDaemon, event.subject, "daemon " + std::to_string(event.subject));
    if (event.kind == TraceKind::kDaemonStarted) {
      Begin(lane, event.at, '=', '[');
    } else {
      End(lane, event.at, event.value == 1 ? 'K' : ']', event.value == 1 ? "killed" : "exited");
    }
  }

  void Client(const TraceEvent& event) {
    Lane& lane =
        At(event, LaneKind::kClient, event.subject, "client " + std::to_string(event.subject));
    switch (event.kind) {
      case TraceKind::kClientSent:
        return Begin(lane, event.at, '=', '[');
      case TraceKind::kClientReceived:
        return End(lane, event.at, ']', Text(event));
      case TraceKind::kClientGaveUp:
        return End(lane, event.at, '!', "gave up");
      case TraceKind::kClientTornReply:
        return End(lane, event.at, '?', "torn");
      case TraceKind::kClientSawClose:
        return End(lane, event.at, 'c', "closed");
      case TraceKind::kClientHalfClosed:
        return Put(lane, event.at, 'h', "");
      case TraceKind::kClientClosed:
        if (open_.contains(&lane)) End(lane, event.at, 'x', "");
        return;
      default:
        return;
    }
  }

  void Process(const TraceEvent& event) {
    Lane& lane = At(event, LaneKind::kProcess, event.subject,
                    "pid " + std::to_string(event.subject) +
                        (event.object == 0 ? "" : " r" + std::to_string(event.object)) + " " +
                        Brief(Text(event)));
    switch (event.kind) {
      case TraceKind::kProcessStarted:
        return Begin(lane, event.at, '=', '[');
      case TraceKind::kProcessSignaled:
        return Put(lane, event.at, SignOf(event.value), "");
      case TraceKind::kProcessEnded:
        return End(lane, event.at, ']',
                   event.text != 0   ? "ended"
                   : event.value < 0 ? "signal " + std::to_string(-event.value)
                                     : "exit " + std::to_string(event.value));
      default:
        return Forget(LaneKind::kProcess, event.subject);
    }
  }

  static char SignOf(std::int64_t signal) {
    if (signal == 9) return 'K';
    return signal == 15 ? 'T' : 's';
  }

  void FromDaemon(const TraceEvent& event) {
    const std::string number = std::to_string(event.object);
    switch (event.daemon) {
      case EventKind::kRequestBegun:
        return Begin(At(event, LaneKind::kRequest, event.object, "r" + number + " " + Text(event)),
                     event.at, '=', '[');
      case EventKind::kRequestLatched:
        return Latched(event, At(event, LaneKind::kRequest, event.object, "r" + number));
      case EventKind::kRequestEnded:
        End(At(event, LaneKind::kRequest, event.object, "r" + number), event.at, ']', Text(event));
        return;
      case EventKind::kLeaseWaiting:
        return Begin(Lease(event), event.at, '.', '.');
      case EventKind::kLeaseGranted:
        Change(Lease(event), event.at, '=');
        return Granted(event);
      case EventKind::kLeaseReleased:
        End(Lease(event), event.at, ']', "");
        return Forget(LaneKind::kLease, event.object, Text(event));
      default:
        return;
    }
  }

  // Where the cancel struck; what follows is unwinding.
  void Latched(const TraceEvent& event, Lane& lane) {
    Change(lane, event.at, '~');
    Put(lane, event.at, 'X', Text(event));
  }
  void Granted(const TraceEvent& event) {
    Lane& lane = Lease(event);
    if (!open_.contains(&lane)) open_[&lane] = {event.at, '=', now_};
    Put(lane, event.at, '[', "");
  }
  Lane& Lease(const TraceEvent& event) {
    return At(event, LaneKind::kLease, event.object,
              "r" + std::to_string(event.object) + " holds " + Text(event), Text(event));
  }

  std::string Text(const TraceEvent& event) const { return std::string(trace_.Text(event)); }

  const Trace& trace_;
  std::size_t now_ = 0;     // the event at hand
  std::deque<Lane> lanes_;  // in the order in which they began
  std::map<Key, Lane*> index_;
  std::map<Lane*, Open> open_;
};

}  // namespace

std::vector<Lane> LanesOf(const Trace& trace) { return Builder(trace).Build(); }

}  // namespace oj::sim
