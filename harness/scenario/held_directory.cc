#include "scenario/held_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBegun = "lock.new";
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr std::size_t kUnique = std::string_view("-XXXXXX").size();
// A new directory has its lock long before.
constexpr std::time_t kToLockSeconds = 60;

// It is a directory itself, this user's, and closed to all others: what merely has such a name was
// put there by who knows whom.
UniqueFd OpenOwn(const std::string& directory) {
  UniqueFd opened = OpenDirectory(directory);
  struct stat info{};
  if (!opened || fstat(opened.get(), &info) != 0 || info.st_uid != geteuid() ||
      (info.st_mode & kOthers) != 0) {
    opened.Reset();
  }
  return opened;
}

enum class Lock { kNone, kFree, kHeld };

// Free: `file` holds it from now on.
Lock TryLock(const UniqueFd& directory, UniqueFd* file) {
  file->Reset(openat(directory.get(), kLockName, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!*file || fstat(file->get(), &info) != 0 || info.st_uid != geteuid()) return Lock::kNone;
  if (flock(file->get(), LOCK_EX | LOCK_NB) != 0) return Lock::kHeld;
  // It may have been removed, by whoever held it, since it was opened.
  struct stat named{};
  const bool same = fstatat(directory.get(), kLockName, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                    named.st_ino == info.st_ino;
  return same ? Lock::kFree : Lock::kNone;
}

// Also of directories that are closed to their owner.
void RemoveTree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    const bool directory = at->is_directory(ignored) && !at->is_symlink(ignored);
    if (directory) fs::permissions(at->path(), fs::perms::owner_all, ignored);
  }
  fs::permissions(path, fs::perms::owner_all, error);
  fs::remove_all(path, error);
}

// Of what died before it had its lock, or after it had removed it: there is nothing else in it.
bool RemoveUnlocked(const std::string& path, const UniqueFd& opened) {
  struct stat info{};
  if (fstat(opened.get(), &info) != 0 || std::time(nullptr) - info.st_mtime < kToLockSeconds) {
    return false;
  }
  if (faccessat(opened.get(), kLockName, F_OK, 0) == 0) return false;
  unlinkat(opened.get(), kBegun, 0);
  return rmdir(path.c_str()) == 0;
}

}  // namespace

// The file gets its name when it is locked: a lock is never seen without its holder.
UniqueFd Hold(const std::string& directory) {
  if (directory.empty()) return {};
  const std::string begun = directory + "/" + kBegun;
  UniqueFd lock(open(begun.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0 ||
      std::rename(begun.c_str(), (directory + "/" + kLockName).c_str()) != 0) {
    lock.Reset();
  }
  return lock;
}

UniqueFd OpenDirectory(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool RemoveHeld(const std::string& path, const UniqueFd& opened) {
  fchmod(opened.get(), S_IRWXU);
  const fs::path place = "/proc/self/fd/" + std::to_string(opened.get());
  const auto entries = [&place](std::error_code& error) {
    std::vector<fs::path> found;
    for (fs::directory_iterator at(place, error), end; !error && at != end; at.increment(error)) {
      if (at->path().filename() != kLockName) found.push_back(at->path());
    }
    return found;
  };
  std::error_code error;
  for (const fs::path& entry : entries(error)) RemoveTree(entry);
  if (!entries(error).empty() || error) return false;
  unlinkat(opened.get(), kLockName, 0);
  return rmdir(path.c_str()) == 0;
}

bool IsHeld(const std::string& directory) {
  const UniqueFd opened = OpenOwn(directory);
  UniqueFd file;
  return opened && TryLock(opened, &file) == Lock::kHeld;
}

std::vector<std::string> DirectoriesNamed(std::string_view name) {
  std::vector<std::string> all;
  std::error_code error;
  const fs::path place = fs::canonical(fs::temp_directory_path(error), error);
  const std::string prefix = std::string(name) + "-";
  for (fs::directory_iterator at(place, error), end; !error && at != end; at.increment(error)) {
    const std::string file = at->path().filename();
    if (file.starts_with(prefix) && file.size() == name.size() + kUnique) all.push_back(at->path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<DeadDirectory> CleanUpDead(std::string_view name, const CleanUp& clean_up) {
  std::vector<DeadDirectory> dead;
  for (const std::string& each : DirectoriesNamed(name)) {
    const UniqueFd opened = OpenOwn(each);
    UniqueFd file;
    const Lock lock = opened ? TryLock(opened, &file) : Lock::kHeld;
    if (lock == Lock::kFree) dead.push_back({each, clean_up(each, opened)});
    if (lock == Lock::kNone && RemoveUnlocked(each, opened)) dead.push_back({each, true});
  }
  return dead;
}

}  // namespace oj::sim
