// L9: no waiter starves: who waits for a key that nobody holds has it soon. That the world comes to
// rest, and that requests are served once faults have stopped, the simulation sees by itself.
#include <algorithm>

#include "checkers/checker.h"

namespace oj::sim {
namespace {

struct Wait {
  std::uint64_t request;  // 0: the daemon itself
  const LeaseLife* lease;
  std::size_t until;  // the event at which it was over
};

class Progress {
 public:
  Progress(const Story& story, const Facts& facts) : story_(story), facts_(facts) {
    for (const RequestLife& request : story.requests) {
      // What is cancelled waits no more, whatever its leases say.
      std::size_t over = story.trace.events().size();
      for (const auto& end : {request.latched, request.ended}) {
        if (end) over = std::min(over, end->event);
      }
      Add(request.id, request.leases, over);
    }
    Add(0, story.own_leases, 0);
  }

  Verdict Check() {
    for (const Wait& each : waits_) CheckWait(each);
    return std::move(verdict_);
  }

 private:
  void Add(std::uint64_t request, const std::vector<LeaseLife>& leases, std::size_t over) {
    for (const LeaseLife& lease : leases) {
      if (lease.granted) held_.push_back(&lease);
      if (!lease.waiting || over == 0) continue;
      const std::size_t got = lease.granted ? lease.granted->event : over;
      waits_.push_back({request, &lease, std::min(over, got)});
    }
  }

  // The key is free from the last release before the wait was over until then.
  void CheckWait(const Wait& wait) {
    Moment free = *wait.lease->waiting;
    for (const LeaseLife* each : held_) {
      const bool before = each->granted->event < wait.until;
      if (each == wait.lease || each->key != wait.lease->key || !before) continue;
      // Whoever waits for a key in quarantine is refused.
      if (each->quarantined && each->quarantined->event > wait.lease->waiting->event) return;
      if (!each->released || each->released->event >= wait.until) return;
      if (each->released->event > free.event) free = *each->released;
    }
    const auto& events = story_.trace.events();
    const Instant end = wait.until < events.size() ? events[wait.until].at : story_.end;
    const Instant soon = free.at + facts_.Soon();
    if (end <= soon) return;
    const std::string who = wait.request == 0 ? "itself" : "r" + std::to_string(wait.request);
    verdict_.violations.push_back({soon,
                                   who + " still waited for " + std::string(wait.lease->key) +
                                       ", which nobody had held since " + ShowTime(free.at),
                                   {wait.lease->waiting->event, free.event}});
  }

  const Story& story_;
  const Facts& facts_;
  std::vector<const LeaseLife*> held_;
  std::vector<Wait> waits_;
  Verdict verdict_{"L9", "progress", {}};
};

}  // namespace

Verdict CheckProgress(const Story& story, const Facts& facts) {
  return Progress(story, facts).Check();
}

}  // namespace oj::sim
