#include <utility>

#include "core/handlers/session_steps.h"
#include "core/workspace_intents.h"
#include "core/worktree_entry.h"

namespace oj {
namespace {

Error Stays(const std::string& id, const std::string& why, bool force_helps = true) {
  return {ErrorCode::kConflict,
          "workspace '" + id + "' stays: it " + why +
              (force_helps ? "; --force removes it all the same" : ""),
          ""};
}

// An agent that may be alive and has it, or null.
const AgentRecord* UserOf(const Core& core, const std::string& workspace) {
  for (const auto& [id, agent] : core.state.All<AgentRecord>()) {
    if (agent.workspace_id == workspace && !IsOver(&agent)) return &agent;
  }
  return nullptr;
}

// What in the tree itself a removal would lose, or nothing.
std::optional<std::string> Unsafe(const TreeState& tree) {
  if (!tree.unmerged.empty()) return "has a conflict to be resolved in '" + tree.unmerged + "'";
  if (!tree.changed.empty()) return "has uncommitted changes, as in '" + tree.changed + "'";
  if (!tree.untracked.empty()) return "has untracked files, such as '" + tree.untracked + "'";
  if (!tree.ignored.empty()) return "has ignored files, such as '" + tree.ignored + "'";
  if (tree.branch.empty()) return "has a detached head: its commits may be on no branch";
  return std::nullopt;
}

// The first that is there of what git does not look at, or "".
Task<Result<std::string>> FirstUnwatched(Core& core, Flight& flight, SharedRepoLease lease,
                                         std::string path) {
  auto ask = core.git.Unwatched(flight, *lease, path);
  auto files = co_await std::move(ask);
  if (!files) co_return std::move(files).error();
  for (const std::string& file : *files) {
    auto look = LookAt(core, path + "/" + file);
    auto there = co_await std::move(look);
    if (!there) co_return std::move(there).error();
    if (there->type != FileType::kNone) co_return file;
  }
  co_return std::string();
}

// Whether the workspace may go, and what it was then. Error kConflict: why not.
Task<Result<TreeState>> Verify(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                               Candidate candidate) {
  const std::string& id = candidate.record.id;
  const std::string& path = candidate.record.path;
  if (!candidate.registered) {
    co_return Stays(id,
                    "is no worktree of '" + repo.path + "' any more: nothing tells what is in it");
  }
  if (candidate.registered->locked) {
    const std::string& reason = candidate.registered->lock_reason;
    co_return Stays(id, "is locked" + (reason.empty() ? "" : " (" + reason + ")"));
  }
  auto look = core.git.Look(flight, *lease, path);
  auto tree = co_await std::move(look);
  if (!tree) co_return std::move(tree).error();
  if (const auto why = Unsafe(*tree)) co_return Stays(id, *why);
  auto watch = FirstUnwatched(core, flight, lease, path);
  auto unwatched = co_await std::move(watch);
  if (!unwatched) co_return std::move(unwatched).error();
  if (!unwatched->empty()) {
    co_return Stays(id, "has what git does not look at, such as '" + *unwatched + "'");
  }
  auto find = EntryOf(core, path);
  auto entry = co_await std::move(find);
  if (!entry) co_return std::move(entry).error();
  auto ask = KeptByEntry(core, flight, lease, repo, std::move(*entry), tree->head);
  auto kept = co_await std::move(ask);
  if (!kept) co_return std::move(kept).error();
  if (!kept->empty()) co_return Stays(id, *kept);
  if (tree->head.empty()) co_return std::move(tree);
  auto count = core.git.OwnCommits(flight, *lease, repo, tree->head, tree->branch);
  auto own = co_await std::move(count);
  if (!own) co_return std::move(own).error();
  if (*own > 0) {
    co_return Stays(id, "has " + std::to_string(*own) + " commit" + (*own == 1 ? "" : "s") +
                            " on no other branch than '" + tree->branch + "'");
  }
  co_return std::move(tree);
}

// Nothing was done yet, or it was taken back: the workspace is as it was.
Task<Status> Forget(Core& core, std::string id) {
  std::vector<Change> changes;
  if (const auto* known = core.state.Find<WorkspaceRecord>(id)) {
    WorkspaceRecord record = *known;
    record.status = WorkspaceStatus::kReady;
    record.error.reset();
    changes.emplace_back(std::move(record));
  }
  changes.emplace_back(Delete{RecordKind::kIntent, RemoveIntentId(id)});
  auto commit = core.state.Commit(std::move(changes));
  auto status = co_await std::move(commit);
  co_return std::move(status);
}

// The second look, where the directory lies now: whoever was still writing wrote here. Error
// kConflict: it changed, and is back where it was.
Task<Status> LookAgain(Core& core, Flight& flight, SharedRepoLease lease, std::string id,
                       RemoveIntent intent) {
  auto look = core.git.Look(flight, *lease, intent.trash);
  auto tree = co_await std::move(look);
  // Deregistered before: this look was taken and was good.
  if (!tree && tree.error().code == ErrorCode::kNotFound) co_return Ok{};
  if (!tree) co_return std::move(tree).error();
  const bool same = !Unsafe(*tree) && tree->head == intent.head && tree->branch == intent.branch;
  if (same) co_return Ok{};
  auto back = Rename(core, intent.trash, intent.path);
  auto renamed = co_await std::move(back);
  if (!renamed && renamed.error().code == ErrorCode::kConflict) {
    co_return Error{ErrorCode::kConflict,
                    "workspace '" + id + "' changed while it was being removed, and '" +
                        intent.path + "' is there again: move that away; until then it lies in '" +
                        intent.trash + "'",
                    ""};
  }
  if (!renamed) co_return std::move(renamed).error();
  auto forget = Forget(core, id);
  auto forgotten = co_await std::move(forget);
  if (!forgotten) co_return std::move(forgotten).error();
  co_return Stays(id, "changed while it was being removed");
}

// Where it was asked for, and nothing is lost with it.
Task<Result<bool>> DeleteItsBranch(Core& core, Flight& finish, SharedRepoLease lease,
                                   Repository repo, RemoveIntent intent) {
  if (!intent.how.delete_branch || intent.branch.empty()) co_return false;
  // One at a time, from the look to the end: of two branches at one commit, each counts on the
  // other.
  std::vector<LockRequest> wanted;
  wanted.push_back(LockRequest{"branches:" + repo.common_dir, LockMode::kExclusive});
  auto acquire = core.Acquire(finish, std::move(wanted));
  auto branches = co_await std::move(acquire);
  if (!branches) co_return std::move(branches).error();
  if (!intent.how.force) {
    auto ask = IsLastToKnow(core, finish, lease, repo, intent.branch, intent.head);
    auto last = co_await std::move(ask);
    if (!last) co_return std::move(last).error();
    if (*last) co_return false;
  }
  auto remove = core.git.DeleteBranch(finish, *lease, repo, intent.branch, intent.head);
  auto deleted = co_await std::move(remove);
  co_return std::move(deleted);
}

// From the trash on: every step may have been done before.
Task<Result<Removed>> Finish(Core& core, SharedRepoLease lease, std::string id, RemoveIntent intent,
                             bool in_trash) {
  Flight finish(0, "WorkspaceRemove", "", 0, core.seams.clock.Now(), core.seams.log);
  const Repository repo{intent.repo, intent.repo};
  if (in_trash && !intent.how.force && !intent.looked) {
    auto again = LookAgain(core, finish, lease, id, intent);
    auto same = co_await std::move(again);
    if (!same) co_return std::move(same).error();
    // A git that is stopped while it takes the entry out leaves a part of it, by which a clean tree
    // looks changed.
    intent.looked = true;
    auto note = core.state.Commit(ToRecord(intent, id, core.seams.clock.WallNow()));
    auto noted = co_await std::move(note);
    if (!noted) co_return std::move(noted).error();
  }
  Removed removed{id, intent.path, std::nullopt};
  if (intent.registered) {
    auto deregister = TakeOutEntry(core, finish, lease, repo, intent.path);
    auto gone = co_await std::move(deregister);
    if (!gone) co_return std::move(gone).error();
    auto remove = DeleteItsBranch(core, finish, lease, repo, intent);
    auto deleted = co_await std::move(remove);
    if (!deleted) co_return std::move(deleted).error();
    if (*deleted) removed.branch = intent.branch;
  }
  std::vector<Change> changes;
  changes.emplace_back(Delete{RecordKind::kWorkspace, id});
  changes.emplace_back(Delete{RecordKind::kIntent, RemoveIntentId(id)});
  if (in_trash) changes.emplace_back(TrashRecord(intent.trash, core.seams.clock.WallNow()));
  auto commit = core.state.Commit(std::move(changes));
  auto recorded = co_await std::move(commit);
  if (!recorded) co_return std::move(recorded).error();
  core.trash.Ring();
  co_return std::move(removed);
}

// The commit point: what was looked at is moved away. From here on only a unit goes on.
Task<Result<Removed>> Commit(Core& core, SharedRepoLease lease, WorkspaceRecord record,
                             bool recorded, RemoveIntent intent, bool there) {
  const std::string id = record.id;
  std::vector<Change> begin;
  if (recorded) {
    record.status = WorkspaceStatus::kRemoving;
    begin.emplace_back(record);
  }
  begin.emplace_back(ToRecord(intent, id, core.seams.clock.WallNow()));
  auto intend = core.state.Commit(std::move(begin));
  auto intended = co_await std::move(intend);
  if (!intended) co_return std::move(intended).error();
  if (there) {
    auto make = MakeWorkspacesDirectory(core);
    auto made = co_await std::move(make);
    if (!made) co_return std::move(made).error();
    auto rename = Rename(core, intent.path, intent.trash);
    auto renamed = co_await std::move(rename);
    if (!renamed) {
      // One that was not done in time may yet be: then the intent stays, and tells where to look.
      if (renamed.error().code == ErrorCode::kUnavailable) co_return std::move(renamed).error();
      auto forget = Forget(core, id);
      static_cast<void>(co_await std::move(forget));  // the first error is the one to tell
      // Only a mount is in the way of a rename among the workspaces. What git would do instead,
      // deleting in place, can be interrupted half-way, and cannot remove a mount either.
      co_return Stays(id, "cannot be moved away whole: " + renamed.error().message, false);
    }
  }
  auto finish = Finish(core, lease, id, std::move(intent), there);
  auto removed = co_await std::move(finish);
  co_return std::move(removed);
}

// A removal that got stuck half-way says so in the record; its intent stays, for the next who
// tries.
Task<Result<Removed>> Tell(Core& core, std::string id, Task<Result<Removed>> work) {
  auto removed = co_await std::move(work);
  if (removed || core.state.Find<IntentRecord>(RemoveIntentId(id)) == nullptr) {
    co_return std::move(removed);
  }
  if (const auto* known = core.state.Find<WorkspaceRecord>(id)) {
    WorkspaceRecord record = *known;
    record.status = WorkspaceStatus::kFailed;
    record.error = removed.error().message;
    auto commit = core.state.Commit(std::move(record));
    static_cast<void>(co_await std::move(commit));  // the first error is the one to tell
  }
  co_return std::move(removed);
}

}  // namespace

Task<Result<Removed>> RemoveWorkspace(Core& core, Flight& flight, SharedRepoLease lease,
                                      Repository repo, Candidate candidate, Removal how) {
  const WorkspaceRecord& record = candidate.record;
  if (const AgentRecord* user = UserOf(core, record.id)) {
    co_return Stays(record.id, "is in use by agent '" + user->id + "'", false);
  }
  auto look = LookAt(core, record.path);
  auto there = co_await std::move(look);
  if (!there) co_return std::move(there).error();
  const bool exists = there->type != FileType::kNone;
  RemoveIntent intent;
  intent.repo = repo.common_dir;
  intent.path = record.path;
  intent.trash = TrashPath(core, record.id);
  intent.registered = candidate.registered.has_value();
  intent.how = how;
  if (intent.registered) {
    intent.head = candidate.registered->head;
    intent.branch = candidate.registered->branch;
  }
  if (exists && !how.force) {
    auto verify = Verify(core, flight, lease, repo, candidate);
    auto tree = co_await std::move(verify);
    if (!tree) co_return std::move(tree).error();
    intent.head = tree->head;
    intent.branch = tree->branch;
  }
  co_await CancellationPoint();
  if (const Status alone = lease->Alone(); !alone) co_return alone.error();
  if (how.dry_run) co_return Removed{record.id, record.path, std::nullopt};
  auto commit = Commit(core, lease, record, candidate.recorded, std::move(intent), exists);
  auto work = Tell(core, record.id, std::move(commit));
  auto unit = Unit<Removed>::Begin(core.units, core.seams.log, std::move(work));
  auto wait = unit.Done();
  auto removed = co_await std::move(wait);
  co_return std::move(removed);
}

namespace {

Task<Result<Removed>> Resume(Core& core, SharedRepoLease lease, std::string workspace,
                             RemoveIntent intent) {
  auto look_there = LookAt(core, intent.trash);
  auto in_trash = co_await std::move(look_there);
  if (!in_trash) co_return std::move(in_trash).error();
  auto look_here = LookAt(core, intent.path);
  auto in_place = co_await std::move(look_here);
  if (!in_place) co_return std::move(in_place).error();
  const bool moved = in_trash->type != FileType::kNone;
  if (!moved && in_place->type != FileType::kNone) {
    auto forget = Forget(core, workspace);
    auto forgotten = co_await std::move(forget);
    if (!forgotten) co_return std::move(forgotten).error();
    co_return Removed{};
  }
  auto finish = Finish(core, lease, workspace, std::move(intent), moved);
  auto removed = co_await std::move(finish);
  co_return std::move(removed);
}

}  // namespace

Task<Result<Removed>> ResumeRemoval(Core& core, SharedRepoLease lease, std::string workspace,
                                    RemoveIntent intent) {
  return Tell(core, workspace, Resume(core, std::move(lease), workspace, std::move(intent)));
}

}  // namespace oj
