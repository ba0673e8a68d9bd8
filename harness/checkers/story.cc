#include "checkers/story.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

namespace oj::sim {
namespace {

constexpr std::int64_t kSigKill = 9;

void SetOnce(std::optional<Moment>& moment, Moment now) {
  if (!moment) moment = now;
}

class Teller {
 public:
  explicit Teller(Story& story) : story_(story) {}

  void Tell() {
    const auto& events = story_.trace.events();
    story_.processes.reserve(events.size() / 8);
    story_.calls.reserve(events.size() / 8);
    story_.requests.reserve(events.size() / 8);
    for (std::size_t i = 0; i < events.size(); ++i) {
      now_ = {events[i].at, i};
      Add(events[i]);
    }
    if (!events.empty()) story_.end = events.back().at;
    for (std::size_t i = 0; i < story_.processes.size(); ++i) Inherit(i);
  }

 private:
  void Add(const TraceEvent& event) {
    switch (event.kind) {
      case TraceKind::kProcessStarted:
        return ProcessStarted(event);
      case TraceKind::kProcessSignaled:
      case TraceKind::kProcessEnded:
      case TraceKind::kProcessReaped:
        return ProcessChanged(event);
      case TraceKind::kDaemonDied:
        return DaemonDied();
      case TraceKind::kDaemon:
        story_.daemon_speaks = true;
        return FromDaemon(event);
      case TraceKind::kDaemonStarted:
        ++life_;
        return;
      case TraceKind::kFaultBegan:
      case TraceKind::kFaultEnded:
        return;
      default:
        return FromClient(event);
    }
  }

  void ProcessStarted(const TraceEvent& event) {
    ProcessLife life;
    life.pid = event.subject;
    life.group = static_cast<std::uint64_t>(event.value);
    life.argv = story_.trace.Text(event);
    life.session = SessionOf(life.argv);
    life.touches = TouchesOf(life.argv);
    life.life = life_;
    life.began = now_;
    by_pid_[event.subject] = story_.processes.size();
    story_.processes.push_back(life);
    if (event.object != 0) Belongs(story_.processes.size() - 1, event.object);
  }
  // A member of a group belongs where its leader does.
  void Inherit(std::size_t process) {
    const ProcessLife& life = story_.processes[process];
    if (life.request != 0 || life.leader()) return;
    const auto leader = by_pid_.find(life.group);
    if (leader == by_pid_.end() || story_.processes[leader->second].request == 0) return;
    for (RequestLife& request : story_.requests) {
      auto& mine = request.processes;
      if (std::find(mine.begin(), mine.end(), leader->second) == mine.end()) continue;
      story_.processes[process].request = request.id;
      mine.push_back(process);
      return;
    }
  }
  void Belongs(std::size_t process, std::uint64_t request) {
    ProcessLife& life = story_.processes[process];
    if (life.request != 0 || request == 0) return;
    life.request = request;
    if (RequestLife* owner = Request(request)) owner->processes.push_back(process);
  }
  void ProcessChanged(const TraceEvent& event) {
    const auto at = by_pid_.find(event.subject);
    if (at == by_pid_.end()) return;
    ProcessLife& life = story_.processes[at->second];
    if (event.kind == TraceKind::kProcessEnded) {
      SetOnce(life.ended, now_);
    } else if (event.kind == TraceKind::kProcessReaped) {
      SetOnce(life.reaped, now_);
    } else if (event.value == kSigKill) {
      SetOnce(life.killed, now_);
    }
  }

  // Its requests and leases end with a daemon; its processes may live on, for the next to sweep.
  void DaemonDied() {
    for (ProcessLife& life : story_.processes) {
      if (!life.ended) SetOnce(life.orphaned, now_);
    }
    for (const auto& [id, index] : by_request_) {
      RequestLife& life = story_.requests[index];
      SetOnce(life.ended, now_);
      for (LeaseLife& lease : life.leases) SetOnce(lease.released, now_);
    }
    for (LeaseLife& lease : story_.own_leases) SetOnce(lease.released, now_);
    by_request_.clear();  // the next daemon counts from 1 again
  }

  RequestLife* Request(std::uint64_t id) {
    const auto at = by_request_.find(id);
    return at == by_request_.end() ? nullptr : &story_.requests[at->second];
  }

  void FromDaemon(const TraceEvent& event) {
    if (event.daemon == EventKind::kRequestBegun) {
      RequestLife life;
      life.id = event.object;
      life.type = story_.trace.Text(event);
      life.began = now_;
      life.waiters.push_back({event.subject, now_});
      by_request_[event.object] = story_.requests.size();
      story_.requests.push_back(std::move(life));
      return;
    }
    if (event.daemon == EventKind::kProcessStarted) return Announced(event);
    RequestLife* life = Request(event.object);
    if (life == nullptr) {
      if (event.object == 0) OfLease(event, story_.own_leases);
      return;
    }
    switch (event.daemon) {
      case EventKind::kRequestJoined:
        return life->waiters.push_back({event.subject, now_});
      case EventKind::kRequestLatched:
        return SetOnce(life->latched, now_);
      case EventKind::kRequestEnded:
        return SetOnce(life->ended, now_);
      default:
        return OfLease(event, life->leases);
    }
  }
  void Announced(const TraceEvent& event) {
    const auto at = by_pid_.find(static_cast<std::uint64_t>(event.value));
    if (at == by_pid_.end()) return;
    story_.processes[at->second].announced = true;
    Belongs(at->second, event.object);
  }

  void OfLease(const TraceEvent& event, std::vector<LeaseLife>& leases) {
    const std::string_view key = story_.trace.Text(event);
    // The youngest on that key that is not over: one that waits, or one that is held.
    const auto youngest = [&](bool granted) {
      const auto at = std::find_if(leases.rbegin(), leases.rend(), [&](const LeaseLife& lease) {
        return lease.key == key && !lease.released && lease.granted.has_value() == granted;
      });
      return at == leases.rend() ? nullptr : &*at;
    };
    LeaseLife* lease = youngest(event.daemon != EventKind::kLeaseGranted);
    switch (event.daemon) {
      case EventKind::kLeaseWaiting:
        return leases.push_back({key, event.value != 0, now_, {}, {}, {}});
      case EventKind::kLeaseGranted:
        if (lease == nullptr) {
          leases.push_back({key, event.value != 0, {}, {}, {}, {}});
          lease = &leases.back();
        }
        return SetOnce(lease->granted, now_);
      case EventKind::kLeaseReleased:
        if (lease != nullptr) lease->released = now_;
        return;
      case EventKind::kKeyQuarantined:
        if (lease != nullptr) SetOnce(lease->quarantined, now_);
        return;
      default:
        return;
    }
  }

  void FromClient(const TraceEvent& event) {
    switch (event.kind) {
      case TraceKind::kClientSent:
        return Sent(event);
      case TraceKind::kClientReceived:
        if (CallLife* call = Call(event.object)) SetOnce(call->answered, now_);
        return;
      case TraceKind::kClientGaveUp:
        if (CallLife* call = Call(event.object)) {
          SetOnce(call->gave_up, now_);
          story_.departures.push_back({call->connection, now_, false});
        }
        return;
      case TraceKind::kClientHalfClosed:
      case TraceKind::kClientClosed:
      case TraceKind::kClientSawClose:
        return ConnectionEnds(event);
      default:
        return;
    }
  }
  void Sent(const TraceEvent& event) {
    CallLife call;
    call.call = event.object;
    call.client = event.subject;
    call.connection = static_cast<std::uint64_t>(event.value);
    call.type = story_.trace.Text(event);
    call.sent = now_;
    for (const CallLife& other : story_.calls) {
      call.queued |= other.connection == call.connection && !other.over();
    }
    by_call_[event.object] = story_.calls.size();
    story_.calls.push_back(call);
  }
  CallLife* Call(std::uint64_t number) {
    const auto at = by_call_.find(number);
    return number == 0 || at == by_call_.end() ? nullptr : &story_.calls[at->second];
  }
  void ConnectionEnds(const TraceEvent& event) {
    const auto connection = static_cast<std::uint64_t>(event.value);
    for (CallLife& call : story_.calls) {
      if (call.connection != connection || call.over()) continue;
      if (event.kind == TraceKind::kClientHalfClosed) {
        SetOnce(call.half_left, now_);
      } else {
        SetOnce(event.kind == TraceKind::kClientClosed ? call.left : call.dropped, now_);
      }
    }
    if (event.kind == TraceKind::kClientSawClose) return;
    const bool half = event.kind == TraceKind::kClientHalfClosed;
    story_.departures.push_back({connection, now_, half});
  }

  Story& story_;
  Moment now_;
  std::uint32_t life_ = 0;
  // Lookups only; nothing depends on their order except that every request is ended once.
  boost::unordered_flat_map<std::uint64_t, std::size_t> by_pid_;
  boost::unordered_flat_map<std::uint64_t, std::size_t> by_request_;
  boost::unordered_flat_map<std::uint64_t, std::size_t> by_call_;
};

}  // namespace

std::optional<Moment> ProcessLife::Settled() const {
  std::optional<Moment> first;
  for (const auto& each : {ended, killed, orphaned}) {
    if (each && (!first || each->event < first->event)) first = each;
  }
  return first;
}

Story::Story(const Trace& the_trace) : trace(the_trace) { Teller(*this).Tell(); }

const CallLife* Story::CallOf(const RequestLife::Waiter& waiter) const {
  const auto at = std::find_if(calls.rbegin(), calls.rend(), [&waiter](const CallLife& call) {
    return call.connection == waiter.connection && call.sent.event < waiter.since.event;
  });
  return at == calls.rend() ? nullptr : &*at;
}

std::optional<Moment> Story::LeftBy(std::uint64_t connection, bool half_close_counts) const {
  for (const Departure& each : departures) {
    if (each.connection == connection && (!each.half || half_close_counts)) return each.when;
  }
  return std::nullopt;
}

}  // namespace oj::sim
