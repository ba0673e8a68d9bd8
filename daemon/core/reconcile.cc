#include "core/reconcile.h"

#include <set>
#include <utility>

#include "core/workspace_intents.h"

namespace oj {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds(2);

// The repository of a workspace's intent, by its common directory; nothing: no workspace's.
Result<std::string> RepoOf(const IntentRecord& record) {
  if (record.kind == "add") {
    auto intent = AddIntentOf(record);
    if (!intent) return std::move(intent).error();
    return intent->repo;
  }
  if (record.kind == "remove") {
    auto intent = RemoveIntentOf(record);
    if (!intent) return std::move(intent).error();
    return intent->repo;
  }
  return std::string();
}

Task<Status> SettleOne(Core& core, Flight& recover, IntentRecord record) {
  auto repo = RepoOf(record);
  if (!repo) co_return std::move(repo).error();
  if (repo->empty()) co_return Ok{};
  const Repository repository{*repo, *repo};
  std::vector<std::string> ids{record.subject};
  auto lock = LockRepository(core, recover, repository, std::move(ids));
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto settle = SettleWorkspace(core, *lease, record.subject);
  auto settled = co_await std::move(settle);
  co_return std::move(settled);
}

// What cannot be settled now stays: the next request for that workspace tries again, and tells.
Task<void> SettleAll(Core& core, Flight& recover) {
  std::vector<IntentRecord> found;
  for (const auto& [id, record] : core.state.All<IntentRecord>()) found.push_back(record);
  for (const IntentRecord& record : found) {
    auto settle = SettleOne(core, recover, record);
    const Status settled = co_await std::move(settle);
    if (!settled) {
      core.seams.log.Record({EventKind::kUnsettled, 0, 0, 0, settled.error().message});
    }
  }
}

// Those that may be there, as far as the records tell.
State::Table<SessionRecord> Doubtful(const Core& core) {
  State::Table<SessionRecord> doubtful;
  for (const auto& [id, record] : core.state.All<SessionRecord>()) {
    if (record.status != SessionStatus::kGone) doubtful.emplace(id, record);
  }
  return doubtful;
}

Task<void> Tell(Core& core, const State::Table<SessionRecord>& before,
                const std::set<std::string>* there) {
  std::vector<Change> changes;
  for (const auto& [id, record] : before) {
    const auto* now = core.state.Find<SessionRecord>(id);
    if (now == nullptr || !(*now == record)) continue;  // a request was here meanwhile
    SessionRecord seen = record;
    if (there == nullptr) {
      seen.status = SessionStatus::kUnknown;
    } else {
      seen.status = there->contains(id) ? SessionStatus::kLive : SessionStatus::kGone;
    }
    if (!(seen == record)) changes.emplace_back(std::move(seen));
  }
  // An agent that was being started runs, or never did: WatchAgents sees which.
  for (const auto& [id, agent] : core.state.All<AgentRecord>()) {
    const bool of_before = agent.session_id && before.contains(*agent.session_id);
    if (agent.status != AgentStatus::kStarting || !of_before) continue;
    AgentRecord seen = agent;
    seen.status = AgentStatus::kUnknown;
    changes.emplace_back(std::move(seen));
  }
  if (changes.empty()) co_return;
  auto commit = core.state.Commit(std::move(changes));
  static_cast<void>(co_await std::move(commit));  // the next time, or the next daemon
}

Task<bool> LookAtSessions(Core& core, Flight& recover) {
  const auto before = Doubtful(core);
  if (before.empty()) co_return true;
  auto list = core.tmux.List(recover);
  auto listed = co_await std::move(list);
  std::set<std::string> there;
  if (listed) {
    for (const SessionState& each : *listed) there.insert(each.id);
  }
  auto tell = Tell(core, before, listed ? &there : nullptr);
  co_await std::move(tell);
  co_return listed || listed.error().code == ErrorCode::kToolMissing;
}

}  // namespace

Task<void> Reconcile(Core& core) {
  Flight recover(0, "Recover", "", 0, core.seams.clock.Now(), core.seams.log);
  auto settle = SettleAll(core, recover);
  co_await std::move(settle);
  while (true) {
    auto look = LookAtSessions(core, recover);
    const bool answered = co_await std::move(look);
    if (answered) co_return;
    co_await SleepFor(core.seams.clock, kAskAgain);
  }
}

}  // namespace oj
