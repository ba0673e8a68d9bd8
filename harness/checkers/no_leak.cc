// L4: when all is quiet there is no zombie, no live child, no request, no held lease, and nothing
// else above what there was before.
#include "checkers/checker.h"

namespace oj::sim {
namespace {

std::string NameOf(const ProcessLife& process) {
  return "process " + std::to_string(process.pid) + " (" + std::string(process.argv) + ")";
}

std::string NameOf(const RequestLife& request) {
  return std::string(request.type) + " r" + std::to_string(request.id);
}

// A daemon that ends by itself leaves no process behind.
bool WasKilled(const Story& story, Moment death) {
  return story.trace.events()[death.event].value == 1;
}

}  // namespace

Verdict CheckNoLeak(const Story& story, const Facts& facts) {
  Verdict verdict{"L4", "no leak", {}};
  const auto fail = [&](std::string what, std::vector<std::size_t> events) {
    verdict.violations.push_back({story.end, std::move(what), std::move(events)});
  };
  for (const auto& [what, count] : facts.left) {
    if (count > 0) fail(std::to_string(count) + " " + what + " left over", {});
  }
  if (!facts.at_rest) return verdict;
  for (const ProcessLife& process : story.processes) {
    // What a SIGKILL does not end is the world's doing; what died before its daemon is its to reap.
    const bool orphan = process.orphaned && WasKilled(story, *process.orphaned);
    if (orphan || story.Stranger(process) || (process.killed && !process.ended)) continue;
    if (!process.ended) {
      fail(NameOf(process) + " is still alive", {process.began.event});
    } else if (!process.reaped && story.daemon_speaks) {
      fail(NameOf(process) + " was never reaped", {process.ended->event});
    }
  }
  for (const RequestLife& request : story.requests) {
    if (!request.ended) fail(NameOf(request) + " has not ended", {request.began.event});
    for (const LeaseLife& lease : request.leases) {
      if (!lease.granted || lease.released || lease.quarantined) continue;
      fail(NameOf(request) + " still holds " + std::string(lease.key), {lease.granted->event});
    }
  }
  return verdict;
}

}  // namespace oj::sim
