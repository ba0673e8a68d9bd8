// What a repository keeps for one worktree alone: its entry, a directory below `worktrees`, which
// goes when the worktree goes, and with it what only the entry leads to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/workspaces.h"

namespace oj {

// The entry of the worktree that lies at `path`; "": it is none.
Task<Result<std::string>> EntryOf(Core& core, std::string path);

// What would be lost with the entry, as the reason why the worktree stays, or "": an operation that
// has begun and not ended, repositories of submodules, commits that only the worktree's own reflog
// leads to. `head` is where it stands now.
Task<Result<std::string>> KeptByEntry(Core& core, Flight& flight, SharedRepoLease lease,
                                      Repository repo, std::string entry, std::string head);

// Whether the branch, or its reflog, which goes with it, leads to commits that no other ref does:
// those of `head`, where it stands, or some that were amended, rebased or reset away.
Task<Result<bool>> IsLastToKnow(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                                std::string branch, std::string head);

// Takes the entry of `path` out, from where its worktree was moved away. Whatever was made there
// since then stays as it is; where that is a worktree on this very entry, so does the entry. None
// there is Ok.
Task<Status> TakeOutEntry(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                          std::string path);

// The commits to which a reflog leads, each once. What a rebase made on its way to its end, it made
// of commits that are in the branch's own reflog: those are left out.
std::vector<std::string> CommitsInReflog(std::string_view text);

}  // namespace oj
