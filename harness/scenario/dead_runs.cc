#include "scenario/dead_runs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "os/strays.h"
#include "scenario/twin_world.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLimit(5);

constexpr const char* kLock = "lock";

// Whoever made it does not hold it any more. Anybody can make one of that name, or a link.
bool IsDead(const std::string& directory) {
  const UniqueFd own(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!own || fstat(own.get(), &info) != 0 || info.st_uid != geteuid()) return false;
  const UniqueFd file(openat(own.get(), kLock, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  return file && flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

// The file gets its name when it is locked: nobody sees it without its holder.
void RunLock::Take(const std::string& directory) {
  if (directory.empty()) return;
  const std::string lock = directory + "/" + kLock;
  const std::string begun = lock + ".new";
  file_.Reset(open(begun.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file_ && flock(file_.get(), LOCK_EX | LOCK_NB) == 0) {
    std::rename(begun.c_str(), lock.c_str());
  }
}

void EndAllIn(const std::string& directory) { EndStrays(directory + "/", kLimit, "OJ_STATE_DIR"); }

void RemoveDeadRuns() {
  std::error_code error;
  std::vector<std::string> dead;
  const fs::path place = fs::canonical(fs::temp_directory_path(error), error);
  for (fs::directory_iterator at(place, error), end; !error && at != end; at.increment(error)) {
    const bool named = at->path().filename().string().starts_with(std::string(kRunName) + "-");
    if (named && IsDead(at->path())) dead.push_back(at->path());
  }
  for (const std::string& each : dead) {
    EndAllIn(each);
    fs::remove_all(each, error);
  }
}

}  // namespace oj::sim
