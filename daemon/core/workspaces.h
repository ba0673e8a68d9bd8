// Workspaces: git worktrees under `<state directory>/workspaces`, made and removed so that a
// cancel, a crash or a retry loses nothing. What is begun is in the store as an intent before it is
// begun; whoever finds one under the lease finishes or undoes it first.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/core.h"
#include "core/protocol.h"
#include "core/unit.h"

namespace oj {

// Where a workspace lies.
std::string WorkspacesDirectory(const Core& core);
std::string WorkspacePath(const Core& core, const std::string& id);

// The leases of a repository and of workspaces of it; shared by a request and its units.
using SharedRepoLease = std::shared_ptr<RepoLease>;
Task<Result<SharedRepoLease>> LockRepository(Core& core, Flight& flight, Repository repo,
                                             std::vector<std::string> ids);

// Makes the worktree of `record`, whose branch is set, and records it; or leaves nothing of it.
// Error kConflict: the id or the branch is taken.
Task<Status> MakeWorkspace(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                           WorkspaceRecord record);

struct Candidate {
  WorkspaceRecord record;
  bool recorded = true;                // false: a directory without a record
  std::optional<Worktree> registered;  // its entry in the repository
};

struct Removed {
  std::string id;
  std::string path;
  std::optional<std::string> branch;  // that was deleted
};

// Removes a workspace: looks first, then moves the directory into the trash, looks again there,
// deregisters that one entry, and records it. Error kConflict: the reason why it stays, and it is
// as it was. Cancellable until the directory is moved; then it goes on in the background.
Task<Result<Removed>> RemoveWorkspace(Core& core, Flight& flight, SharedRepoLease lease,
                                      Repository repo, Candidate candidate, Removal how);

// Finishes or undoes what was begun with this workspace, if anything was.
Task<Status> SettleWorkspace(Core& core, SharedRepoLease lease, std::string id);

}  // namespace oj
