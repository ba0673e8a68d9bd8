#include "core/agent_runs.h"

#include <boost/json.hpp>
#include <utility>

#include "core/handlers/session_steps.h"
#include "core/workspaces.h"

namespace oj {
namespace {

namespace json = boost::json;

constexpr Duration kTryAgain = std::chrono::seconds(2);

struct RunIntent {
  std::string repo;   // the common directory; empty: no workspace is made for the agent
  bool undo = false;  // its client was told that it did not start
};

IntentRecord ToRecord(const RunIntent& intent, const std::string& agent, WallMillis now) {
  return {RunIntentId(agent), "run", agent,
          json::serialize(json::object{{"repo", intent.repo}, {"undo", intent.undo}}), now};
}

RunIntent RunIntentOf(const IntentRecord& record) {
  RunIntent intent;
  boost::system::error_code error;
  const json::value detail = json::parse(record.detail, error);
  if (error || !detail.is_object()) return intent;
  const json::value* repo = detail.get_object().if_contains("repo");
  const json::value* undo = detail.get_object().if_contains("undo");
  if (repo != nullptr && repo->is_string()) intent.repo = repo->get_string();
  intent.undo = undo != nullptr && undo->is_bool() && undo->get_bool();
  return intent;
}

// Where the agent's program runs.
struct Place {
  std::string cwd;
  std::optional<std::string> workspace;
  SharedRepoLease lease;  // on the workspace, until the agent is recorded
  Repository repo;        // of a workspace that was made for it
};

// What a run holds from its beginning to its end.
struct Run {
  AgentRunRequest request;
  AgentRecord agent;
  SharedSessionLease lease;
  Place place;
  bool intended = false;  // there may be something to undo
  bool made = false;  // the workspace is new: nobody but the agent's program can have been there
};

Task<Status> Intend(Core& core, Run& run, std::string repo) {
  run.intended = true;
  auto commit = core.state.Commit(
      ToRecord(RunIntent{std::move(repo), false}, run.agent.id, core.seams.clock.WallNow()));
  auto status = co_await std::move(commit);
  co_return std::move(status);
}

// One that was made for this agent when it was first asked for, and kept for what is in it.
bool HasWorkspace(const Core& core, const AgentRecord& agent) {
  const auto* record = core.state.Find<WorkspaceRecord>(agent.id);
  return record != nullptr && record->agent_id == agent.id &&
         record->status == WorkspaceStatus::kReady;
}

Task<Status> MakePlace(Core& core, Flight& flight, Run& run) {
  const AgentRecord& agent = run.agent;
  auto find = core.git.Find(flight, *run.request.repo);
  auto repo = co_await std::move(find);
  if (!repo) co_return std::move(repo).error();
  auto intend = Intend(core, run, repo->common_dir);
  auto intended = co_await std::move(intend);
  if (!intended) co_return std::move(intended).error();
  WorkspaceRecord record;
  record.id = agent.id;
  record.name_space = agent.name_space;
  record.repo = *run.request.repo;
  record.path = WorkspacePath(core, record.id);
  record.branch = "oj/" + record.id;
  record.agent_id = agent.id;
  record.created_at_ms = agent.created_at_ms;
  std::vector<std::string> ids{record.id};
  auto lock = LockRepository(core, flight, *repo, std::move(ids));
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto settle = SettleWorkspace(core, *lease, record.id);
  auto settled = co_await std::move(settle);
  if (!settled) co_return std::move(settled).error();
  if (!HasWorkspace(core, agent)) {
    auto make = MakeWorkspace(core, flight, *lease, *repo, record);
    auto made = co_await std::move(make);
    // What was half made, MakeWorkspace sees to.
    if (!made) co_return std::move(made).error();
    run.made = true;
  }
  run.place = Place{record.path, record.id, std::move(*lease), std::move(*repo)};
  co_return Ok{};
}

// Held so that nobody removes it before the agent has it.
Task<Status> FindWorkspace(Core& core, Flight& flight, Run& run) {
  const std::string id = *run.request.workspace;
  std::vector<LockRequest> wanted;
  wanted.push_back(LockRequest{"workspace:" + id, LockMode::kShared});
  auto acquire = core.Acquire(flight, std::move(wanted));
  auto lease = co_await std::move(acquire);
  if (!lease) co_return std::move(lease).error();
  const auto* record = core.state.Find<WorkspaceRecord>(id);
  if (record == nullptr) {
    co_return Error{ErrorCode::kNotFound, "workspace '" + id + "' does not exist", ""};
  }
  if (record->status != WorkspaceStatus::kReady) {
    co_return Error{ErrorCode::kConflict, "workspace '" + id + "' is not ready", ""};
  }
  run.place.cwd = record->path;
  run.place.workspace = record->id;
  run.place.lease = std::make_shared<RepoLease>(std::move(*lease));
  co_return Ok{};
}

// A workspace or a directory that is there already.
Task<Status> FindPlace(Core& core, Flight& flight, Run& run) {
  run.place.cwd = run.request.cwd.value_or("");
  auto find =
      run.request.cwd ? CheckDirectory(core, run.place.cwd) : FindWorkspace(core, flight, run);
  auto found = co_await std::move(find);
  if (!found) co_return std::move(found).error();
  auto intend = Intend(core, run, "");
  auto intended = co_await std::move(intend);
  co_return std::move(intended);
}

// The workspace that was made for an agent that did not start goes again.
Task<Status> TakeBack(Core& core, Flight& undo, SharedRepoLease lease, Repository repo,
                      std::string id, bool force) {
  const auto* record = core.state.Find<WorkspaceRecord>(id);
  if (record == nullptr) co_return Ok{};
  Candidate candidate{*record, true, std::nullopt};
  auto look = core.git.List(undo, *lease, repo);
  auto listed = co_await std::move(look);
  if (!listed) co_return std::move(listed).error();
  for (const Worktree& each : *listed) {
    if (each.path == candidate.record.path) candidate.registered = each;
  }
  const Removal how{force, true, false};
  auto remove = RemoveWorkspace(core, undo, lease, repo, std::move(candidate), how);
  auto removed = co_await std::move(remove);
  // One in which somebody has worked meanwhile stays, as any other.
  if (removed || removed.error().code == ErrorCode::kConflict) co_return Ok{};
  co_return std::move(removed).error();
}

bool MayHaveBegun(const AgentRecord* agent) {
  return agent != nullptr && agent->status != AgentStatus::kGone;
}

// In one parameter: in which order several are given up is each compiler's choice.
struct Held {
  SharedSessionLease session;
  SharedRepoLease workspace;  // null where none was made
};

// As if the agent had never been asked for. Every step may have been done before. `fresh`:
// nobody but its program can have been in the workspace.
Task<Result<Ok>> Undo(Core& core, std::string id, Held held, Repository repo, bool fresh) {
  Flight undo(0, "AgentUndo", "", 0, core.seams.clock.Now(), core.seams.log);
  const bool begun = MayHaveBegun(core.state.Find<AgentRecord>(id));
  if (begun) {
    auto kill = KillUnderLease(core, undo, *held.session, id);
    auto killed = co_await std::move(kill);
    if (!killed && killed.error().code != ErrorCode::kNotFound) co_return std::move(killed).error();
  }
  std::vector<Change> changes;
  changes.emplace_back(Delete{RecordKind::kSession, id});
  changes.emplace_back(Delete{RecordKind::kAgent, id});
  auto commit = core.state.Commit(std::move(changes));
  auto committed = co_await std::move(commit);
  if (!committed) co_return std::move(committed).error();
  if (held.workspace != nullptr) {
    const bool force = fresh && !begun;
    auto take_back = TakeBack(core, undo, held.workspace, std::move(repo), id, force);
    auto taken = co_await std::move(take_back);
    if (!taken) co_return std::move(taken).error();
  }
  auto forget = core.state.Commit(Delete{RecordKind::kIntent, RunIntentId(id)});
  auto forgotten = co_await std::move(forget);
  co_return std::move(forgotten);
}

// One whose start another daemon began: true, if its session is there; it runs.
Task<Result<bool>> Adopt(Core& core, Flight& flight, SharedSessionLease lease, std::string id) {
  const auto* agent = core.state.Find<AgentRecord>(id);
  const auto* session = core.state.Find<SessionRecord>(id);
  if (agent == nullptr || session == nullptr) co_return false;
  auto look = core.tmux.Has(flight, *lease, id);
  auto found = co_await std::move(look);
  if (!found) co_return std::move(found).error();
  if (*found == Presence::kAbsent) co_return false;
  auto record = RecordRunning(core, *session, *agent);
  auto recorded = co_await std::move(record);
  if (!recorded) co_return std::move(recorded).error();
  co_return true;
}

// Under the lease of the agent: it runs, and its intent is gone; or all of it is.
Task<Status> Settle(Core& core, Flight& flight, SharedSessionLease session, IntentRecord record) {
  const std::string& id = record.subject;
  const RunIntent intent = RunIntentOf(record);
  if (!intent.undo) {
    auto adopt = Adopt(core, flight, session, id);
    auto adopted = co_await std::move(adopt);
    if (!adopted) co_return std::move(adopted).error();
    if (*adopted) co_return Ok{};
  }
  Held held{session, nullptr};
  const Repository repo{intent.repo, intent.repo};
  if (!intent.repo.empty()) {
    std::vector<std::string> ids{id};
    auto lock_repo = LockRepository(core, flight, repo, std::move(ids));
    auto locked = co_await std::move(lock_repo);
    if (!locked) co_return std::move(locked).error();
    held.workspace = std::move(*locked);
    auto settle = SettleWorkspace(core, held.workspace, id);
    auto settled = co_await std::move(settle);
    if (!settled) co_return std::move(settled).error();
  }
  auto undo = Undo(core, id, held, repo, false);
  auto unit = Unit<Ok>::Begin(core.units, core.seams.log, std::move(undo));
  auto wait = unit.Done();
  auto undone = co_await std::move(wait);
  co_return std::move(undone);
}

// What an earlier request for this agent did not see through.
Task<Status> SettleEarlier(Core& core, Flight& flight, const Run& run) {
  const IntentRecord* left = core.state.Find<IntentRecord>(RunIntentId(run.agent.id));
  if (left == nullptr) co_return Ok{};
  auto settle = Settle(core, flight, run.lease, *left);
  auto settled = co_await std::move(settle);
  co_return std::move(settled);
}

Task<Status> Begin(Core& core, Flight& flight, Run& run) {
  // Held from before the intent is written: whoever finds an intent and gets this is alone with it.
  auto lock = LockAgent(core, flight, run.agent.id, *run.agent.session_id);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  run.lease = std::move(*lease);
  auto settle = SettleEarlier(core, flight, run);
  auto settled = co_await std::move(settle);
  if (!settled) co_return std::move(settled).error();
  if (const auto* known = core.state.Find<AgentRecord>(run.agent.id); known != nullptr) {
    const std::string& id = run.agent.id;
    if (!IsRun(core, *known, run.request)) {
      co_return Error{ErrorCode::kConflict, "agent '" + id + "' exists already", ""};
    }
    run.agent = *known;
    co_return Ok{};
  }
  auto find = run.request.repo ? MakePlace(core, flight, run) : FindPlace(core, flight, run);
  auto found = co_await std::move(find);
  if (!found) co_return std::move(found).error();
  run.agent.workspace_id = run.place.workspace;
  auto start = StartAgent(core, flight, run.lease, run.agent, run.place.cwd, run.request.command);
  auto started = co_await std::move(start);
  co_return std::move(started);
}

// What cannot be undone now is left to TendRuns.
Task<Result<Ok>> UndoOrLeave(Core& core, std::string id, Held held, Repository repo, bool fresh) {
  const IntentRecord* known = core.state.Find<IntentRecord>(RunIntentId(id));
  if (known == nullptr) co_return Ok{};
  RunIntent intent = RunIntentOf(*known);
  Held to_undo = held;
  if (intent.repo.empty()) to_undo.workspace = nullptr;
  auto undo = Undo(core, id, std::move(to_undo), std::move(repo), fresh);
  auto undone = co_await std::move(undo);
  if (undone) co_return Ok{};
  intent.undo = true;
  auto commit = core.state.Commit(ToRecord(intent, id, core.seams.clock.WallNow()));
  static_cast<void>(co_await std::move(commit));  // without it a session that is there is kept
  co_return std::move(undone);
}

}  // namespace

bool IsRun(const Core& core, const AgentRecord& agent, const AgentRunRequest& request) {
  return agent.name == request.name && agent.command == request.command &&
         agent.name_space == request.name_space && IsRecent(core, agent.created_at_ms);
}

Task<Result<AgentRecord>> RunAgent(Core& core, Flight& flight, AgentRunRequest request,
                                   AgentRecord agent) {
  Run run;
  run.request = std::move(request);
  run.agent = std::move(agent);
  const Here here = co_await WhereAmI();
  auto begin = Begin(core, flight, run);
  co_await begin.EndIn(here.scope);
  Status begun = begin.cancelled() ? Status(Error{ErrorCode::kCancelled, "", ""}) : begin.Take();
  if (begun) co_return std::move(run.agent);
  if (!run.intended) {
    co_await CancellationPoint();  // the flight knows why it was cancelled, and says so
    co_return std::move(begun).error();
  }
  Held held{std::move(run.lease), std::move(run.place.lease)};
  auto undo = UndoOrLeave(core, run.agent.id, std::move(held), std::move(run.place.repo), run.made);
  auto unit = Unit<Ok>::Begin(core.units, core.seams.log, std::move(undo));
  auto wait = unit.Done();
  static_cast<void>(co_await std::move(wait));  // the first error is the one to tell
  co_await CancellationPoint();
  co_return std::move(begun).error();
}

namespace {

Task<Status> SettleLeft(Core& core, IntentRecord record) {
  Flight tend(0, "AgentSettle", "", 0, core.seams.clock.Now(), core.seams.log);
  auto lock = LockAgent(core, tend, record.subject, record.subject);
  auto session = co_await std::move(lock);
  if (!session) co_return std::move(session).error();
  const IntentRecord* known = core.state.Find<IntentRecord>(record.id);
  if (known == nullptr) co_return Ok{};
  auto settle = Settle(core, tend, *session, *known);
  auto settled = co_await std::move(settle);
  co_return std::move(settled);
}

// Those that no request is busy with.
std::vector<IntentRecord> LeftBehind(Core& core) {
  std::vector<IntentRecord> left;
  for (const auto& [id, record] : core.state.All<IntentRecord>()) {
    if (record.kind != "run") continue;
    if (!core.locks.InUse("agent:" + record.subject)) left.push_back(record);
  }
  return left;
}

}  // namespace

Task<void> TendRuns(Core& core) {
  std::string told;  // once, not at every attempt
  while (true) {
    const std::vector<IntentRecord> left = LeftBehind(core);
    for (const IntentRecord& each : left) {
      auto settle = SettleLeft(core, each);
      const Status settled = co_await std::move(settle);
      if (settled || told == settled.error().message) continue;
      told = settled.error().message;
      core.seams.log.Record({EventKind::kUnsettled, 0, 0, 0, told});
    }
    co_await SleepFor(core.seams.clock, kTryAgain);
  }
}

}  // namespace oj
