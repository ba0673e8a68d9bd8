// L3: two holders of one exclusive lease never overlap, and no process of a lease is alive when the
// next is granted: judged on the lifetimes of processes.
#include <algorithm>

#include "checkers/checker.h"

namespace oj::sim {
namespace {

constexpr std::string_view kSessionKey = "session:";

std::string Show(const ProcessLife& process) {
  return std::to_string(process.pid) + " (" + std::string(process.argv) + ")";
}

// Alive when event number `event` happened.
bool AliveAt(const ProcessLife& process, std::size_t event) {
  return process.began.event < event && (!process.ended || process.ended->event > event);
}

// A group, or what has left it: forked from the same program, for the same request.
bool OneTree(const ProcessLife& a, const ProcessLife& b) {
  if (a.group != 0 && a.group == b.group) return true;
  return a.request != 0 && a.request == b.request && a.argv == b.argv;
}

void CheckProcesses(const Story& story, Verdict& verdict) {
  std::vector<const ProcessLife*> alive;
  for (const ProcessLife& process : story.processes) {
    if (process.session.empty() || story.Stranger(process)) continue;
    std::erase_if(alive,
                  [&](const ProcessLife* each) { return !AliveAt(*each, process.began.event); });
    for (const ProcessLife* other : alive) {
      if (OneTree(*other, process) || other->session != process.session) continue;
      if (!other->exclusive && !process.exclusive) continue;
      verdict.violations.push_back({process.began.at,
                                    "process " + Show(process) + " started while " + Show(*other) +
                                        " was at work on session " + std::string(process.session),
                                    {other->began.event, process.began.event}});
    }
    alive.push_back(&process);
  }
}

struct Held {
  const RequestLife* request;
  const LeaseLife* lease;
};

void CheckGrant(const Held& granted, const std::vector<Held>& all, const Story& story,
                Verdict& verdict) {
  const Moment at = *granted.lease->granted;
  const auto fail = [&](const std::string& why, std::size_t event) {
    verdict.violations.push_back({at.at,
                                  std::string(granted.lease->key) + " was granted to r" +
                                      std::to_string(granted.request->id) + " while " + why,
                                  {event, at.event}});
  };
  for (const Held& other : all) {
    const bool held = other.lease->granted->event < at.event &&
                      (!other.lease->released || other.lease->released->event > at.event);
    if (other.lease == granted.lease || other.lease->key != granted.lease->key || !held) continue;
    if (other.lease->exclusive || granted.lease->exclusive) {
      fail("r" + std::to_string(other.request->id) + " held it", other.lease->granted->event);
    }
  }
  if (!granted.lease->key.starts_with(kSessionKey)) return;
  const std::string_view session = granted.lease->key.substr(kSessionKey.size());
  for (const ProcessLife& process : story.processes) {
    if (process.session != session || story.Stranger(process)) continue;
    if (!AliveAt(process, at.event)) continue;
    if (process.exclusive || granted.lease->exclusive) {
      fail(std::string("process ").append(Show(process)).append(" was alive"), process.began.event);
    }
  }
}

}  // namespace

Verdict CheckNoOverlap(const Story& story, const Facts&) {
  Verdict verdict{"L3", "no overlap", {}};
  CheckProcesses(story, verdict);
  std::vector<Held> all;
  for (const RequestLife& request : story.requests) {
    for (const LeaseLife& lease : request.leases) {
      if (lease.granted) all.push_back({&request, &lease});
    }
  }
  for (const Held& each : all) CheckGrant(each, all, story, verdict);
  return verdict;
}

}  // namespace oj::sim
