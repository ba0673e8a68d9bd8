#include "core/git_client.h"

#include <charconv>

#include "core/judged.h"

namespace oj {
namespace {

constexpr std::string_view kBranchPrefix = "refs/heads/";
constexpr int kAsksOfTornEntries = 20;
constexpr Duration kAskAgain = std::chrono::milliseconds(10);

bool SaysNoRepository(const ProcessResult& result) {
  return Says(result, "not a git repository") || Says(result, "cannot change to");
}

bool MetTornEntry(const ProcessResult& result) {
  return Says(result, "worktrees/") && !SaysNoRepository(result) &&
         (Says(result, "failed to read") || Says(result, "No such file or directory"));
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// Takes the next of the records that end in NUL.
std::string_view TakeRecord(std::string_view& text) {
  const std::string_view record = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(text.size(), record.size() + 1));
  return record;
}

// Skips `count` fields of a status record; what is left is the path.
std::string_view PathAfter(std::string_view record, int count) {
  for (; count > 0 && !record.empty(); --count) {
    record.remove_prefix(std::min(record.find(' '), record.size() - 1) + 1);
  }
  return record;
}

// Of the records of `ls-files -v --stage`.
bool IsAssumedUnchanged(std::string_view line) {
  return !line.empty() && line[0] >= 'a' && line[0] <= 'z';
}
bool IsSubmodule(std::string_view line) {
  return line.size() > 2 && line.substr(2).starts_with("160000 ");
}
// An index of a million files has few of these.
bool IsUnwatched(std::string_view line) { return IsAssumedUnchanged(line) || IsSubmodule(line); }

// Makes git (2.36 or later; with an earlier one nothing here is ever removed, since it has no
// `worktree list -z`) look at files that it was told to skip (skip-worktree) and that are there all
// the same, whether or not the checkout is sparse. It must come before the command's name.
const std::initializer_list<const char*> kLookAtSkipped = {
    "-c", "core.sparseCheckout=true", "-c", "sparse.expectFilesOutsideOfPatterns=false"};

void KeepFirst(std::string& first, std::string_view path) {
  if (first.empty()) first = path;
}

}  // namespace

std::vector<Worktree> ParseWorktrees(std::string_view text) {
  std::vector<Worktree> all;
  while (!text.empty()) {
    const std::string_view line = TakeRecord(text);
    const std::string_view name = line.substr(0, line.find(' '));
    const std::string_view value = line.substr(std::min(line.size(), name.size() + 1));
    if (name == "worktree") all.emplace_back().path = value;
    if (all.empty()) continue;
    Worktree& last = all.back();
    if (name == "HEAD") last.head = value;
    if (name == "branch" && value.starts_with(kBranchPrefix)) {
      last.branch = value.substr(kBranchPrefix.size());
    }
    if (name == "bare") last.bare = true;
    if (name == "locked") {
      last.locked = true;
      last.lock_reason = value;
    }
  }
  return all;
}

TreeState ParseTreeState(std::string_view text) {
  constexpr std::string_view kHead = "# branch.oid ", kBranch = "# branch.head ";
  TreeState state;
  while (!text.empty()) {
    const std::string_view line = TakeRecord(text);
    if (line.starts_with(kHead)) {
      const std::string_view head = line.substr(kHead.size());
      if (head != "(initial)") state.head = head;
    } else if (line.starts_with(kBranch)) {
      const std::string_view branch = line.substr(kBranch.size());
      if (branch != "(detached)") state.branch = branch;
    } else if (line.starts_with("1 ")) {
      KeepFirst(state.changed, PathAfter(line, 8));
    } else if (line.starts_with("2 ")) {
      KeepFirst(state.changed, PathAfter(line, 9));
      TakeRecord(text);  // where it was renamed from
    } else if (line.starts_with("u ")) {
      KeepFirst(state.unmerged, PathAfter(line, 10));
    } else if (line.starts_with("? ")) {
      KeepFirst(state.untracked, line.substr(2));
    } else if (line.starts_with("! ")) {
      KeepFirst(state.ignored, line.substr(2));
    }
  }
  return state;
}

std::vector<std::string> ParseUnwatched(std::string_view text) {
  std::vector<std::string> paths;
  while (!text.empty()) {
    const std::string_view line = TakeRecord(text);  // "H 100644 <object> 0<tab>path"
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    const std::string path(line.substr(tab + 1));
    if (IsAssumedUnchanged(line)) paths.push_back(path);
    if (IsSubmodule(line)) paths.push_back(path + "/.git");
  }
  return paths;
}

RepoLease::~RepoLease() {
  if (!lease_.live() || undead_.empty()) return;
  const Quarantine& first = *undead_.front();
  const std::string why = "process " + std::to_string(first.pid) + " (state " + first.state +
                          ") of git could not be killed";
  Lease::Quarantine(std::move(lease_), why, first.pid, AllDead(std::move(undead_)));
}

Task<Result<ProcessResult>> GitClient::Git(Flight& flight, RepoLease* lease, std::string directory,
                                           std::vector<std::string> arguments,
                                           bool (*keep)(std::string_view record)) {
  if (lease != nullptr) {
    if (const Status alone = lease->Alone(); !alone) co_return alone.error();
  }
  ToolCommand command;
  command.keep = keep;
  command.tool = "git";
  command.argv = {config_.git_tool, "-C", std::move(directory), "--no-optional-locks"};
  for (const char* setting : {"gc.auto=0", "maintenance.auto=false", "core.fsmonitor=false"}) {
    command.argv.emplace_back("-c");
    command.argv.emplace_back(setting);
  }
  for (std::string& argument : arguments) command.argv.push_back(std::move(argument));
  command.timeout = config_.git_worktree;
  command.kill = KillPolicy{true, config_.kill_grace};
  // Whatever way the command is left, what it leaves alive is the lease's to remember.
  struct Remembered {
    RepoLease* lease;
    WallMillis began;
    Aftermath after;
    ~Remembered() {
      if (lease == nullptr) return;
      if (after.undead != nullptr) lease->undead_.push_back(after.undead);
      if (after.cut_off) lease->DiedSince(began);
    }
  } remembered{lease, clock_.WallNow(), {}};
  auto run = tools_.Run(flight, std::move(command), remembered.after);
  auto result = co_await std::move(run);
  co_return std::move(result);
}

Task<Result<Repository>> GitClient::Find(Flight& flight, std::string path) {
  std::vector<std::string> arguments{"rev-parse", "--path-format=absolute", "--git-common-dir"};
  auto run = Git(flight, nullptr, path, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return Repository{path, FirstLine(result->out)};
  if (SaysNoRepository(*result)) {
    co_return Error{ErrorCode::kNotFound, "'" + path + "' is no git repository", ""};
  }
  co_return ToolFailed("git", "find the repository of '" + path + "'", *result);
}

Task<Result<std::string>> GitClient::Resolve(Flight& flight, Repository repo,
                                             std::string revision) {
  std::vector<std::string> arguments{"rev-parse", "--quiet", "--verify", "--end-of-options",
                                     revision + "^{commit}"};
  auto run = Git(flight, nullptr, repo.common_dir, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return FirstLine(result->out);
  if (result->end == ProcessResult::End::kExited && result->err.empty()) {
    co_return Error{ErrorCode::kNotFound,
                    "repository '" + repo.path + "' has no commit '" + revision + "'", ""};
  }
  co_return ToolFailed("git", "look for '" + revision + "' in '" + repo.path + "'", *result);
}

Task<Result<ProcessResult>> GitClient::GitOnEntries(Flight& flight, RepoLease& lease,
                                                    Repository repo,
                                                    std::vector<std::string> arguments) {
  for (int asked = 1;; ++asked) {
    auto run = Git(flight, &lease, repo.common_dir, arguments);
    auto result = co_await std::move(run);
    if (!result || !MetTornEntry(*result) || asked == kAsksOfTornEntries) {
      co_return std::move(result);
    }
    co_await SleepFor(clock_, kAskAgain);
  }
}

Task<Result<std::vector<Worktree>>> GitClient::List(Flight& flight, RepoLease& lease,
                                                    Repository repo) {
  std::vector<std::string> arguments{"worktree", "list", "--porcelain", "-z"};
  auto run = GitOnEntries(flight, lease, repo, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return ParseWorktrees(result->out);
  if (SaysNoRepository(*result)) {
    co_return Error{ErrorCode::kNotFound, "'" + repo.path + "' is no git repository", ""};
  }
  co_return ToolFailed("git", "list the worktrees of '" + repo.path + "'", *result);
}

Task<Status> GitClient::Add(Flight& flight, RepoLease& lease, Repository repo, std::string path,
                            std::string branch, std::optional<std::string> start) {
  std::vector<std::string> arguments{"worktree", "add"};
  if (start) {
    for (const std::string& each : {std::string("-b"), branch, path, *start}) {
      arguments.push_back(each);
    }
  } else {
    arguments.push_back(path);
    arguments.push_back(branch);
  }
  auto run = GitThatLocks(flight, lease, repo, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return Ok{};
  if (Says(*result, "is already checked out at") || Says(*result, "already used by worktree") ||
      (Says(*result, "a branch named") && Says(*result, "already exists"))) {
    co_return Error{ErrorCode::kConflict,
                    "branch '" + branch + "' is checked out in another worktree, or exists already",
                    ToolFailed("git", "", *result).detail};
  }
  co_return ToolFailed("git", "add a worktree of '" + repo.path + "'", *result);
}

Task<Result<TreeState>> GitClient::Look(Flight& flight, RepoLease& lease, std::string path) {
  std::vector<std::string> arguments(kLookAtSkipped.begin(), kLookAtSkipped.end());
  for (const char* each : {"status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all",
                           "--ignored=matching", "--ignore-submodules=none"}) {
    arguments.emplace_back(each);
  }
  auto run = Git(flight, &lease, path, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return ParseTreeState(result->out);
  if (SaysNoRepository(*result)) {
    co_return Error{ErrorCode::kNotFound, "'" + path + "' is no worktree", ""};
  }
  co_return ToolFailed("git", "look at the worktree '" + path + "'", *result);
}

Task<Result<std::vector<std::string>>> GitClient::Unwatched(Flight& flight, RepoLease& lease,
                                                            std::string path) {
  std::vector<std::string> arguments(kLookAtSkipped.begin(), kLookAtSkipped.end());
  for (const char* each : {"ls-files", "-v", "--stage", "-z"}) arguments.emplace_back(each);
  auto run = Git(flight, &lease, path, std::move(arguments), &IsUnwatched);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return ParseUnwatched(result->out);
  co_return ToolFailed("git", "list the files of the worktree '" + path + "'", *result);
}

Task<Result<std::int64_t>> GitClient::OwnCommits(Flight& flight, RepoLease& lease, Repository repo,
                                                 std::string head, std::string branch) {
  // Without --single-worktree the very worktree that is asked about would count as a ref.
  std::vector<std::string> arguments{"rev-list", "--single-worktree", "--count", head, "--not"};
  if (!branch.empty()) arguments.push_back("--exclude=" + std::string(kBranchPrefix) + branch);
  arguments.emplace_back("--all");
  arguments.emplace_back("--");
  auto run = Git(flight, &lease, repo.common_dir, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  std::int64_t count = 0;
  const char* end = result->out.data() + result->out.size();
  const auto [at, error] = std::from_chars(result->out.data(), end, count);
  if (result->Succeeded() && error == std::errc()) co_return count;
  co_return ToolFailed("git", "count the commits of '" + branch + "' in '" + repo.path + "'",
                       *result);
}

Task<Result<std::string>> GitClient::FirstLost(Flight& flight, RepoLease& lease, Repository repo,
                                               std::vector<std::string> commits,
                                               std::string branch) {
  constexpr std::size_t kAtOnce = 1000;  // a command line is bounded
  for (std::size_t begin = 0; begin < commits.size(); begin += kAtOnce) {
    std::vector<std::string> arguments{"rev-list", "--single-worktree", "--ignore-missing",
                                       "--max-count=1"};
    const std::size_t end = std::min(begin + kAtOnce, commits.size());
    for (std::size_t at = begin; at < end; ++at) arguments.push_back(commits[at]);
    arguments.emplace_back("--not");
    if (!branch.empty()) arguments.push_back("--exclude=" + std::string(kBranchPrefix) + branch);
    arguments.emplace_back("--all");
    if (branch.empty()) arguments.emplace_back("--reflog");
    arguments.emplace_back("--");
    auto run = Git(flight, &lease, repo.common_dir, std::move(arguments));
    auto result = co_await std::move(run);
    if (!result) co_return std::move(result).error();
    if (!result->Succeeded()) {
      co_return ToolFailed("git", "look for lost commits in '" + repo.path + "'", *result);
    }
    if (!result->out.empty()) co_return FirstLine(result->out);
  }
  co_return std::string();
}

Task<Status> GitClient::Deregister(Flight& flight, RepoLease& lease, Repository repo,
                                   std::string path) {
  std::vector<std::string> arguments{"worktree", "remove", "--force", "--force", "--", path};
  auto run = GitOnEntries(flight, lease, repo, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return Ok{};
  auto look = List(flight, lease, repo);
  auto listed = co_await std::move(look);
  if (!listed) co_return std::move(listed).error();
  for (const Worktree& each : *listed) {
    if (each.path == path) {
      co_return ToolFailed("git", "deregister the worktree '" + path + "'", *result);
    }
  }
  co_return Ok{};
}

Task<Result<bool>> GitClient::DeleteBranch(Flight& flight, RepoLease& lease, Repository repo,
                                           std::string branch, std::string head) {
  if (lease.died_since_) {
    // The dead one may have got so far that this one meets no lock; others would, for ever. One
    // that cannot be cleared is told where it is in the way.
    auto clear = ClearLock(flight, lease, repo, repo.common_dir + "/packed-refs.lock");
    static_cast<void>(co_await std::move(clear));
  }
  auto look = List(flight, lease, repo);
  auto listed = co_await std::move(look);
  if (!listed) co_return std::move(listed).error();
  for (const Worktree& each : *listed) {
    if (each.branch == branch) co_return false;
  }
  std::vector<std::string> arguments{"update-ref", "-d", std::string(kBranchPrefix) + branch, head};
  auto run = GitThatLocks(flight, lease, repo, std::move(arguments));
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return true;
  if (result->end == ProcessResult::End::kExited && Says(*result, "cannot lock ref")) {
    co_return false;
  }
  co_return ToolFailed("git", "delete branch '" + branch + "' of '" + repo.path + "'", *result);
}

}  // namespace oj
