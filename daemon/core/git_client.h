// GitClient: the git commands of the handlers and what their answers mean. git is told to take no
// optional locks and to run no maintenance; it gets TERM first, since on KILL it leaves its lock
// files behind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lock_table.h"
#include "core/tools.h"
#include "oj/file_system.h"

namespace oj {

// A lease on a repository and its workspaces while git runs under it. When it is destroyed it
// releases the keys, or quarantines them while a process of git's that cannot be killed is alive.
class RepoLease {
 public:
  explicit RepoLease(Lease lease) : lease_(std::move(lease)) {}
  RepoLease(RepoLease&&) = default;
  RepoLease& operator=(RepoLease&&) = delete;
  ~RepoLease();
  // Error kBusy: a git that could not be killed may still be at work under it.
  Status Alone() const { return AllGone(undead_); }

  // A git of ours that began then, or later, was killed, by this daemon or with an earlier one:
  // lock files that are no older may be its.
  void DiedSince(WallMillis began) {
    died_since_ = died_since_ ? std::min(*died_since_, began) : began;
  }

 private:
  friend class GitClient;
  Lease lease_;
  std::optional<WallMillis> died_since_;
  std::vector<std::shared_ptr<Quarantine>> undead_;
};

struct Repository {
  std::string path;        // as its user names it: a directory in it
  std::string common_dir;  // absolute: what all of its worktrees share, and its key in locks
};

// One entry of `git worktree list`.
struct Worktree {
  std::string path;
  std::string head;    // a commit
  std::string branch;  // without refs/heads/; empty: detached
  bool bare = false;
  bool locked = false;
  std::string lock_reason;
};

// What `git status` says of a worktree.
struct TreeState {
  std::string head;    // a commit; empty: none yet
  std::string branch;  // empty: detached
  // The first path of each kind, or empty: changed and tracked, in conflict, untracked, ignored.
  std::string changed;
  std::string unmerged;
  std::string untracked;
  std::string ignored;
  friend bool operator==(const TreeState&, const TreeState&) = default;
};

class GitClient {
 public:
  GitClient(Tools& tools, const Config& config, Clock& clock, FileSystem& files)
      : tools_(tools), config_(config), clock_(clock), files_(files) {}

  // All: Errors as Tools::Run, and as RepoLease::Alone; kToolFailed where git says something
  // unexpected. Throw Cancelled
  // with every process of theirs dead, or the lease marked for quarantine. `lease` covers the
  // repository.

  // Needs no lease: looks at what no command here changes. kNotFound: no repository.
  Task<Result<Repository>> Find(Flight& flight, std::string path);
  // The commit that `revision` names; kNotFound.
  Task<Result<std::string>> Resolve(Flight& flight, Repository repo, std::string revision);
  // kNotFound: there is no repository.
  Task<Result<std::vector<Worktree>>> List(Flight& flight, RepoLease& lease, Repository repo);
  // Checks `branch` out at `path`: as it is, or made at `start`. Whatever comes of it may have
  // left an entry, a directory and the branch.
  Task<Status> Add(Flight& flight, RepoLease& lease, Repository repo, std::string path,
                   std::string branch, std::optional<std::string> start);
  // kNotFound: the directory is no worktree, or none any more.
  Task<Result<TreeState>> Look(Flight& flight, RepoLease& lease, std::string path);
  // Where there may be work that no TreeState tells of, whether it is there or not: files that git
  // was told to assume unchanged, and the repositories of submodules.
  Task<Result<std::vector<std::string>>> Unwatched(Flight& flight, RepoLease& lease,
                                                   std::string path);
  // How many commits of `head` no ref but `branch` reaches; `branch` empty: no ref at all.
  Task<Result<std::int64_t>> OwnCommits(Flight& flight, RepoLease& lease, Repository repo,
                                        std::string head, std::string branch);
  // The first of the commits that would be lost with a reflog that leads to them, or "": with
  // `branch` and its reflog, or, where that is empty, with a worktree's: refs and reflogs that stay
  // lead to all the others. Those that are gone already are not lost.
  Task<Result<std::string>> FirstLost(Flight& flight, RepoLease& lease, Repository repo,
                                      std::vector<std::string> commits, std::string branch);
  // Takes the one entry out, locked or not, whose directory was moved away. None there is Ok: the
  // list decides. What lies at `path` is deleted if it is a worktree.
  Task<Status> Deregister(Flight& flight, RepoLease& lease, Repository repo, std::string path);
  // Deletes the branch if it is still at `head`; false: it is not, or is checked out elsewhere.
  Task<Result<bool>> DeleteBranch(Flight& flight, RepoLease& lease, Repository repo,
                                  std::string branch, std::string head);

 private:
  Task<Result<ProcessResult>> Git(Flight& flight, RepoLease* lease, std::string directory,
                                  std::vector<std::string> arguments,
                                  bool (*keep)(std::string_view record) = nullptr);

  // As Git, for a command that reads the entries of all worktrees, and dies where another git takes
  // one out at the same moment: it is asked again then.
  Task<Result<ProcessResult>> GitOnEntries(Flight& flight, RepoLease& lease, Repository repo,
                                           std::vector<std::string> arguments);

  // As Git, for a command that locks refs. A lock file in its way that a dead git of ours left is
  // removed; kBusy, which names it: one that may be somebody's.
  Task<Result<ProcessResult>> GitThatLocks(Flight& flight, RepoLease& lease, Repository repo,
                                           std::vector<std::string> arguments);
  // Why a lock file stays; "": it is not there any more.
  struct Holder {
    std::string why;
    bool may_end = false;  // a process that is at work
  };
  // Removes the lock file if it is provably of a dead git under this lease: no older than that git,
  // and no git is at work in the repository.
  Task<Result<Holder>> ClearLock(Flight& flight, RepoLease& lease, Repository repo,
                                 std::string lock);

  Tools& tools_;
  const Config& config_;
  Clock& clock_;
  FileSystem& files_;
};

// Of `git worktree list --porcelain -z`, of `git status --porcelain=v2 --branch -z`, and of
// `git ls-files -v --stage -z`.
std::vector<Worktree> ParseWorktrees(std::string_view text);
TreeState ParseTreeState(std::string_view text);
std::vector<std::string> ParseUnwatched(std::string_view text);
// The lock file, an absolute path, that git says keeps it from its work, or "".
std::string LockInTheWay(std::string_view said);

}  // namespace oj
