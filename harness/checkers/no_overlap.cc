// L3: two holders of one exclusive lease never overlap, and no process of a lease is alive when the
// next is granted: judged on the lifetimes of processes and what their command lines name, across
// the lives of the daemon.
#include <algorithm>

#include "checkers/checker.h"

namespace oj::sim {
namespace {

std::string Show(const ProcessLife& process) {
  return std::to_string(process.pid) + " (" + std::string(process.argv) + ")";
}

// Alive when event number `event` happened.
bool AliveAt(const ProcessLife& process, std::size_t event) {
  return process.began.event < event && (!process.ended || process.ended->event > event);
}

// A group, or what has left it: forked from the same program, for the same request or at once.
bool OneTree(const ProcessLife& a, const ProcessLife& b) {
  if (a.group != 0 && a.group == b.group) return true;
  if (a.argv != b.argv || a.life != b.life || a.request != b.request) return false;
  return a.request != 0 || a.began.at == b.began.at;
}

// What nobody is to end: a server, or the client that starts one, whose daemon is dead. No tag
// leads to it, and what it asks of tmux comes before what is asked later.
bool IsFree(const Story& story, const ProcessLife& process, std::size_t event) {
  if (story.Stranger(process)) return true;
  return process.starts_session() && process.orphaned && process.orphaned->event < event;
}

struct Held {
  std::uint64_t request;  // 0: the daemon itself
  const LeaseLife* lease;

  bool At(std::size_t event) const {
    return lease->granted->event < event && (!lease->released || lease->released->event > event);
  }
};

class NoOverlap {
 public:
  explicit NoOverlap(const Story& story) : story_(story) {
    for (const RequestLife& request : story.requests) Add(request.id, request.leases);
    Add(0, story.own_leases);
  }

  Verdict Check() {
    CheckProcesses();
    for (const Held& each : held_) CheckGrant(each);
    return std::move(verdict_);
  }

 private:
  void Add(std::uint64_t request, const std::vector<LeaseLife>& leases) {
    for (const LeaseLife& lease : leases) {
      if (lease.granted) held_.push_back({request, &lease});
    }
  }

  void CheckProcesses() {
    std::vector<const ProcessLife*> alive;
    for (const ProcessLife& process : story_.processes) {
      if (process.touches.empty() || story_.Stranger(process)) continue;
      const std::size_t now = process.began.event;
      std::erase_if(alive, [&](const ProcessLife* each) {
        return !AliveAt(*each, now) || IsFree(story_, *each, now);
      });
      for (const ProcessLife* other : alive) {
        if (!OneTree(*other, process)) CheckPair(*other, process);
      }
      alive.push_back(&process);
    }
  }
  // `before` was alive when `process` began.
  void CheckPair(const ProcessLife& before, const ProcessLife& process) {
    for (const Touch& old : before.touches) {
      for (const Touch& touch : process.touches) {
        if (old.what != touch.what || old.name != touch.name) continue;
        if (!old.changes && !touch.changes) continue;
        const bool siblings = !process.leader() && OfOneLife(before, process);
        if (touch.what == Touch::What::kRepo && siblings) continue;
        if (touch.what == Touch::What::kRepo && InOneTenure(before, process, touch)) continue;
        return Overlap(before, process, touch);
      }
    }
  }
  // A member that was forked goes on when its daemon is dead: it was judged when its leader began.
  bool OfOneLife(const ProcessLife& before, const ProcessLife& forked) const {
    return LifeOfTree(before) == LifeOfTree(forked);
  }
  std::uint32_t LifeOfTree(const ProcessLife& process) const {
    const auto leader =
        std::find_if(story_.processes.begin(), story_.processes.end(),
                     [&](const ProcessLife& each) { return each.pid == process.group; });
    return leader == story_.processes.end() ? process.life : leader->life;
  }
  void Overlap(const ProcessLife& before, const ProcessLife& process, const Touch& touch) {
    constexpr const char* kWhat[] = {"session ", "repository ", "worktree "};
    verdict_.violations.push_back({process.began.at,
                                   "process " + Show(process) + " started while " + Show(before) +
                                       " was at work on " + kWhat[static_cast<int>(touch.what)] +
                                       std::string(touch.name),
                                   {before.began.event, process.began.event}});
  }
  // One holder of a repository removes several of its worktrees at a time: git locks what they
  // share. Where the daemon tells of no leases, only removals are taken for that.
  bool InOneTenure(const ProcessLife& a, const ProcessLife& b, const Touch& touch) const {
    if (!story_.daemon_speaks) {
      const auto adds = [](const ProcessLife& each) {
        return each.argv.find(" worktree add ") != std::string_view::npos;
      };
      return !adds(a) && !adds(b);
    }
    const Held* only = nullptr;
    for (const Held& each : held_) {
      if (!each.At(b.began.event) || !CoveredBy(each.lease->key, touch)) continue;
      if (only != nullptr) return false;
      only = &each;
    }
    return only != nullptr && only->At(a.began.event);
  }

  void CheckGrant(const Held& granted) {
    const LeaseLife& lease = *granted.lease;
    const std::size_t at = lease.granted->event;
    const auto fail = [&](const std::string& why, std::size_t event) {
      const std::string who =
          granted.request == 0 ? "itself" : "r" + std::to_string(granted.request);
      verdict_.violations.push_back(
          {lease.granted->at,
           std::string(lease.key) + " was granted to " + who + " while " + why,
           {event, at}});
    };
    for (const Held& other : held_) {
      if (other.lease == &lease || !other.At(at) || other.lease->key != lease.key) continue;
      if (other.lease->exclusive || lease.exclusive) {
        fail("r" + std::to_string(other.request) + " held it", other.lease->granted->event);
      }
    }
    for (const ProcessLife& process : story_.processes) {
      if (process.touches.empty() || !AliveAt(process, at) || IsFree(story_, process, at)) continue;
      for (const Touch& touch : process.touches) {
        if (!CoveredBy(lease.key, touch) || !(touch.changes || lease.exclusive)) continue;
        fail(std::string("process ").append(Show(process)).append(" was alive"),
             process.began.event);
        break;
      }
    }
  }

  const Story& story_;
  std::vector<Held> held_;
  Verdict verdict_{"L3", "no overlap", {}};
};

}  // namespace

Verdict CheckNoOverlap(const Story& story, const Facts&) { return NoOverlap(story).Check(); }

}  // namespace oj::sim
