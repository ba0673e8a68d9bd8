#include <cstdio>

#include "checkers/checker.h"

namespace oj::sim {

std::vector<Verdict> Judge(const Trace& trace, const Facts& facts) {
  const Story story(trace);
  std::vector<Verdict> verdicts;
  for (const auto check :
       {CheckDisconnect, CheckBounded, CheckNoOverlap, CheckNoLeak, CheckWholeReplies,
        CheckProgress, CheckLimits, CheckExpected, CheckVacuity}) {
    verdicts.push_back(check(story, facts));
  }
  return verdicts;
}

const Verdict* FirstFailure(const std::vector<Verdict>& verdicts) {
  for (const Verdict& each : verdicts) {
    if (!each.pass()) return &each;
  }
  return nullptr;
}

bool AllPass(const std::vector<Verdict>& verdicts) { return FirstFailure(verdicts) == nullptr; }

std::string ShowTime(Duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ms", static_cast<double>(time.count()) / 1e6);
  return text;
}
std::string ShowTime(Instant at) { return ShowTime(at.time_since_epoch()); }

}  // namespace oj::sim
