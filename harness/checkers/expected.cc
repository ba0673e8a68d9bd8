// What the scenario's clients expect, and that anything has happened at all.
#include <algorithm>

#include "checkers/checker.h"

namespace oj::sim {

Verdict CheckExpected(const Story& story, const Facts& facts) {
  Verdict verdict{"expect", "as the scenario says", {}};
  for (const std::string& each : facts.unexpected) {
    verdict.violations.push_back({story.end, each, {}});
  }
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
