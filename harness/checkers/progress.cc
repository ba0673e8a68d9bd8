// L9: no waiter starves: nobody waits for a key that is free for it, and nobody is let in before
// who waited first.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkers/checker.h"

namespace oj::sim {
namespace {

struct Taker {
  std::uint64_t request;
  bool exclusive;
};

struct Key {
  std::vector<Taker> holders;
  std::vector<Taker> waiters;  // in the order in which they came
  bool quarantined = false;
  std::optional<Moment> ripe;  // since when the first could go on

  bool Admits(const Taker& taker) const {
    return !quarantined && (holders.empty() || !(taker.exclusive || holders.front().exclusive));
  }
};

void Drop(std::vector<Taker>& takers, std::uint64_t request) {
  const auto at = std::find_if(takers.begin(), takers.end(),
                               [&](const Taker& each) { return each.request == request; });
  if (at != takers.end()) takers.erase(at);
}

// Follows the leases as the daemon grants and gives them up. Who is cancelled waits no more.
class Queues {
 public:
  Queues(const Story& story, const Facts& facts) : story_(story), facts_(facts) {}

  Verdict Check() {
    const auto& events = story_.trace.events();
    for (std::size_t i = 0; i < events.size(); ++i) {
      now_ = {events[i].at, i};
      if (ripe_) Look();  // at how it was until now
      if (events[i].kind == TraceKind::kDaemonDied) keys_.clear();
      if (events[i].kind != TraceKind::kDaemon) continue;
      Add(events[i]);
      Look();
    }
    return std::move(verdict_);
  }

 private:
  void Add(const TraceEvent& event) {
    const Taker taker{event.object, event.value != 0};
    const auto key = [&]() -> Key& { return keys_[story_.trace.Text(event)]; };
    switch (event.daemon) {
      case EventKind::kLeaseWaiting:
        if (!MayEnd(taker)) key().waiters.push_back(taker);
        return;
      case EventKind::kLeaseGranted:
        return Granted(story_.trace.Text(event), key(), taker);
      case EventKind::kLeaseReleased:
        return Drop(key().holders, taker.request);
      case EventKind::kKeyQuarantined:
        key().quarantined = true;
        return key().waiters.clear();
      case EventKind::kKeyFreed:
        key().quarantined = false;
        return;
      case EventKind::kRequestLatched:
        for (auto& [name, each] : keys_) Drop(each.waiters, taker.request);
        return;
      case EventKind::kDraining:
        draining_ = true;
        for (auto& [name, each] : keys_) Drop(each.waiters, 0);
        return;
      case EventKind::kReadyToServe:
        draining_ = false;
        return;
      default:
        return;
    }
  }
  // The own work of a daemon that drains, without a word.
  bool MayEnd(const Taker& taker) const { return draining_ && taker.request == 0; }
  void Granted(std::string_view name, Key& key, const Taker& taker) {
    const bool first =
        key.waiters.empty() || key.waiters.front().request == taker.request || MayEnd(taker);
    if (!first) {
      Fail("r" + std::to_string(taker.request) + " got " + std::string(name) + " before r" +
           std::to_string(key.waiters.front().request) + ", who had waited for it");
    }
    Drop(key.waiters, taker.request);
    key.holders.push_back(taker);
  }
  void Look() {
    ripe_ = false;
    for (auto& [name, key] : keys_) {
      const bool ripe = !key.waiters.empty() && key.Admits(key.waiters.front());
      ripe_ = ripe_ || ripe;
      if (!ripe) {
        key.ripe.reset();
      } else if (!key.ripe) {
        key.ripe = now_;
      } else if (now_.at > key.ripe->at + facts_.Soon()) {
        Fail("r" + std::to_string(key.waiters.front().request) + " still waited for " +
             std::string(name) + ", which was free for it since " + ShowTime(key.ripe->at));
        key.waiters.clear();
      }
    }
  }
  void Fail(std::string what) {
    verdict_.violations.push_back({now_.at, std::move(what), {now_.event}});
  }

  const Story& story_;
  const Facts& facts_;
  Moment now_;
  bool draining_ = false;
  bool ripe_ = false;  // a key was, at the last look: time alone may tell more
  std::map<std::string_view, Key> keys_;
  Verdict verdict_{"L9", "progress", {}};
};

}  // namespace

Verdict CheckProgress(const Story& story, const Facts& facts) {
  return Queues(story, facts).Check();
}

}  // namespace oj::sim
