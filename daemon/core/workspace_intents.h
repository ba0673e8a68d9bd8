// The journal of workspaces: what the store says of a worktree that is being made or removed, and
// the steps that a request and a recovery have in common.
#pragma once

#include <optional>
#include <string>

#include "core/workspaces.h"

namespace oj {

// A worktree is being made. Undone, not finished, by whoever finds it.
struct AddIntent {
  std::string repo;  // its common directory
  std::string path;
  std::string branch;
  // Where the directory goes when the add is undone. Once it lies there, what is at `path` is
  // somebody else's. Chosen beforehand: an undo needs no store until it is done.
  std::string trash;
  std::optional<std::string> start;  // the commit at which the branch is made; absent: it was there
};
std::string AddIntentId(const std::string& workspace);
IntentRecord ToRecord(const AddIntent& intent, const std::string& workspace, WallMillis now);
Result<AddIntent> AddIntentOf(const IntentRecord& record);

// A worktree was looked at and may go: its directory goes to `trash`, where it is looked at again.
// While `path` is there and `trash` is not, nothing has been done, and the look is worth nothing.
struct RemoveIntent {
  std::string repo;  // its common directory
  std::string path;
  std::string trash;
  std::string head;
  std::string branch;
  bool registered = true;
  bool looked = false;  // the second look was good: deregistering may have begun
  Removal how;
};
std::string RemoveIntentId(const std::string& workspace);
IntentRecord ToRecord(const RemoveIntent& intent, const std::string& workspace, WallMillis now);
Result<RemoveIntent> RemoveIntentOf(const IntentRecord& record);

// A directory that is nobody's any more, to be deleted: by the one who empties the trash.
IntentRecord TrashRecord(const std::string& path, WallMillis now);
inline constexpr std::string_view kTrashKind = "trash";

// A new place in the trash for a workspace's directory.
std::string TrashPath(Core& core, const std::string& workspace);

// Steps on the disk, each with a limit of its own; no cancel interrupts one.
Task<Result<FileInfo>> LookAt(Core& core, std::string path);
Task<Status> Rename(Core& core, std::string from, std::string to);
Task<Status> MakeWorkspacesDirectory(Core& core);

// Goes on with a removal: undoes it where nothing was done yet, else finishes it.
Task<Result<Removed>> ResumeRemoval(Core& core, SharedRepoLease lease, std::string workspace,
                                    RemoveIntent intent);

// Empties the trash, one directory after the other; runs until it is cancelled.
Task<void> TendTrash(Core& core);

}  // namespace oj
