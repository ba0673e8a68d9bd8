// SimGit: the model of git for what the daemon asks of it: repositories whose refs, worktrees and
// their entries are files of the simulated disk, and the commands of core/git_client.cc in the
// words of git 2.39.5. A command that changes something does so in steps, as git does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/sim_disk.h"
#include "sim/tool_answer.h"

namespace oj::sim {

// The files of a commit, by path.
using GitTree = std::map<std::string, std::string>;

struct GitCommit {
  std::vector<std::string> parents;
  GitTree tree;
};

// One entry of a repository's `worktrees`, with a worktree or without.
struct GitEntry {
  std::string directory;  // of the entry
  std::string path;       // of the worktree
  std::string head;       // a commit, all 0: none
  std::string branch;     // without refs/heads/; empty: detached
  std::optional<std::string> locked;
  friend bool operator==(const GitEntry&, const GitEntry&) = default;
};

class SimGit {
 public:
  explicit SimGit(SimDisk& disk) : disk_(disk) {}
  SimDisk& disk() { return disk_; }

  // What a user does. All at once, and it must be possible.
  void CreateRepository(const std::string& path, const GitTree& tree);
  // `start`: the commit at which the branch is made; empty: where the repository's own stands.
  void AddWorktree(const std::string& repo, const std::string& path, const std::string& branch,
                   std::string start = "");
  // Commits what lies in a worktree; its id.
  std::string CommitAll(const std::string& worktree);

  // Where a repository's refs and entries are.
  static std::string CommonDir(const std::string& repo) { return repo + "/.git"; }
  std::vector<GitEntry> Entries(const std::string& common) const;
  // The name of one that a git was writing when it was killed: no command that reads the entries
  // gets past it. "": there is none.
  std::string Torn(const std::string& common) const;
  std::map<std::string, std::string> Branches(const std::string& common) const;
  // Whether a branch or a worktree's head leads to that commit.
  bool IsReachable(const std::string& common, const std::string& commit) const;
  // Whether a file with that content is in a commit that a branch or a worktree's head leads to.
  bool HasContent(const std::string& common, const std::string& content) const;
  // Whether that is a worktree with a commit to go on from.
  bool HasHead(const std::string& worktree) const;

 private:
  friend class GitCommand;
  struct Place {
    std::string git_dir;
    std::string common;
    std::string worktree;  // empty: in no worktree
  };

  std::string AddCommit(std::vector<std::string> parents, GitTree tree);
  const GitCommit* Find(const std::string& id) const;
  // A commit's id; empty: there is none.
  std::string Resolve(const Place& at, std::string_view revision) const;
  std::string BranchOf(const std::string& git_dir) const;  // empty: detached
  std::string HeadOf(const std::string& git_dir, const std::string& common) const;
  std::vector<std::string> Reachable(const std::string& common) const;  // sorted
  std::vector<std::string> Ancestry(std::vector<std::string> from) const;
  // Where a command that runs in `directory` is; else `answer` says why not.
  std::optional<Place> Discover(const std::string& directory, ToolAnswer& answer) const;
  std::string Status(const Place& at) const;
  std::string ListFiles(const Place& at) const;
  std::string ListWorktrees(const std::string& common) const;

  SimDisk& disk_;
  std::map<std::string, GitCommit> commits_;
};

// One run of git; steps until it is done. What was done stays when it is killed.
class GitCommand {
 public:
  GitCommand(SimGit& git, const std::vector<std::string>& argv);
  // False: there is nothing more to do; `answer` is whole.
  bool Step();
  // On SIGTERM git takes back what it made.
  void OnTerm();
  // What it says from now on makes another one.
  ToolAnswer TakeAnswer() {
    return {answer_.exit, std::exchange(answer_.out, {}), std::exchange(answer_.err, {})};
  }

 private:
  using Words = std::vector<std::string>;
  void Begin();
  void RevParse(const SimGit::Place& at);
  void RevList(const SimGit::Place& at);
  void UpdateRef(const SimGit::Place& at);
  void Worktree(const SimGit::Place& at);
  void Add(const SimGit::Place& at);
  bool MayAdd(const std::string& path);
  void Populate(const std::string& path, const std::string& branch, const std::string& commit);
  void Remove(const SimGit::Place& at);
  // Makes `path` + ".lock"; false: it is there already, and the command has failed on it.
  bool Lock(const std::string& path, const std::string& ref, int code = 128);
  void Unlock(const std::string& path);
  void LockPacked(const std::string& packed, const std::string& file, const std::string& ref,
                  int tries);
  void Fatal(std::string_view what, int code = 128);
  void Then(std::function<void()> step) { steps_.push_back(std::move(step)); }
  bool Has(std::string_view word) const;

  SimGit& git_;
  SimDisk& disk_;
  std::string directory_;
  Words words_;  // after git's own options
  std::deque<std::function<void()>> steps_;
  std::string common_;
  std::string junk_entry_;          // made, and not yet whole
  std::string junk_worktree_;       // likewise
  std::vector<std::string> locks_;  // held: on SIGTERM they go
  ToolAnswer answer_;
};

}  // namespace oj::sim
