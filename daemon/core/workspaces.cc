#include "core/workspaces.h"

#include <utility>

#include "core/workspace_intents.h"
#include "core/worktree_entry.h"

namespace oj {

std::string WorkspacesDirectory(const Core& core) {
  return core.identity.state_directory + "/workspaces";
}

std::string WorkspacePath(const Core& core, const std::string& id) {
  return WorkspacesDirectory(core) + "/" + id;
}

Task<Result<SharedRepoLease>> LockRepository(Core& core, Flight& flight, Repository repo,
                                             std::vector<std::string> ids) {
  std::vector<LockRequest> wanted;
  wanted.push_back(LockRequest{"repo:" + repo.common_dir, LockMode::kExclusive});
  for (const std::string& id : ids) {
    wanted.push_back(LockRequest{"workspace:" + id, LockMode::kExclusive});
  }
  auto acquire = core.Acquire(flight, std::move(wanted));
  auto lease = co_await std::move(acquire);
  if (!lease) co_return std::move(lease).error();
  co_return std::make_shared<RepoLease>(std::move(*lease));
}

namespace {

// The directory that was being made goes into the trash. True: it lies there now.
Task<Result<bool>> MoveAway(Core& core, const AddIntent& intent) {
  auto look_there = LookAt(core, intent.trash);
  auto in_trash = co_await std::move(look_there);
  if (!in_trash) co_return std::move(in_trash).error();
  if (in_trash->type != FileType::kNone) co_return true;
  auto look_here = LookAt(core, intent.path);
  auto in_place = co_await std::move(look_here);
  if (!in_place) co_return std::move(in_place).error();
  if (in_place->type == FileType::kNone) co_return false;
  auto make = MakeWorkspacesDirectory(core);
  auto directory = co_await std::move(make);
  if (!directory) co_return std::move(directory).error();
  auto rename = Rename(core, intent.path, intent.trash);
  auto renamed = co_await std::move(rename);
  if (!renamed) co_return std::move(renamed).error();
  co_return true;
}

// Step by step, each of which may have been done before: the directory goes into the trash, the
// entry and the branch go, then the record.
Task<Status> UndoAdd(Core& core, SharedRepoLease lease, std::string id, AddIntent intent) {
  Flight undo(0, "WorkspaceUndo", "", 0, core.seams.clock.Now(), core.seams.log);
  if (const Status alone = lease->Alone(); !alone) co_return alone.error();
  auto move = MoveAway(core, intent);
  auto moved = co_await std::move(move);
  if (!moved) co_return std::move(moved).error();
  const Repository repo{intent.repo, intent.repo};
  auto deregister = TakeOutEntry(core, undo, lease, repo, intent.path);
  auto gone = co_await std::move(deregister);
  if (!gone) co_return std::move(gone).error();
  if (intent.start) {
    // One that has moved on since is somebody's work.
    auto remove = core.git.DeleteBranch(undo, *lease, repo, intent.branch, *intent.start);
    auto removed = co_await std::move(remove);
    if (!removed) co_return std::move(removed).error();
  }
  std::vector<Change> changes;
  changes.emplace_back(Delete{RecordKind::kWorkspace, id});
  changes.emplace_back(Delete{RecordKind::kIntent, AddIntentId(id)});
  if (*moved) changes.emplace_back(TrashRecord(intent.trash, core.seams.clock.WallNow()));
  auto commit = core.state.Commit(std::move(changes));
  auto status = co_await std::move(commit);
  core.trash.Ring();
  co_return std::move(status);
}

// An undo that fails says so in the record; the intent stays, for the next who tries.
Task<Status> UndoAddAndTell(Core& core, SharedRepoLease lease, std::string id, AddIntent intent) {
  auto undo = UndoAdd(core, lease, id, std::move(intent));
  auto undone = co_await std::move(undo);
  const WorkspaceRecord* known = core.state.Find<WorkspaceRecord>(id);
  if (undone || known == nullptr) co_return std::move(undone);
  WorkspaceRecord record = *known;
  record.status = WorkspaceStatus::kFailed;
  record.error = undone.error().message;
  auto commit = core.state.Commit(std::move(record));
  static_cast<void>(co_await std::move(commit));  // the first error is the one to tell
  co_return std::move(undone);
}

Task<Result<AddIntent>> PlanAdd(Core& core, Flight& flight, Repository repo,
                                const WorkspaceRecord& record) {
  AddIntent intent{repo.common_dir, record.path, *record.branch, TrashPath(core, record.id), {}};
  auto look = core.git.Resolve(flight, repo, "refs/heads/" + intent.branch);
  auto existing = co_await std::move(look);
  if (existing) co_return std::move(intent);
  if (existing.error().code != ErrorCode::kNotFound) co_return std::move(existing).error();
  auto head = core.git.Resolve(flight, repo, "HEAD");
  auto start = co_await std::move(head);
  if (!start && start.error().code == ErrorCode::kNotFound) {
    co_return Error{ErrorCode::kConflict,
                    "repository '" + repo.path + "' has no commit yet to begin a branch at", ""};
  }
  if (!start) co_return std::move(start).error();
  intent.start = std::move(*start);
  co_return std::move(intent);
}

// From here on there may be a directory, an entry, a branch.
Task<Status> MakeAndRecord(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                           WorkspaceRecord record, AddIntent intent) {
  auto make = MakeWorkspacesDirectory(core);
  auto directory = co_await std::move(make);
  if (!directory) co_return std::move(directory).error();
  auto add = core.git.Add(flight, *lease, repo, intent.path, intent.branch, intent.start);
  auto added = co_await std::move(add);
  if (!added) co_return std::move(added).error();
  record.status = WorkspaceStatus::kReady;
  std::vector<Change> end;
  const std::string id = record.id;
  end.emplace_back(std::move(record));
  end.emplace_back(Delete{RecordKind::kIntent, AddIntentId(id)});
  auto commit = core.state.Commit(std::move(end));
  auto status = co_await std::move(commit);
  co_return std::move(status);
}

}  // namespace

Task<Status> MakeWorkspace(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                           WorkspaceRecord record) {
  auto look = LookAt(core, record.path);
  auto there = co_await std::move(look);
  if (!there) co_return std::move(there).error();
  if (there->type != FileType::kNone) {
    co_return Error{ErrorCode::kConflict,
                    "'" + record.path + "' is there already, and the daemon knows nothing of it",
                    ""};
  }
  auto plan = PlanAdd(core, flight, repo, record);
  auto intent = co_await std::move(plan);
  if (!intent) co_return std::move(intent).error();
  record.status = WorkspaceStatus::kCreating;
  std::vector<Change> begin;
  begin.emplace_back(record);
  const WallMillis began = core.seams.clock.WallNow();
  begin.emplace_back(ToRecord(*intent, record.id, began));
  auto intend = core.state.Commit(std::move(begin));
  auto intended = co_await std::move(intend);
  if (!intended) co_return std::move(intended).error();

  const Here here = co_await WhereAmI();
  auto add = MakeAndRecord(core, flight, lease, repo, record, *intent);
  co_await add.EndIn(here.scope);
  Status made = add.cancelled() ? Error{ErrorCode::kCancelled, "", ""} : add.Take();
  if (made) co_return Ok{};
  // git may also end by itself, let down by one that it had started. Not where it met a lock: that
  // was there when it came.
  if (made.error().code != ErrorCode::kBusy) lease->DiedSince(began);
  auto work = UndoAddAndTell(core, lease, record.id, *intent);
  auto unit = Unit<Ok>::Begin(core.units, core.seams.log, std::move(work));
  auto wait = unit.Done();
  static_cast<void>(co_await std::move(wait));  // the first error is the one to tell
  co_await CancellationPoint();  // the flight knows why it was cancelled, and says so
  co_return std::move(made);
}

Task<Status> SettleWorkspace(Core& core, SharedRepoLease lease, std::string id) {
  if (const auto* record = core.state.Find<IntentRecord>(AddIntentId(id)); record != nullptr) {
    auto intent = AddIntentOf(*record);
    if (!intent) co_return std::move(intent).error();
    lease->DiedSince(record->created_at_ms);
    auto work = UndoAddAndTell(core, lease, id, std::move(*intent));
    auto unit = Unit<Ok>::Begin(core.units, core.seams.log, std::move(work));
    auto wait = unit.Done();
    auto undone = co_await std::move(wait);
    if (!undone) co_return std::move(undone).error();
  }
  if (const auto* record = core.state.Find<IntentRecord>(RemoveIntentId(id)); record != nullptr) {
    auto intent = RemoveIntentOf(*record);
    if (!intent) co_return std::move(intent).error();
    lease->DiedSince(record->created_at_ms);
    auto work = ResumeRemoval(core, lease, id, std::move(*intent));
    auto unit = Unit<Removed>::Begin(core.units, core.seams.log, std::move(work));
    auto wait = unit.Done();
    auto removed = co_await std::move(wait);
    if (!removed) co_return std::move(removed).error();
  }
  co_return Ok{};
}

}  // namespace oj
