// What the scenario's clients expect, and that anything has happened at all.
#include <algorithm>

#include "checkers/checker.h"
#include "oj/error.h"

namespace oj::sim {
namespace {

// A process of the request's own, or of the daemon's own while the request was open: its units.
bool Misanswered(const RequestLife& request, const Story& story, const Facts& facts) {
  const auto misanswered = [&](const ProcessLife& process) {
    return std::binary_search(facts.misanswered->begin(), facts.misanswered->end(), process.pid);
  };
  const auto its_unit = [&](const ProcessLife& process) {
    return process.request == 0 && process.began.event > request.began.event &&
           (!request.ended || process.began.event < request.ended->event);
  };
  return std::any_of(request.processes.begin(), request.processes.end(),
                     [&](std::size_t index) { return misanswered(story.processes[index]); }) ||
         std::any_of(story.processes.begin(), story.processes.end(),
                     [&](const ProcessLife& each) { return its_unit(each) && misanswered(each); });
}

// The request that a call began or joined; null if there is none, or more than one can be meant.
const RequestLife* RequestOf(const CallLife& call, const Story& story) {
  const RequestLife* found = nullptr;
  for (const RequestLife& request : story.requests) {
    for (const RequestLife::Waiter& waiter : request.waiters) {
      if (waiter.connection != call.connection || waiter.since.event < call.sent.event ||
          waiter.since.event > call.answered->event) {
        continue;
      }
      if (found != nullptr) return nullptr;
      found = &request;
    }
  }
  return found;
}

// `tool_failed` says that a tool did what nobody could expect: then one must have.
void CheckBlame(const CallLife& call, const Story& story, const Facts& facts, Verdict& verdict) {
  if (!call.answered || call.queued) return;
  const TraceEvent& answer = story.trace.events()[call.answered->event];
  if (story.trace.Text(answer) != Name(ErrorCode::kToolFailed)) return;
  const RequestLife* request = RequestOf(call, story);
  if (request == nullptr || Misanswered(*request, story, facts)) return;
  verdict.violations.push_back({answer.at,
                                "client " + std::to_string(call.client) + " got tool_failed to " +
                                    std::string(call.type) + ", r" + std::to_string(request->id) +
                                    ", whose tools all did what such tools do",
                                {call.answered->event}});
}

}  // namespace

Verdict CheckExpected(const Story& story, const Facts& facts) {
  Verdict verdict{"expect", "as the scenario says", {}};
  for (const std::string& each : facts.unexpected) {
    verdict.violations.push_back({story.end, each, {}});
  }
  if (!facts.misanswered) return verdict;
  for (const CallLife& each : story.calls) CheckBlame(each, story, facts, verdict);
  return verdict;
}

// A run in which nothing happened proves nothing.
Verdict CheckVacuity(const Story& story, const Facts& facts) {
  Verdict verdict{"vacuity", "something happened", {}};
  const auto& events = story.trace.events();
  const bool answered_or_cancelled =
      std::any_of(events.begin(), events.end(), [](const TraceEvent& event) {
        return event.kind == TraceKind::kClientReceived ||
               (event.kind == TraceKind::kDaemon && event.daemon == EventKind::kRequestLatched);
      });
  if (facts.has_clients && !answered_or_cancelled && story.processes.empty()) {
    verdict.violations.push_back(
        {story.end, "no request was answered or cancelled, and no process ran", {}});
  }
  return verdict;
}

}  // namespace oj::sim
