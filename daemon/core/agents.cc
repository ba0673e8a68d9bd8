#include "core/agents.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/handlers/session_steps.h"

namespace oj {
namespace {

constexpr Duration kLook = std::chrono::seconds(2);

SessionRecord SessionOf(const Core& core, const AgentRecord& agent, std::string cwd,
                        std::vector<std::string> command) {
  SessionRecord session;
  session.id = *agent.session_id;
  session.name_space = agent.name_space;
  session.agent_id = agent.id;
  session.cwd = std::move(cwd);
  session.command = std::move(command);
  session.created_at_ms = core.seams.clock.WallNow();
  return session;
}

Task<Status> Record(Core& core, SessionRecord session, SessionStatus session_status,
                    AgentRecord agent, AgentStatus agent_status) {
  session.status = session_status;
  agent.status = agent_status;
  agent.updated_at_ms = core.seams.clock.WallNow();
  std::vector<Change> changes;
  // One that runs is seen through.
  if (agent_status == AgentStatus::kRunning) {
    changes.emplace_back(Delete{RecordKind::kIntent, RunIntentId(agent.id)});
  }
  changes.emplace_back(std::move(session));
  changes.emplace_back(std::move(agent));
  auto commit = core.state.Commit(std::move(changes));
  auto status = co_await std::move(commit);
  co_return std::move(status);
}

// How an agent stands, by what tmux says of its session; nothing new: nullopt.
std::optional<AgentRecord> Seen(const AgentRecord& agent,
                                const std::map<std::string, SessionState>& sessions) {
  AgentRecord seen = agent;
  const auto session = sessions.find(agent.session_id.value_or(""));
  if (session == sessions.end()) {
    seen.status = AgentStatus::kGone;
  } else if (session->second.ended) {
    seen.status = AgentStatus::kExited;
    seen.exit = session->second.exit;
  } else {
    seen.status = AgentStatus::kRunning;
  }
  if (seen == agent) return std::nullopt;
  return seen;
}

// What tmux is asked about: agents that may run, and sessions and agents that a change has left in
// doubt. Not those that somebody is at work on, who may have written what is not in the state yet;
// and what was begun and not seen through is TendRuns'.
struct Watched {
  std::map<std::string, AgentRecord> agents;
  std::map<std::string, SessionRecord> sessions;
};

Watched ToWatch(Core& core) {
  Watched watched;
  for (const auto& [id, agent] : core.state.All<AgentRecord>()) {
    if (IsOver(&agent) || core.state.Find<IntentRecord>(RunIntentId(id)) != nullptr) continue;
    if (!core.locks.InUse("agent:" + id)) watched.agents.emplace(id, agent);
  }
  for (const auto& [id, session] : core.state.All<SessionRecord>()) {
    const bool in_doubt = session.status == SessionStatus::kUnknown;
    if (in_doubt && !core.locks.InUse("session:" + id)) watched.sessions.emplace(id, session);
  }
  return watched;
}

// tmux sees the end of a program's output before it learns its exit code, or misses that for good:
// an end without one counts when it is seen a second time. `dying`: those seen once.
bool IsSettled(const AgentRecord& seen, std::set<std::string>& dying) {
  if (seen.status != AgentStatus::kExited || seen.exit) return true;
  return !dying.insert(seen.id).second;
}

// What is not as it was when tmux was asked is of another life: resumed or removed meanwhile.
template <class Record>
bool IsStill(const Core& core, const Record& before) {
  const auto* now = core.state.Find<Record>(before.id);
  return now != nullptr && *now == before;
}

Task<void> LookAtTmux(Core& core, Flight& probe, std::set<std::string>& dying) {
  if (!core.Alone()) co_return;  // a stray of a dead daemon may still change what is there
  const Watched before = ToWatch(core);
  if (before.agents.empty() && before.sessions.empty()) co_return;
  auto list = core.tmux.List(probe);
  auto listed = co_await std::move(list);
  if (!listed) co_return;
  std::map<std::string, SessionState> there;
  for (SessionState& each : *listed) {
    std::string id = each.id;
    there.emplace(std::move(id), std::move(each));
  }
  const Watched now = ToWatch(core);
  std::map<std::string, SessionRecord> sessions;
  std::vector<Change> changes;
  bool unreaped = false;
  for (const auto& [id, session] : before.sessions) {
    if (!IsStill(core, session) || !now.sessions.contains(id)) continue;
    SessionRecord& seen = sessions.emplace(id, session).first->second;
    seen.status = there.contains(id) ? SessionStatus::kLive : SessionStatus::kGone;
  }
  for (const auto& [id, agent] : before.agents) {
    if (!IsStill(core, agent) || !now.agents.contains(id)) continue;
    auto seen = Seen(agent, there);
    if (!seen) continue;
    if (!IsSettled(*seen, dying)) {
      unreaped = true;
      continue;
    }
    dying.erase(id);
    seen->updated_at_ms = core.seams.clock.WallNow();
    const auto* session = core.state.Find<SessionRecord>(agent.session_id.value_or(""));
    if (session != nullptr && seen->status == AgentStatus::kGone) {
      sessions.emplace(session->id, *session).first->second.status = SessionStatus::kGone;
    }
    changes.emplace_back(std::move(*seen));
  }
  for (auto& [id, session] : sessions) changes.emplace_back(std::move(session));
  if (!changes.empty()) {
    auto commit = core.state.Commit(std::move(changes));
    static_cast<void>(co_await std::move(commit));  // the next look tries again
  }
  if (!unreaped) co_return;
  auto reap = core.tmux.Reap(probe);
  co_await std::move(reap);
}

}  // namespace

std::string RunIntentId(const std::string& agent) { return "run:" + agent; }

Task<Status> RecordRunning(Core& core, SessionRecord session, AgentRecord agent) {
  return Record(core, std::move(session), SessionStatus::kLive, std::move(agent),
                AgentStatus::kRunning);
}

Task<Result<SharedSessionLease>> LockAgent(Core& core, Flight& flight, std::string agent,
                                           std::string session) {
  std::vector<LockRequest> wanted;
  wanted.push_back(LockRequest{"agent:" + agent, LockMode::kExclusive});
  wanted.push_back(LockRequest{"session:" + session, LockMode::kExclusive});
  auto acquire = core.Acquire(flight, std::move(wanted));
  auto lease = co_await std::move(acquire);
  if (!lease) co_return std::move(lease).error();
  co_return std::make_shared<SessionLease>(core.tmux, std::move(*lease));
}

Task<Status> StartAgent(Core& core, Flight& flight, SharedSessionLease lease, AgentRecord agent,
                        std::string cwd, std::vector<std::string> command) {
  const SessionRecord session = SessionOf(core, agent, std::move(cwd), std::move(command));
  auto intend = Record(core, session, SessionStatus::kUnknown, agent, AgentStatus::kStarting);
  auto intended = co_await std::move(intend);
  if (!intended) co_return std::move(intended).error();
  auto start = core.tmux.New(flight, *lease, session, {});
  auto started = co_await std::move(start);
  if (!started) {
    const AgentStatus status =
        NothingBegan(started.error()) ? AgentStatus::kGone : AgentStatus::kUnknown;
    const SessionStatus of_session =
        NothingBegan(started.error()) ? SessionStatus::kGone : SessionStatus::kUnknown;
    auto tell = Record(core, session, of_session, agent, status);
    static_cast<void>(co_await std::move(tell));  // the first error is the one to tell
    co_return std::move(started).error();
  }
  auto record = RecordRunning(core, session, agent);
  auto recorded = co_await std::move(record);
  co_return std::move(recorded);
}

Task<Result<Ok>> ResumeAgent(Core& core, SharedSessionLease lease, AgentRecord agent,
                             std::string cwd) {
  Flight unit(0, "AgentResume", "", 0, core.seams.clock.Now(), core.seams.log);
  auto kill = KillUnderLease(core, unit, *lease, *agent.session_id);
  auto killed = co_await std::move(kill);
  if (!killed && killed.error().code != ErrorCode::kNotFound) {
    co_return std::move(killed).error();
  }
  std::vector<std::string> command = agent.command;
  command.emplace_back("--resume");
  agent.exit.reset();
  auto start = StartAgent(core, unit, lease, std::move(agent), std::move(cwd), std::move(command));
  auto started = co_await std::move(start);
  co_return std::move(started);
}

Task<void> WatchSessions(Core& core) {
  Flight probe(0, "AgentWatch", "", 0, core.seams.clock.Now(), core.seams.log);
  std::set<std::string> dying;
  while (true) {
    auto look = LookAtTmux(core, probe, dying);
    co_await std::move(look);
    co_await SleepFor(core.seams.clock, kLook);
  }
}

}  // namespace oj
