// L10: requests in flight, but for dumps of the recorder, and the daemon's children never exceed
// what the configuration allows.
#include <algorithm>
#include <utility>

#include "checkers/checker.h"

namespace oj::sim {
namespace {

struct Span {
  std::size_t from;
  std::optional<std::size_t> to;  // events
};

// Finds the first event at which there are more than `most`.
void CheckMost(std::vector<Span> spans, std::size_t most, const char* what, const Story& story,
               Verdict& verdict) {
  std::vector<std::pair<std::size_t, int>> changes;  // an end comes before what begins with it
  for (const Span& each : spans) {
    changes.emplace_back(each.from, 1);
    if (each.to) changes.emplace_back(*each.to, -1);
  }
  std::sort(changes.begin(), changes.end());
  std::size_t open = 0;
  for (const auto& [event, change] : changes) {
    open = change > 0 ? open + 1 : open - 1;
    if (open <= most) continue;
    verdict.violations.push_back(
        {story.trace.events()[event].at,
         std::to_string(open) + " " + what + " at once; the limit is " + std::to_string(most),
         {event}});
    return;
  }
}

// When it is no child any more: it is reaped, or it is put in quarantine, or its daemon is dead.
std::optional<std::size_t> End(const ProcessLife& process, const Facts& facts) {
  constexpr Duration kStubborn = std::chrono::milliseconds(900);  // then quarantine is near
  const auto settled = process.Settled();
  if (!settled) return std::nullopt;
  // In a machine that slept meanwhile, the wait for it may be over before it has died.
  const bool waited_for = facts.stalled < kStubborn && process.ended && !process.orphaned &&
                          process.ended->at - settled->at <= kStubborn;
  if (!waited_for) return settled->event;
  return process.reaped ? process.reaped->event : process.ended->event;
}

// It left a group that began with it: the daemon has not started it.
bool Escaped(const ProcessLife& process, const ProcessLife* before) {
  return before != nullptr && before->argv == process.argv && before->request == process.request &&
         before->began.at == process.began.at;
}

}  // namespace

Verdict CheckLimits(const Story& story, const Facts& facts) {
  Verdict verdict{"L10", "limits", {}};
  std::vector<Span> children;
  const ProcessLife* before = nullptr;
  for (const ProcessLife& process : story.processes) {
    const bool escaped = Escaped(process, std::exchange(before, &process));
    if (!process.leader() || escaped) continue;
    children.push_back({process.began.event, End(process, facts)});
  }
  CheckMost(std::move(children), facts.max_children, "children", story, verdict);
  std::vector<Span> requests;
  for (const RequestLife& request : story.requests) {
    if (request.type == "DebugDump") continue;  // two may be beyond
    const auto ended = request.ended ? std::optional(request.ended->event) : std::nullopt;
    requests.push_back({request.began.event, ended});
  }
  CheckMost(std::move(requests), facts.max_requests, "requests in flight", story, verdict);
  return verdict;
}

}  // namespace oj::sim
