#include "core/worktree_entry.h"

#include <set>
#include <utility>

#include "core/disk.h"
#include "core/workspace_intents.h"

namespace oj {
namespace {

constexpr std::size_t kMostOfGitFile = 4096;
constexpr std::size_t kMostOfReflog = 8 << 20;  // bytes: some 50,000 movements of a head
constexpr std::string_view kGitDir = "gitdir: ";

// The beginning of a file; empty: there is none.
Task<Result<std::string>> ReadSmall(Core& core, std::string file, std::size_t most) {
  auto work = core.seams.files.Read(file, most);
  auto read = OnDisk(core.seams.clock, std::move(work), "read '" + file + "'");
  auto text = co_await std::move(read);
  if (!text && text.error().code == ErrorCode::kNotFound) co_return std::string();
  co_return std::move(text);
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

bool IsNoCommit(std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; }

// Of a reflog's message: "rebase -i (start): checkout main" is in phase "(start)".
std::string_view PhaseOf(std::string_view message) {
  message = message.substr(0, message.find(':'));
  const std::size_t at = message.rfind('(');
  return at == std::string_view::npos ? std::string_view() : message.substr(at);
}

}  // namespace

std::vector<std::string> CommitsInReflog(std::string_view text) {
  std::set<std::string> seen;
  std::vector<std::string> all;
  std::vector<std::string> by_rebase;
  bool rebasing = false;
  const auto keep = [&](std::string id) {
    if (!IsNoCommit(id) && seen.insert(id).second) all.push_back(std::move(id));
  };
  const auto keep_all = [&] {
    for (std::string& each : by_rebase) keep(std::move(each));
    by_rebase.clear();
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    // "<old> <new> <who> <when>\t<message>"
    const std::size_t first = line.find(' ');
    const std::size_t second = first == line.npos ? first : line.find(' ', first + 1);
    if (second == line.npos) continue;
    const std::size_t tab = line.find('\t');
    const std::string_view phase = PhaseOf(tab == line.npos ? "" : line.substr(tab + 1));
    if (phase == "(start)") {
      keep_all();
      rebasing = true;
    }
    if (!rebasing || phase == "(start)") keep(std::string(line.substr(0, first)));
    std::string now(line.substr(first + 1, second - first - 1));
    if (phase == "(finish)") by_rebase.clear();
    if (phase == "(finish)" || phase == "(abort)") rebasing = false;
    if (rebasing) {
      by_rebase.push_back(std::move(now));
    } else {
      keep_all();
      keep(std::move(now));
    }
  }
  keep_all();
  return all;
}

Task<Result<std::string>> EntryOf(Core& core, std::string path) {
  auto read = ReadSmall(core, path + "/.git", kMostOfGitFile);
  auto link = co_await std::move(read);
  if (!link) co_return std::move(link).error();
  if (!link->starts_with(kGitDir)) co_return std::string();
  std::string entry = FirstLine(*link).substr(kGitDir.size());
  if (!entry.starts_with('/')) entry.insert(0, path + "/");  // worktree.useRelativePaths
  co_return std::move(entry);
}

namespace {

// The commits that the reflog `file` leads to.
Task<Result<std::vector<std::string>>> ReadReflog(Core& core, std::string file) {
  auto read = ReadSmall(core, file, kMostOfReflog);
  auto text = co_await std::move(read);
  if (!text) co_return std::move(text).error();
  if (text->size() >= kMostOfReflog) {
    co_return Error{ErrorCode::kTooLarge, "'" + file + "' is too large to be looked through", ""};
  }
  co_return CommitsInReflog(*text);
}

}  // namespace

Task<Result<std::string>> KeptByEntry(Core& core, Flight& flight, SharedRepoLease lease,
                                      Repository repo, std::string entry, std::string head) {
  if (entry.empty()) co_return std::string();
  constexpr std::pair<const char*, const char*> kSigns[] = {
      {"MERGE_HEAD", "is in the middle of a merge"},
      {"CHERRY_PICK_HEAD", "is in the middle of a cherry-pick"},
      {"REVERT_HEAD", "is in the middle of a revert"},
      {"BISECT_LOG", "is in the middle of a bisection"},
      {"rebase-merge", "is in the middle of a rebase"},
      {"rebase-apply", "is in the middle of a rebase"},
      {"modules", "has repositories of submodules"}};
  for (const auto& [name, why] : kSigns) {
    auto look = LookAt(core, entry + "/" + name);
    auto there = co_await std::move(look);
    if (!there) co_return std::move(there).error();
    if (there->type != FileType::kNone) co_return std::string(why);
  }
  auto read = ReadReflog(core, entry + "/logs/HEAD");
  auto commits = co_await std::move(read);
  if (!commits) co_return std::move(commits).error();
  std::erase(*commits, head);
  auto ask = core.git.FirstLost(flight, *lease, repo, std::move(*commits), "");
  auto lost = co_await std::move(ask);
  if (!lost) co_return std::move(lost).error();
  if (lost->empty()) co_return std::string();
  co_return "has commits that only its own reflog leads to, such as " + lost->substr(0, 12);
}

Task<Result<bool>> IsLastToKnow(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                                std::string branch, std::string head) {
  auto read = ReadReflog(core, repo.common_dir + "/logs/refs/heads/" + branch);
  auto commits = co_await std::move(read);
  if (!commits) co_return std::move(commits).error();
  if (std::ranges::find(*commits, head) == commits->end()) commits->push_back(std::move(head));
  auto ask = core.git.FirstLost(flight, *lease, repo, std::move(*commits), branch);
  auto lost = co_await std::move(ask);
  if (!lost) co_return std::move(lost).error();
  co_return !lost->empty();
}

namespace {

Task<Result<std::vector<std::string>>> EntryNames(Core& core, Repository repo) {
  const std::string directory = repo.common_dir + "/worktrees";
  auto work = core.seams.files.List(directory);
  auto list = OnDisk(core.seams.clock, std::move(work), "list '" + directory + "'");
  auto names = co_await std::move(list);
  if (!names && names.error().code == ErrorCode::kNotFound) co_return std::vector<std::string>();
  co_return std::move(names);
}

// Where something lies at `path` again git refuses to take the entry out, or, if that is a
// worktree, deletes it. So the entry goes as git itself would have it go, and nothing else does.
// False: what lies there is a worktree on that very entry.
Task<Result<bool>> TakeOutByHand(Core& core, Repository repo, std::string path) {
  auto look = LookAt(core, path + "/.git");
  auto there = co_await std::move(look);
  if (!there) co_return std::move(there).error();
  std::string of_path;
  // A directory there is a repository of its own.
  if (there->type != FileType::kNone && there->type != FileType::kDirectory) {
    auto link = EntryOf(core, path);
    auto entry = co_await std::move(link);
    if (!entry) co_return std::move(entry).error();  // it may be on the very entry
    of_path = std::move(*entry);
  }
  auto list = EntryNames(core, repo);
  auto names = co_await std::move(list);
  if (!names) co_return std::move(names).error();
  for (const std::string& name : *names) {
    const std::string entry = repo.common_dir + "/worktrees/" + name;
    auto read = ReadSmall(core, entry + "/gitdir", kMostOfGitFile);
    auto back = co_await std::move(read);
    if (!back || FirstLine(*back) != path + "/.git") continue;
    if (of_path == entry) co_return false;
    auto work = core.seams.files.RemoveTree(entry);
    auto remove = OnDisk(core.seams.clock, std::move(work), "remove '" + entry + "'");
    auto removed = co_await std::move(remove);
    if (!removed) co_return std::move(removed).error();
  }
  co_return true;
}

// A git that was killed as it made or took out an entry leaves a part, which no git knows any more:
// without anything in its "gitdir". git names an entry after the directory of its worktree, with a
// number behind where that is taken.
Task<Status> TakeOutRemains(Core& core, Repository repo, std::string path) {
  const std::string base = path.substr(path.rfind('/') + 1);
  auto list = EntryNames(core, repo);
  auto names = co_await std::move(list);
  if (!names) co_return std::move(names).error();
  for (const std::string& name : *names) {
    if (!name.starts_with(base) || name.find_first_not_of("0123456789", base.size()) != name.npos) {
      continue;
    }
    const std::string entry = repo.common_dir + "/worktrees/" + name;
    auto read = ReadSmall(core, entry + "/gitdir", kMostOfGitFile);
    auto back = co_await std::move(read);
    if (!back) co_return std::move(back).error();
    if (!back->empty()) continue;
    auto work = core.seams.files.RemoveTree(entry);
    auto remove = OnDisk(core.seams.clock, std::move(work), "remove '" + entry + "'");
    auto removed = co_await std::move(remove);
    if (!removed) co_return std::move(removed).error();
  }
  co_return Ok{};
}

}  // namespace

Task<Status> TakeOutEntry(Core& core, Flight& flight, SharedRepoLease lease, Repository repo,
                          std::string path) {
  auto look = LookAt(core, path);
  auto there = co_await std::move(look);
  if (!there) co_return std::move(there).error();
  bool out = false;
  if (there->type == FileType::kNone) {
    auto deregister = core.git.Deregister(flight, *lease, repo, path);
    auto gone = co_await std::move(deregister);
    out = static_cast<bool>(gone);
  }
  if (!out) {
    // Something lies there, or a git that was killed in the middle of writing the entry has left it
    // so that every later one dies of it.
    if (const Status alone = lease->Alone(); !alone) co_return alone.error();
    auto by_hand = TakeOutByHand(core, repo, path);
    auto taken = co_await std::move(by_hand);
    if (!taken) co_return std::move(taken).error();
    if (!*taken) co_return Ok{};
    auto deregister = core.git.Deregister(flight, *lease, repo, path);
    auto gone = co_await std::move(deregister);
    if (!gone) co_return std::move(gone);
  }
  auto rest = TakeOutRemains(core, repo, path);
  auto done = co_await std::move(rest);
  co_return std::move(done);
}

}  // namespace oj
