#include <boost/json.hpp>
#include <map>
#include <utility>

#include "core/disk.h"
#include "core/handlers/handlers.h"
#include "core/handlers/outcome.h"
#include "core/handlers/session_steps.h"
#include "core/workspaces.h"

namespace oj {
namespace {

namespace json = boost::json;

// Removals of one repository at a time: each is git, waiting for the disk, and git again.
constexpr int kAtOnce = 4;

Error UnknownWorkspace(const std::string& id) {
  return {ErrorCode::kNotFound, "workspace '" + id + "' does not exist", ""};
}

void Tell(Outcome& outcome, const std::string& id, const Result<Removed>& removed) {
  if (!removed) return outcome.Failed(id, removed.error());
  json::object what{{"id", id}, {"path", removed->path}};
  if (removed->branch) what["branch"] = *removed->branch;
  outcome.Done(id, std::move(what));
}

// What one request removes of one repository, under one lease.
struct Batch {
  Core& core;
  Flight& flight;
  Removal how;
  Outcome& outcome;
  Repository repo;
  SharedRepoLease lease;
  std::vector<Candidate> candidates;
  std::size_t next = 0;
};

Task<Result<Removed>> RemoveOne(Batch& batch, Candidate candidate) {
  const std::string id = candidate.record.id;
  auto settle = SettleWorkspace(batch.core, batch.lease, id);
  auto settled = co_await std::move(settle);
  if (!settled) co_return std::move(settled).error();
  const WorkspaceRecord* known = batch.core.state.Find<WorkspaceRecord>(id);
  if (candidate.recorded && known == nullptr) {
    co_return Removed{id, candidate.record.path, std::nullopt};  // somebody else's, finished
  }
  if (known != nullptr) candidate.record = *known;
  auto remove =
      RemoveWorkspace(batch.core, batch.flight, batch.lease, batch.repo, candidate, batch.how);
  auto removed = co_await std::move(remove);
  co_return std::move(removed);
}

Task<void> RemoveInTurn(Batch& batch) {
  while (batch.next < batch.candidates.size()) {
    Candidate candidate = batch.candidates[batch.next++];
    const std::string id = candidate.record.id;
    batch.outcome.Begun(id);
    auto remove = RemoveOne(batch, std::move(candidate));
    const auto removed = co_await std::move(remove);
    Tell(batch.outcome, id, removed);
  }
}

Task<void> StartRemovers(Nursery& nursery, Batch& batch) {
  for (int i = 0; i < kAtOnce; ++i) nursery.Start(RemoveInTurn(batch));
  co_return;
}

// A record whose repository is gone can still be removed by force.
Task<Result<Repository>> RepositoryOf(Core& core, Flight& flight, std::string path) {
  auto find = core.git.Find(flight, path);
  auto found = co_await std::move(find);
  if (!found && found.error().code == ErrorCode::kNotFound) co_return Repository{path, path};
  co_return std::move(found);
}

void FailAll(Batch& batch, const Error& error) {
  for (const Candidate& each : batch.candidates) batch.outcome.Failed(each.record.id, error);
}

// An entry of `git worktree list` for each candidate that has one.
Task<Status> FindEntries(Batch& batch) {
  auto look = batch.core.git.List(batch.flight, *batch.lease, batch.repo);
  auto listed = co_await std::move(look);
  if (!listed && listed.error().code == ErrorCode::kNotFound) co_return Ok{};
  if (!listed) co_return std::move(listed).error();
  for (Candidate& candidate : batch.candidates) {
    for (const Worktree& entry : *listed) {
      if (entry.path == candidate.record.path) candidate.registered = entry;
    }
  }
  co_return Ok{};
}

Task<void> RemoveBatch(Batch& batch) {
  std::vector<std::string> ids;
  for (const Candidate& each : batch.candidates) ids.push_back(each.record.id);
  auto lock = LockRepository(batch.core, batch.flight, batch.repo, std::move(ids));
  auto lease = co_await std::move(lock);
  if (!lease) co_return FailAll(batch, lease.error());
  batch.lease = std::move(*lease);
  auto find = FindEntries(batch);
  auto found = co_await std::move(find);
  if (!found) co_return FailAll(batch, found.error());
  auto remove = WithNursery([&](Nursery& nursery) { return StartRemovers(nursery, batch); });
  co_await std::move(remove);
  // Removers that were cancelled have ended as they should; the request has not.
  co_await CancellationPoint();
}

Task<void> RemoveAll(Core& core, Flight& flight, std::vector<Candidate> candidates, Removal how,
                     Outcome& outcome) {
  for (const Candidate& each : candidates) outcome.Expect(each.record.id);
  std::map<std::string, std::vector<Candidate>> by_repo;
  for (Candidate& each : candidates) {
    const std::string repo = each.record.repo;
    by_repo[repo].push_back(std::move(each));
  }
  for (auto& [path, group] : by_repo) {
    auto find = RepositoryOf(core, flight, path);
    auto repo = co_await std::move(find);
    Batch batch{core, flight, how, outcome, {}, nullptr, std::move(group)};
    if (!repo) {
      FailAll(batch, repo.error());
      continue;
    }
    batch.repo = std::move(*repo);
    auto remove = RemoveBatch(batch);
    co_await std::move(remove);
  }
}

bool OwnerIsOver(const Core& core, const WorkspaceRecord& record) {
  return !record.agent_id || IsOver(core.state.Find<AgentRecord>(*record.agent_id));
}

// Directories among the workspaces that no record knows of; each is taken for a worktree of the
// repository that git says it belongs to.
Task<Result<std::vector<Candidate>>> Strays(Core& core, Flight& flight) {
  std::vector<Candidate> strays;
  const std::string directory = WorkspacesDirectory(core);
  auto work = core.seams.files.List(directory);
  auto list = OnDisk(core.seams.clock, std::move(work), "list '" + directory + "'");
  auto names = co_await std::move(list);
  if (!names && names.error().code == ErrorCode::kNotFound) co_return std::move(strays);
  if (!names) co_return std::move(names).error();
  for (const std::string& name : *names) {
    if (!IsValidId(name) || core.state.Find<WorkspaceRecord>(name) != nullptr) continue;
    Candidate stray;
    stray.recorded = false;
    stray.record.id = name;
    stray.record.path = WorkspacePath(core, name);
    auto find = core.git.Find(flight, stray.record.path);
    auto repo = co_await std::move(find);
    if (!repo && repo.error().code != ErrorCode::kNotFound) co_return std::move(repo).error();
    // An empty one would be looked for where the daemon itself happens to be.
    stray.record.repo = repo ? repo->common_dir : stray.record.path;
    strays.push_back(std::move(stray));
  }
  co_return std::move(strays);
}

Task<Reply> Drop(Core& core, Flight& flight, std::vector<Candidate> candidates, Removal how) {
  Outcome outcome(flight, "dropped", {});
  auto remove = RemoveAll(core, flight, std::move(candidates), how, outcome);
  co_await std::move(remove);
  co_return outcome.Reply("WorkspacesDropped");
}

template <class Selects>
std::vector<Candidate> Select(const Core& core, Selects selects) {
  std::vector<Candidate> candidates;
  for (const auto& [id, record] : core.state.All<WorkspaceRecord>()) {
    if (selects(record)) candidates.push_back(Candidate{record, true, std::nullopt});
  }
  return candidates;
}

WorkspaceRecord Wanted(const Core& core, const WorkspaceAddRequest& request, std::string id) {
  WorkspaceRecord record;
  record.id = std::move(id);
  record.name_space = request.name_space;
  record.repo = request.repo;
  record.path = WorkspacePath(core, record.id);
  record.branch = request.branch.value_or("oj/" + record.id);
  record.created_at_ms = core.seams.clock.WallNow();
  return record;
}

// Whether `known`, whose id was made up, may be what this request made when it was first asked.
bool IsAdd(const Core& core, const WorkspaceRecord& known, const WorkspaceRecord& wanted) {
  return known.name_space == wanted.name_space && known.repo == wanted.repo &&
         known.branch == wanted.branch && !known.agent_id && IsRecent(core, known.created_at_ms);
}

WorkspaceRecord Wanted(Core& core, const Flight& flight, const WorkspaceAddRequest& request) {
  if (request.name) return Wanted(core, request, *request.name);
  WorkspaceRecord wanted = Wanted(core, request, "ws-" + DigitsFor(flight));
  const auto* known = core.state.Find<WorkspaceRecord>(wanted.id);
  const bool ours = known == nullptr || IsAdd(core, *known, wanted);
  if (!flight.request_id.empty() && ours) return wanted;
  return Wanted(core, request, "ws-" + RandomDigits(core));
}

std::string Created(const WorkspaceRecord& record) {
  return json::serialize(json::object{{"type", "WorkspaceCreated"},
                                      {"id", record.id},
                                      {"path", record.path},
                                      {"branch", *record.branch}});
}

}  // namespace

Task<Reply> WorkspaceAdd(Core& core, Flight& flight, WorkspaceAddRequest request) {
  auto find = core.git.Find(flight, request.repo);
  auto repo = co_await std::move(find);
  if (!repo) co_return std::move(repo).error();
  const WorkspaceRecord record = Wanted(core, flight, request);
  std::vector<std::string> ids{record.id};
  auto lock = LockRepository(core, flight, *repo, std::move(ids));
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto settle = SettleWorkspace(core, *lease, record.id);
  auto settled = co_await std::move(settle);
  if (!settled) co_return std::move(settled).error();
  if (const auto* known = core.state.Find<WorkspaceRecord>(record.id); known != nullptr) {
    const bool made = !request.name && known->status == WorkspaceStatus::kReady;
    if (made && IsAdd(core, *known, record)) co_return Created(*known);
    co_return Error{ErrorCode::kConflict, "workspace '" + record.id + "' exists already", ""};
  }
  auto make = MakeWorkspace(core, flight, *lease, *repo, record);
  auto made = co_await std::move(make);
  if (!made) co_return std::move(made).error();
  co_return Created(record);
}

Task<Reply> WorkspaceDrop(Core& core, Flight& flight, WorkspaceDropRequest request) {
  const auto* record = core.state.Find<WorkspaceRecord>(request.id);
  if (record == nullptr) co_return UnknownWorkspace(request.id);
  Outcome outcome(flight, "dropped", {});
  std::vector<Candidate> one{Candidate{*record, true, std::nullopt}};
  auto remove = RemoveAll(core, flight, std::move(one), request.how, outcome);
  co_await std::move(remove);
  if (outcome.failure()) co_return *outcome.failure();
  co_return outcome.Reply("WorkspacesDropped");
}

Task<Reply> WorkspaceDropFailed(Core& core, Flight& flight, WorkspaceDropFailedRequest request) {
  return Drop(core, flight,
              Select(core,
                     [](const WorkspaceRecord& record) {
                       return record.status == WorkspaceStatus::kFailed;
                     }),
              request.how);
}

Task<Reply> WorkspaceDropAll(Core& core, Flight& flight, WorkspaceDropAllRequest request) {
  return Drop(core, flight, Select(core, [](const WorkspaceRecord&) { return true; }), request.how);
}

Task<Reply> WorkspacePrune(Core& core, Flight& flight, WorkspacePruneRequest request) {
  const WallMillis now = core.seams.clock.WallNow();
  std::size_t skipped = 0;
  auto candidates = Select(core, [&](const WorkspaceRecord& record) {
    if (request.name_space && record.name_space != *request.name_space) return false;
    const bool old = request.all || now - record.created_at_ms >= kPruneAge;
    const bool selected = old && OwnerIsOver(core, record);
    skipped += selected ? 0 : 1;
    return selected;
  });
  if (request.all && !request.name_space) {
    auto look = Strays(core, flight);
    auto strays = co_await std::move(look);
    if (!strays) co_return std::move(strays).error();
    for (Candidate& each : *strays) candidates.push_back(std::move(each));
  }
  Outcome outcome(flight, "pruned", {{"skipped", skipped}});
  auto remove = RemoveAll(core, flight, std::move(candidates), request.how, outcome);
  co_await std::move(remove);
  co_return outcome.Reply("WorkspacesPruned");
}

}  // namespace oj
