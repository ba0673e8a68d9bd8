// L1: when the client of a request in flight has gone, the request is cancelled: no process starts
// after the latch, every live one is ended within the kill grace, nothing of it is left waiting.
// And only then.
#include <algorithm>

#include "checkers/checker.h"
#include "oj/cancel.h"
#include "oj/error.h"

namespace oj::sim {
namespace {

class Disconnect {
 public:
  Disconnect(const Story& story, const Facts& facts) : story_(story), facts_(facts) {}

  Verdict Check() {
    for (const RequestLife& request : story_.requests) {
      AfterLatch(request);
      IfDisconnected(request);
      if (const auto gone = Abandoned(request)) AfterGone(request, *gone);
    }
    if (!story_.daemon_speaks) FromOutside();
    return std::move(verdict_);
  }

 private:
  void Fail(Instant at, std::string message, std::vector<std::size_t> events) {
    verdict_.violations.push_back({at, std::move(message), std::move(events)});
  }
  std::string Show(const RequestLife& request) const {
    return std::string(request.type) + " r" + std::to_string(request.id);
  }
  static std::string Show(const ProcessLife& process) {
    return "process " + std::to_string(process.pid) + " (" + std::string(process.argv) + ")";
  }

  // When the last of its waiters left, if nobody waits for it any more.
  std::optional<Moment> Abandoned(const RequestLife& request) const {
    std::optional<Moment> last;
    for (const RequestLife::Waiter& waiter : request.waiters) {
      auto left = story_.LeftBy(waiter.connection, facts_.half_close_cancels);
      if (!left) return std::nullopt;
      if (left->event < waiter.since.event) left = waiter.since;
      if (!last || last->event < left->event) last = left;
    }
    if (last && request.ended && request.ended->event < last->event) return std::nullopt;
    return last;
  }

  void AfterLatch(const RequestLife& request) {
    if (!request.latched) return;
    for (const RequestLife::Waiter& waiter : request.waiters) {
      if (waiter.since.event < request.latched->event) continue;
      Fail(waiter.since.at,
           Show(request) + " was joined after it was latched at " + ShowTime(request.latched->at),
           {request.latched->event, waiter.since.event});
    }
    for (const std::size_t index : request.processes) {
      const ProcessLife& process = story_.processes[index];
      if (!process.leader() || process.began.event < request.latched->event) continue;
      Fail(process.began.at,
           Show(process) + " started after " + Show(request) + " was latched at " +
               ShowTime(request.latched->at),
           {request.latched->event, process.began.event});
    }
    for (const LeaseLife& lease : request.leases) {
      // One that is free may still be taken, to be given up at the next wait.
      if (!lease.waiting || lease.waiting->event > request.latched->event) continue;
      if (!lease.granted || lease.granted->event < request.latched->event) continue;
      Fail(lease.granted->at,
           Show(request) + " got " + std::string(lease.key) +
               " after it was latched: it was left waiting",
           {request.latched->event, lease.granted->event});
    }
  }

  // One that is cancelled for that its clients have gone: have they?
  void IfDisconnected(const RequestLife& request) {
    if (!request.latched) return;
    const Moment latched = *request.latched;
    const auto& events = story_.trace.events();
    if (story_.trace.Text(events[latched.event]) != Name(CancelReason::kDisconnected)) return;
    const auto has_left = [&](std::uint64_t connection) {
      const auto left = story_.LeftBy(connection, facts_.half_close_cancels);
      return left && left->event < latched.event;
    };
    const auto& waiters = request.waiters;
    const bool anybody = std::any_of(waiters.begin(), waiters.end(), [&](const auto& waiter) {
      return has_left(waiter.connection);
    });
    if (!anybody) {
      Fail(latched.at, Show(request) + " was cancelled as one whose clients have gone; none has",
           {request.began.event, latched.event});
    }
    for (const CallLife& call : story_.calls) {
      if (!call.answered || call.answered->event < latched.event) continue;
      if (story_.trace.Text(events[call.answered->event]) != Name(ErrorCode::kCancelled)) continue;
      const bool its = std::any_of(waiters.begin(), waiters.end(), [&](const auto& waiter) {
        return waiter.connection == call.connection && waiter.since.event > call.sent.event;
      });
      if (!its || has_left(call.connection)) continue;
      Fail(latched.at,
           Show(request) + " was cancelled as one whose clients have gone; client " +
               std::to_string(call.client) + " was waiting for it",
           {call.sent.event, latched.event});
    }
  }

  void AfterGone(const RequestLife& request, Moment gone) {
    const Instant soon = gone.at + facts_.Soon();
    const auto show = [&] {
      return Show(request) + ", whose last client left at " + ShowTime(gone.at);
    };
    const std::optional<Moment>& noticed = request.latched ? request.latched : request.ended;
    if (!noticed ? story_.end > soon : noticed->at > soon) {
      Fail(soon, show() + ", was not cancelled by " + ShowTime(soon),
           {request.began.event, gone.event});
    }
    const Instant dead = soon + facts_.kill_grace + facts_.spawn;
    Duration stubborn{};  // how long its processes outlived a SIGKILL
    for (const std::size_t index : request.processes) {
      const ProcessLife& process = story_.processes[index];
      stubborn += Outlived(process);
      const auto settled = process.Settled();
      if (settled ? settled->at <= dead : story_.end <= dead) continue;
      Fail(dead, Show(process) + " of " + show() + ", lived beyond " + ShowTime(dead),
           {gone.event, process.began.event});
    }
    const Instant over = dead + stubborn + facts_.shielded;
    if (request.ended ? request.ended->at > over : story_.end > over) {
      Fail(over, show() + ", had not ended by " + ShowTime(over),
           {gone.event, request.began.event});
    }
    // What a unit has begun it sees through, with limits of its own; its leases go on with it.
    const Instant free = over + (HasUnits(request.type) ? facts_.LongestUnit() : Duration::zero());
    for (const LeaseLife& lease : request.leases) {
      if (!lease.granted || lease.quarantined) continue;
      if (lease.released ? lease.released->at <= free : story_.end <= free) continue;
      Fail(free, show() + ", held " + std::string(lease.key) + " beyond " + ShowTime(free),
           {gone.event, lease.granted->event});
    }
  }
  Duration Outlived(const ProcessLife& process) const {
    constexpr Duration kMost = std::chrono::seconds(2);  // then it is quarantined
    if (!process.killed) return Duration::zero();
    const Instant end = process.ended ? process.ended->at : story_.end;
    return std::min(kMost, end - process.killed->at);
  }

  // Where the daemon tells nothing: a process on a session must be wanted by a call that is open.
  void FromOutside() {
    for (const ProcessLife& process : story_.processes) {
      if (process.session.empty()) continue;
      const auto wanted = WantedUntil(process);
      if (!wanted) continue;
      const Instant soon = wanted->at + facts_.Soon();
      if (process.began.at > soon) {
        Fail(process.began.at,
             Show(process) + " started for nobody: the last client that wanted it left at " +
                 ShowTime(wanted->at),
             {wanted->event, process.began.event});
      }
      const Instant dead = soon + facts_.kill_grace;
      const auto settled = process.Settled();
      if (settled ? settled->at <= dead : story_.end <= dead) continue;
      Fail(dead,
           Show(process) + " lived beyond " + ShowTime(dead) +
               ": the last client that wanted it left at " + ShowTime(wanted->at),
           {wanted->event, process.began.event});
    }
  }
  // What names no session may be about any.
  static bool IsAbout(const CallFacts& call, std::string_view session) {
    return (call.session.empty() || call.session == session) && session.starts_with(call.made);
  }
  static bool Wants(std::string_view type, std::string_view command) {
    if (type == "PeekSession") return command == "capture-pane";
    if (type == "SessionSend") return command == "send-keys" || command == "has-session";
    if (type == "SessionKill") return command == "kill-session" || command == "has-session";
    if (type == "SessionNew") return command == "new-session" || command == "has-session";
    return type == "Shutdown" || type == "SessionPrune" || type.starts_with("Agent");
  }
  // The end of the last call that the process can have served; nothing if one is still open, or
  // if there is none at all (the daemon's own work).
  std::optional<Moment> WantedUntil(const ProcessLife& process) const {
    std::optional<Moment> last;
    for (const CallLife& call : story_.calls) {
      const auto known = facts_.calls.find(call.call);
      const bool other = known != facts_.calls.end() && !IsAbout(known->second, process.session);
      if (other || !Wants(call.type, CommandOf(process.argv))) continue;
      if (process.ended && process.ended->event < call.sent.event) continue;
      auto end = EndOf(call);
      if (!end) return std::nullopt;
      // What a unit has begun it sees through; nothing is left of one that was told as done.
      if (HasUnits(call.type) && !IsDone(call)) end->at += facts_.LongestUnit();
      if (!last || last->at < end->at) last = end;
    }
    return last;
  }
  // Answered, and not by an error's code.
  bool IsDone(const CallLife& call) const {
    if (!call.answered) return false;
    const std::string_view reply = story_.trace.Text(story_.trace.events()[call.answered->event]);
    return !reply.empty() && reply[0] >= 'A' && reply[0] <= 'Z';
  }
  std::optional<Moment> EndOf(const CallLife& call) const {
    std::optional<Moment> end;
    for (const auto& each : {call.answered, call.gave_up, call.left, call.dropped,
                             facts_.half_close_cancels ? call.half_left : std::nullopt}) {
      if (each && (!end || each->event < end->event)) end = each;
    }
    return end;
  }

  const Story& story_;
  const Facts& facts_;
  Verdict verdict_{"L1", "disconnect", {}};
};

}  // namespace

bool HasUnits(std::string_view type) {
  return type.starts_with("Workspace") || type.starts_with("Agent");
}

// The undoing of an agent's start is the longest: a kill, a look, and the removal of its workspace.
Duration Facts::LongestUnit() const {
  constexpr int kCommands = 10;
  return kCommands * (std::max(git_limit, tmux_limit) + kill_grace + spawn + slack);
}

Verdict CheckDisconnect(const Story& story, const Facts& facts) {
  return Disconnect(story, facts).Check();
}

}  // namespace oj::sim
