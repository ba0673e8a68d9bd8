// L2: no handler outlives its deadline by more than the kill grace, no command its limit; a client
// that says how long it waits has its answer before it gives up.
#include <algorithm>

#include "checkers/checker.h"
#include "oj/cancel.h"

namespace oj::sim {
namespace {

constexpr Duration kSlowestDeath = std::chrono::seconds(2);  // then a process is quarantined
// Then a process that was killed is about to be put in quarantine.
constexpr Duration kStubborn = std::chrono::milliseconds(900);
constexpr Duration kLastOutput = std::chrono::milliseconds(20);  // that is in the pipes of the dead
constexpr Duration kInSmallPieces = std::chrono::seconds(1);     // a frame through a small buffer
constexpr Duration kMostMargin = std::chrono::milliseconds(250);

// The limit of a tool's command; zero: it is none of the tools (a server, a process left behind).
Duration LimitOf(std::string_view argv, const Facts& facts) {
  std::string_view tool = argv.substr(0, argv.find(' '));
  tool.remove_prefix(std::min(tool.size(), tool.rfind('/') + 1));
  if (tool == "tmux") return facts.tmux_limit;
  return tool == "git" ? facts.git_limit : Duration::zero();
}

Duration TimeoutOf(const RequestLife::Waiter& waiter, const Story& story, const Facts& facts) {
  const CallLife* call = story.CallOf(waiter);
  // A pipelined call may not be the one that has begun.
  if (call == nullptr || call->queued) return facts.handler_limit;
  const auto known = facts.calls.find(call->call);
  const bool tells = known != facts.calls.end() && known->second.timeout > Duration::zero();
  return tells ? std::min(known->second.timeout, facts.handler_limit) : facts.handler_limit;
}

// How long its processes took to die of SIGKILL; one that takes longer is quarantined.
Duration DeathsOf(const RequestLife& request, const Story& story) {
  Duration took{};
  for (const std::size_t index : request.processes) {
    const ProcessLife& process = story.processes[index];
    if (!process.killed) continue;
    const Instant end = process.ended ? process.ended->at : story.end;
    took += std::min(kSlowestDeath, end - process.killed->at);
  }
  return took;
}
Duration DeathsOf(const CallLife& call, const Story& story) {
  Duration took{};
  for (const RequestLife& request : story.requests) {
    for (const RequestLife::Waiter& waiter : request.waiters) {
      const bool its = waiter.connection == call.connection && waiter.since.event > call.sent.event;
      if (its) took += DeathsOf(request, story);
    }
  }
  return took;
}

void CheckRequest(const RequestLife& request, const Story& story, const Facts& facts,
                  Verdict& verdict) {
  Instant limit{};
  for (const RequestLife::Waiter& waiter : request.waiters) {
    limit = std::max(limit, waiter.since.at + TimeoutOf(waiter, story, facts));
  }
  limit += facts.kill_grace + facts.slack + facts.stalled + facts.spawn + facts.shielded;
  limit += DeathsOf(request, story);
  if (request.ended ? request.ended->at <= limit : story.end <= limit) return;
  verdict.violations.push_back({limit,
                                std::string(request.type) + " r" + std::to_string(request.id) +
                                    " began at " + ShowTime(request.began.at) +
                                    " and had not ended by " + ShowTime(limit),
                                {request.began.event}});
}

void CheckProcess(const ProcessLife& process, const Story& story, const Facts& facts,
                  Verdict& verdict) {
  const Duration allowed = LimitOf(process.argv, facts);
  if (allowed == Duration::zero() || story.Stranger(process)) return;
  const Instant limit =
      process.began.at + allowed + facts.kill_grace + facts.slack + facts.stalled + facts.spawn;
  const auto settled = process.Settled();
  if (settled ? settled->at <= limit : story.end <= limit) return;
  verdict.violations.push_back(
      {limit,
       "process " + std::to_string(process.pid) + " (" + std::string(process.argv) + ") began at " +
           ShowTime(process.began.at) + " and was neither dead nor killed by " + ShowTime(limit),
       {process.began.event}});
}

// What has ended is reaped, and the others of its tree are killed, whoever holds its pipes.
void CheckReaped(const ProcessLife& process, const Story& story, const Facts& facts,
                 Verdict& verdict) {
  const bool the_daemons = process.leader() && LimitOf(process.argv, facts) > Duration::zero() &&
                           !story.Stranger(process) && story.daemon_speaks;
  if (!the_daemons || !process.ended || process.killed || process.orphaned) return;
  Instant limit = process.ended->at + facts.kill_grace + kLastOutput + facts.Soon() + facts.spawn;
  for (const ProcessLife& each : story.processes) {
    const bool one_tree = each.request == process.request && each.argv == process.argv;
    if (!one_tree || !each.killed || each.began.event < process.began.event) continue;
    const Duration death = (each.ended ? each.ended->at : story.end) - each.killed->at;
    if (death > kStubborn) return;
    limit += death;
  }
  if (process.reaped ? process.reaped->at <= limit : story.end <= limit) return;
  const auto& events = story.trace.events();
  const bool died = std::any_of(events.begin() + static_cast<std::ptrdiff_t>(process.ended->event),
                                events.end(), [&](const TraceEvent& each) {
                                  return each.kind == TraceKind::kDaemonDied && each.at <= limit;
                                });
  if (died) return;
  verdict.violations.push_back(
      {limit,
       "process " + std::to_string(process.pid) + " (" + std::string(process.argv) + ") ended at " +
           ShowTime(process.ended->at) + " and was not reaped by " + ShowTime(limit),
       {process.ended->event}});
}

// A deadline is not to strike before one of those who wait has reached its own.
void CheckNotEarly(const RequestLife& request, const Story& story, const Facts& facts,
                   Verdict& verdict) {
  if (!request.latched) return;
  const Moment latched = *request.latched;
  const TraceEvent& event = story.trace.events()[latched.event];
  if (story.trace.Text(event) != Name(CancelReason::kDeadline)) return;
  for (const RequestLife::Waiter& waiter : request.waiters) {
    const CallLife* call = story.CallOf(waiter);
    if (call == nullptr || call->queued || waiter.since.event > latched.event) continue;
    bool over = false;
    for (const auto& end : {call->answered, call->gave_up, call->left, call->dropped}) {
      over |= end && end->event < latched.event;
    }
    const auto left = story.LeftBy(waiter.connection, facts.half_close_cancels);
    if (over || (left && left->event < latched.event)) continue;
    const Duration timeout = TimeoutOf(waiter, story, facts);
    const Duration margin = std::min(kMostMargin, timeout / 10) + facts.kill_grace;
    if (latched.at >= waiter.since.at + timeout - margin) continue;
    verdict.violations.push_back({latched.at,
                                  std::string(request.type) + " r" + std::to_string(request.id) +
                                      " met a deadline at " + ShowTime(latched.at) + "; client " +
                                      std::to_string(call->client) + " waits for it for " +
                                      ShowTime(timeout) + " since " + ShowTime(waiter.since.at),
                                  {call->sent.event, latched.event}});
  }
}

// Where the margin is larger than what the world has added, there is no excuse.
void CheckCall(const CallLife& call, const Story& story, const Facts& facts, Verdict& verdict) {
  const auto known = facts.calls.find(call.call);
  if (!call.gave_up || call.queued || known == facts.calls.end()) return;
  const Duration timeout = known->second.timeout;
  const Duration margin = std::min(kMostMargin, timeout / 10);
  const Duration added =
      facts.slack + facts.stalled + 2 * facts.latency + facts.spawn + facts.shielded;
  const bool excused = added >= margin || timeout <= margin + facts.kill_grace;
  if (timeout == Duration::zero() || excused) return;
  if (call.gave_up->at - call.sent.at < timeout) return;
  if (added + DeathsOf(call, story) >= margin) return;
  verdict.violations.push_back({call.gave_up->at,
                                "client " + std::to_string(call.client) + " waited " +
                                    ShowTime(call.gave_up->at - call.sent.at) + " for its " +
                                    std::string(call.type) + ", as long as it had said, in vain",
                                {call.sent.event, call.gave_up->event}});
}

// What a client has pipelined is taken up as soon as it has the answer to what it asked before.
void CheckTakenUp(const CallLife& call, const Story& story, const Facts& facts, Verdict& verdict) {
  if (!call.queued || !story.daemon_speaks || facts.raw_clients.contains(call.client)) return;
  Instant turn{};
  for (const CallLife& other : story.calls) {
    if (other.connection != call.connection || other.sent.event >= call.sent.event) continue;
    if (!other.answered) return;
    turn = std::max(turn, other.answered->at);
  }
  const Instant limit = turn + facts.Soon() + kInSmallPieces + facts.shielded;
  for (const auto& end : {call.answered, call.gave_up, call.left, call.dropped}) {
    if (end && end->at <= limit) return;
  }
  if (story.end <= limit) return;
  for (const RequestLife& request : story.requests) {
    if (request.ended && request.ended->at <= turn) continue;  // the one before
    for (const RequestLife::Waiter& waiter : request.waiters) {
      if (waiter.connection == call.connection && waiter.since.at <= limit) return;
    }
  }
  verdict.violations.push_back({limit,
                                "client " + std::to_string(call.client) + " had pipelined a " +
                                    std::string(call.type) + ", had its turn at " + ShowTime(turn) +
                                    ", and was not served by " + ShowTime(limit),
                                {call.sent.event}});
}

}  // namespace

Verdict CheckBounded(const Story& story, const Facts& facts) {
  Verdict verdict{"L2", "bounded", {}};
  for (const RequestLife& each : story.requests) {
    CheckRequest(each, story, facts, verdict);
    CheckNotEarly(each, story, facts, verdict);
  }
  for (const ProcessLife& each : story.processes) {
    CheckProcess(each, story, facts, verdict);
    CheckReaped(each, story, facts, verdict);
  }
  for (const CallLife& each : story.calls) {
    CheckCall(each, story, facts, verdict);
    CheckTakenUp(each, story, facts, verdict);
  }
  return verdict;
}

}  // namespace oj::sim
