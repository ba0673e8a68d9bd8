// L2: no handler outlives its deadline by more than the kill grace, no command its limit; a client
// that says how long it waits has its answer before it gives up.
#include <algorithm>

#include "checkers/checker.h"

namespace oj::sim {
namespace {

constexpr Duration kSlowestDeath = std::chrono::seconds(2);  // then a process is quarantined
constexpr Duration kMostMargin = std::chrono::milliseconds(250);

// The limit of a tool's command; zero: it is none of the tools (a server, a process left behind).
Duration LimitOf(std::string_view argv, const Facts& facts) {
  std::string_view tool = argv.substr(0, argv.find(' '));
  tool.remove_prefix(std::min(tool.size(), tool.rfind('/') + 1));
  if (tool == "tmux") return facts.tmux_limit;
  return tool == "git" ? facts.git_limit : Duration::zero();
}

Duration TimeoutOf(const RequestLife::Waiter& waiter, const Story& story, const Facts& facts) {
  // The connection's last call before the request began.
  Duration timeout{};
  for (const CallLife& call : story.calls) {
    if (call.connection != waiter.connection || call.sent.event > waiter.since.event) continue;
    const auto known = facts.calls.find(call.call);
    const bool tells = known != facts.calls.end() && known->second.timeout > Duration::zero();
    // A pipelined call may not be the one that has begun.
    timeout = tells && !call.queued ? known->second.timeout : Duration::zero();
  }
  return timeout == Duration::zero() ? facts.handler_limit : std::min(timeout, facts.handler_limit);
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

}  // namespace

Verdict CheckBounded(const Story& story, const Facts& facts) {
  Verdict verdict{"L2", "bounded", {}};
  for (const RequestLife& each : story.requests) CheckRequest(each, story, facts, verdict);
  for (const ProcessLife& each : story.processes) CheckProcess(each, story, facts, verdict);
  for (const CallLife& each : story.calls) CheckCall(each, story, facts, verdict);
  return verdict;
}

}  // namespace oj::sim
