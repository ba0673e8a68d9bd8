// Lock files: what a git that was killed leaves behind, and every later one stumbles over.
#include "core/disk.h"
#include "core/git_client.h"
#include "core/judged.h"

namespace oj {
namespace {

// A command may meet the lock of its ref and that of the packed refs, each in turn, or one that
// somebody lets go of meanwhile. git itself waits for each (100 ms and 1 s).
constexpr int kMostLocks = 4;
// By so much a file system's clock may be behind: a tick of the kernel's.
constexpr WallMillis kClockSlack = 10;

}  // namespace

std::string LockInTheWay(std::string_view said) {
  const std::size_t at = said.find(kUnableToCreate);
  if (at == said.npos) return "";
  said.remove_prefix(at + kUnableToCreate.size());
  std::string path(said.substr(0, said.find(kFileExists)));
  const bool whole = path.size() < said.size() && path.starts_with('/') && path.ends_with(".lock");
  if (!whole || path.find("/../") != path.npos) return "";
  for (std::size_t dot; (dot = path.find("/./")) != path.npos;) path.erase(dot, 2);
  return path;
}

Task<Result<ProcessResult>> GitClient::GitThatLocks(Flight& flight, RepoLease& lease,
                                                    Repository repo,
                                                    std::vector<std::string> arguments) {
  std::string lock;
  std::string why;
  for (int locks = 0; locks < kMostLocks; ++locks) {
    auto run = Git(flight, &lease, repo.common_dir, arguments);
    auto result = co_await std::move(run);
    if (!result || result->end != ProcessResult::End::kExited) co_return std::move(result);
    lock = LockInTheWay(result->err);
    if (result->Succeeded() || lock.empty()) co_return std::move(result);
    auto clear = ClearLock(flight, lease, repo, lock);
    auto cleared = co_await std::move(clear);
    if (!cleared) co_return std::move(cleared).error();
    why = std::move(cleared->why);
    if (!why.empty() && !cleared->may_end) break;
  }
  co_return Error{ErrorCode::kBusy,
                  "git cannot change '" + repo.path + "': '" + lock + "' is in its way" +
                      (why.empty() ? "" : ", " + why) +
                      "; if no git is at work there, it is a dead one's and may be deleted",
                  R"({"retry_after_ms":1000})"};
}

Task<Result<GitClient::Holder>> GitClient::ClearLock(Flight& flight, RepoLease& lease,
                                                     Repository repo, std::string lock) {
  const std::string look_at = "look at '" + lock + "'";
  auto stat = OnDisk(clock_, files_.Stat(lock, false), look_at);
  auto info = co_await std::move(stat);
  if (!info) co_return std::move(info).error();
  const FileInfo file = *info;
  if (file.type == FileType::kNone) co_return Holder{};
  const bool in_repository = lock.starts_with(repo.common_dir + "/");
  const WallMillis made = file.modified_ns / 1'000'000;
  if (!in_repository || !lease.died_since_ || made + kClockSlack < *lease.died_since_) {
    co_return Holder{"which no git of this daemon's has left", false};
  }
  auto look = List(flight, lease, repo);
  auto listed = co_await std::move(look);
  if (!listed) co_return std::move(listed).error();
  std::vector<std::string> directories{repo.common_dir};
  for (const Worktree& each : *listed) directories.push_back(each.path);
  auto find = OnDisk(clock_, files_.FindUser("git", std::move(directories)), look_at);
  auto user = co_await std::move(find);
  if (!user) co_return std::move(user).error();
  if (*user != 0) co_return Holder{"and process " + std::to_string(*user) + " may hold it", true};
  auto remove = OnDisk(clock_, files_.RemoveTree(lock), "remove '" + lock + "'");
  auto removed = co_await std::move(remove);
  if (!removed) co_return std::move(removed).error();
  co_return Holder{};
}

}  // namespace oj
