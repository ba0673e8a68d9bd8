#include "trace/lanes.h"

#include <algorithm>
#include <iterator>
#include <list>
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
    std::uint64_t call = 0;        // of a client
    std::uint64_t connection = 0;  // it was sent on
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
  std::uint64_t RequestOf(const TraceEvent& event, LaneKind kind) const {
    const bool has_one =
        kind == LaneKind::kRequest || kind == LaneKind::kLease || kind == LaneKind::kProcess;
    return has_one && event.object != 0 ? deaths_ * kRequestsOfALife + event.object : 0;
  }
  // A process's number may be used again: its next life has a lane of its own.
  void Forget(LaneKind kind, std::uint64_t number, const std::string& name = "") {
    index_.erase(Key(kind, number, name));
  }

  void Begin(Lane& lane, Instant at, char fill, char sign) {
    Change(lane, at, fill);  // nothing that was open is lost
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
      daemon_ = event.subject;
    } else {
      End(lane, event.at, event.value == 1 ? 'K' : ']', event.value == 1 ? "killed" : "exited");
      EndLife(event.at);
    }
  }
  // Requests and leases end with their daemon, and the next one counts from 1 again.
  void EndLife(Instant at) {
    std::erase_if(index_, [&](const auto& each) {
      const LaneKind kind = std::get<0>(each.first);
      if (kind != LaneKind::kRequest && kind != LaneKind::kLease) return false;
      const bool told = kind == LaneKind::kRequest;
      if (open_.contains(each.second)) End(*each.second, at, ']', told ? "daemon died" : "");
      return true;
    });
    ++deaths_;
  }

  void Client(const TraceEvent& event) {
    Lane& first = ClientLane(event, 0);
    switch (event.kind) {
      case TraceKind::kClientSent:
        return Sent(event);
      case TraceKind::kClientReceived:
        return End(CallLane(event), event.at, ']', Text(event));
      case TraceKind::kClientGaveUp:
        return End(CallLane(event), event.at, '!', "gave up");
      case TraceKind::kClientTornReply:
        if (!EndCalls(event, '?', "torn")) Put(first, event.at, '?', "torn");
        return;
      case TraceKind::kClientSawClose:
        if (!EndCalls(event, 'c', "closed")) Put(first, event.at, 'c', "closed");
        return;
      case TraceKind::kClientHalfClosed:
        return Put(first, event.at, 'h', "");
      case TraceKind::kClientClosed:
        EndCalls(event, 'x', "");
        return;
      default:
        return;
    }
  }
  // Where a client's calls are drawn; those after the first place are for calls that are sent
  // before the last one is answered.
  Lane& ClientLane(const TraceEvent& event, std::size_t place) {
    std::vector<Lane*>& own = clients_[event.subject];
    if (place == own.size()) {
      Lane lane{LaneKind::kClient, trace_.ClientName(event.subject), event.at, 0, {}, {}};
      auto before = lanes_.end();
      if (place > 0) {
        lane.label += " (" + std::to_string(place + 1) + ")";
        const auto last = [&](const Lane& each) { return &each == own.back(); };
        before = std::next(std::find_if(lanes_.begin(), lanes_.end(), last));
      }
      own.push_back(&*lanes_.insert(before, std::move(lane)));
    }
    return *own[place];
  }
  void Sent(const TraceEvent& event) {
    std::size_t place = 0;
    while (open_.contains(&ClientLane(event, place))) ++place;
    Lane& lane = ClientLane(event, place);
    Begin(lane, event.at, '=', '[');
    open_[&lane].call = event.object;
    open_[&lane].connection = static_cast<std::uint64_t>(event.value);
  }
  // Where the event's call is open; else the client's first.
  Lane& CallLane(const TraceEvent& event) {
    for (Lane* lane : clients_[event.subject]) {
      const auto open = open_.find(lane);
      if (open != open_.end() && open->second.call == event.object) return *lane;
    }
    return ClientLane(event, 0);
  }
  // Those of the event's connection, or of the client if it names none. False: none was open.
  bool EndCalls(const TraceEvent& event, char sign, std::string_view note) {
    const std::size_t before = open_.size();
    const auto connection = static_cast<std::uint64_t>(event.value);
    for (Lane* lane : clients_[event.subject]) {
      const auto open = open_.find(lane);
      if (open == open_.end()) continue;
      if (connection == 0 || open->second.connection == connection)
        End(*lane, event.at, sign, note);
    }
    return open_.size() < before;
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
        return WaitsNoMore(event, RequestOf(event, LaneKind::kRequest), "");
      case EventKind::kLeaseWaiting:
        return Begin(Lease(event), event.at, '.', '.');
      case EventKind::kLeaseGranted:
        Change(Lease(event), event.at, '=');
        return Granted(event);
      case EventKind::kLeaseReleased:
        End(Lease(event), event.at, ']', "");
        return Forget(LaneKind::kLease, event.object, Text(event));
      case EventKind::kKeyQuarantined:
        Change(Lease(event), event.at, '%');
        return WaitsNoMore(event, 0, Text(event));
      case EventKind::kDraining:
        return Put(DaemonLane(event), event.at, 'd', "");
      case EventKind::kUnsettled:
        return Put(DaemonLane(event), event.at, 'U', Text(event));
      case EventKind::kDefect:
        return Put(DaemonLane(event), event.at, 'D', Text(event));
      default:
        return;
    }
  }

  // A waiter that is cancelled or refused records nothing: the first is over with its request, the
  // second when the key that it waits for comes into quarantine.
  void WaitsNoMore(const TraceEvent& event, std::uint64_t request, const std::string& key) {
    auto each = index_.lower_bound(Key(LaneKind::kLease, 0, ""));
    while (each != index_.end() && std::get<0>(each->first) == LaneKind::kLease) {
      Lane& lane = *each->second;
      const auto open = open_.find(&lane);
      const bool waits = open != open_.end() && open->second.fill == '.';
      const bool meant = request != 0 ? lane.request == request : std::get<2>(each->first) == key;
      if (waits && meant) {
        End(lane, event.at, ']', "");
        each = index_.erase(each);
      } else {
        ++each;
      }
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
  Lane& DaemonLane(const TraceEvent& event) {
    return At(event, LaneKind::kDaemon, daemon_, "daemon " + std::to_string(daemon_));
  }
  Lane& Lease(const TraceEvent& event) {
    return At(event, LaneKind::kLease, event.object,
              "r" + std::to_string(event.object) + " holds " + Text(event), Text(event));
  }

  std::string Text(const TraceEvent& event) const { return std::string(trace_.Text(event)); }

  const Trace& trace_;
  std::size_t now_ = 0;         // the event at hand
  std::uint64_t deaths_ = 0;    // of daemons
  std::uint64_t daemon_ = 1;    // the one that lives
  std::list<Lane> lanes_;       // in the order in which they began
  std::map<Key, Lane*> index_;  // but for clients
  std::map<std::uint64_t, std::vector<Lane*>> clients_;
  std::map<Lane*, Open> open_;
};

}  // namespace

std::vector<Lane> LanesOf(const Trace& trace) { return Builder(trace).Build(); }

}  // namespace oj::sim
