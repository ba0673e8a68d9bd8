#include "lab/guard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>

#include "os/strays.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// For shells and editors, which have something to put away when their terminal goes.
constexpr milliseconds kToPutAway(500);
constexpr milliseconds kKillLimit(5000);
constexpr milliseconds kLeaveLimit(10'000);
constexpr milliseconds kTurn(2);

constexpr std::size_t kNameSize = std::string_view("oj-lab-XXXXXX").size();
constexpr const char* kLock = "lock";
constexpr const char* kBegun = "lock.new";
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
// A new directory has its lock long before.
constexpr std::time_t kToLockSeconds = 60;

bool HasTerminal(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat", std::ios::binary);
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return false;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string state;
  long parent = 0, group = 0, session = 0, terminal = 0;
  return static_cast<bool>(fields >> state >> parent >> group >> session >> terminal) &&
         terminal != 0;
}

void Send(const Stray& to, int number) {
  syscall(SYS_pidfd_send_signal, to.pidfd.get(), number, nullptr, 0);
}

void HangUp(const std::string& directory) {
  std::vector<Stray> told;
  for (Stray& each : FindStrays(directory, kLabVariable)) {
    if (!HasTerminal(each.pid)) continue;
    Send(each, SIGHUP);
    Send(each, SIGCONT);
    told.push_back(std::move(each));
  }
  const auto until = std::chrono::steady_clock::now() + kToPutAway;
  const auto lives = [](const Stray& each) { return each.IsAlive(); };
  while (std::any_of(told.begin(), told.end(), lives) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kTurn);
  }
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

UniqueFd OpenDirectory(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// By its descriptor: whatever becomes of its name. The lock goes last, and only if all else has
// gone: what is left is a dead lab's directory still, for the next lab. False: something is left.
bool Remove(const std::string& directory, const UniqueFd& opened) {
  fchmod(opened.get(), S_IRWXU);
  const fs::path place = "/proc/self/fd/" + std::to_string(opened.get());
  const auto entries = [&place](std::error_code& error) {
    std::vector<fs::path> found;
    for (fs::directory_iterator at(place, error), end; !error && at != end; at.increment(error)) {
      if (at->path().filename() != kLock) found.push_back(at->path());
    }
    return found;
  };
  std::error_code error;
  for (const fs::path& entry : entries(error)) RemoveTree(entry);
  if (!entries(error).empty() || error) return false;
  unlinkat(opened.get(), kLock, 0);
  return rmdir(directory.c_str()) == 0;
}

// The holder of the lock calls it. False: something is left.
bool CleanUp(const std::string& directory, const UniqueFd& opened) {
  HangUp(directory);
  return EndStrays(directory, kKillLimit, kLabVariable).empty() && Remove(directory, opened);
}

// Of the descriptors above stderr, which is open, only these two stay open.
void CloseAllBut(int one, int other) {
  const auto low = static_cast<unsigned>(std::min(one, other));
  const auto high = static_cast<unsigned>(std::max(one, other));
  constexpr unsigned kFirst = STDERR_FILENO + 1;
  if (low > kFirst) close_range(kFirst, low - 1, 0);
  if (high > low + 1) close_range(low + 1, high - 1, 0);
  close_range(high + 1, ~0u, 0);
}

[[noreturn]] void Watch(int pipe, int lock, const std::string& directory) {
  setsid();
  prctl(PR_SET_NAME, "oj-lab-guard");
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE}) signal(number, SIG_IGN);
  if (chdir("/") != 0) _exit(1);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  CloseAllBut(pipe, lock);
  char byte = 0;
  while (read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  const bool clean = CleanUp(directory, OpenDirectory(directory));
  _exit(clean ? 0 : 1);
}

// A lab's is a directory itself, this user's, and closed to all others: what merely has such a name
// was put there by who knows whom.
UniqueFd OpenLab(const std::string& directory) {
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
Lock TryLock(const UniqueFd& lab, UniqueFd* file) {
  file->Reset(openat(lab.get(), kLock, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!*file || fstat(file->get(), &info) != 0 || info.st_uid != geteuid()) return Lock::kNone;
  if (flock(file->get(), LOCK_EX | LOCK_NB) != 0) return Lock::kHeld;
  // It may have been removed, by whoever held it, since it was opened.
  struct stat named{};
  const bool same =
      fstatat(lab.get(), kLock, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == info.st_ino;
  return same ? Lock::kFree : Lock::kNone;
}

// Of what died before it had its lock, or after it had removed it: there is nothing else in it.
bool RemoveUnlocked(const std::string& directory, const UniqueFd& opened) {
  struct stat info{};
  if (fstat(opened.get(), &info) != 0 || std::time(nullptr) - info.st_mtime < kToLockSeconds) {
    return false;
  }
  if (faccessat(opened.get(), kLock, F_OK, 0) == 0) return false;
  unlinkat(opened.get(), kBegun, 0);
  return rmdir(directory.c_str()) == 0;
}

std::vector<std::string> AllLabs() {
  std::vector<std::string> all;
  std::error_code error;
  const fs::path place = fs::canonical(fs::temp_directory_path(error), error);  // as in OJ_LAB
  for (fs::directory_iterator at(place, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    const bool named = name.starts_with(std::string(kLabName) + "-");
    if (named && name.size() == kNameSize) all.push_back(at->path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

// The file gets its name when it is locked: a lab that has a lock is never seen without its holder.
Guard::Guard(std::string directory) : directory_(std::move(directory)) {
  const std::string begun = directory_ + "/" + kBegun;
  lock_.Reset(open(begun.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock_ || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 ||
      std::rename(begun.c_str(), (directory_ + "/" + kLock).c_str()) != 0) {
    lock_.Reset();
    return;
  }
  StartGuardian();
}

Guard::~Guard() { Leave(); }

void Guard::StartGuardian() {
  int ends[2];
  guardian_ = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  guardian_ = fork();
  if (guardian_ == 0) {
    close(ends[1]);
    Watch(ends[0], lock_.get(), directory_);
  }
  close(ends[0]);
  pipe_.Reset(ends[1]);
}

bool Guard::HasEnded(int flags) {
  if (guardian_ <= 0 || waitpid(guardian_, nullptr, flags) == 0) return guardian_ <= 0;
  guardian_ = 0;
  return true;
}

void Guard::Look() {
  if (HasEnded(WNOHANG)) StartGuardian();
}

bool Guard::Leave() {
  if (!lock_) return true;
  Look();
  pipe_.Reset();
  const auto until = std::chrono::steady_clock::now() + kLeaveLimit;
  while (!HasEnded(WNOHANG) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kTurn);
  }
  lock_.Reset();
  std::error_code error;
  return !fs::exists(directory_, error);
}

bool IsRunningLab(const std::string& directory) {
  const UniqueFd lab = OpenLab(directory);
  UniqueFd file;
  return lab && TryLock(lab, &file) == Lock::kHeld;
}

std::vector<std::string> RunningLabs() {
  std::vector<std::string> all = AllLabs();
  std::erase_if(all, [](const std::string& each) { return !IsRunningLab(each); });
  return all;
}

std::vector<DeadLab> RemoveDeadLabs() {
  std::vector<DeadLab> dead;
  for (const std::string& each : AllLabs()) {
    const UniqueFd lab = OpenLab(each);
    UniqueFd file;
    const Lock lock = lab ? TryLock(lab, &file) : Lock::kHeld;
    if (lock == Lock::kFree) dead.push_back({each, CleanUp(each, lab)});
    if (lock == Lock::kNone && RemoveUnlocked(each, lab)) dead.push_back({each, true});
  }
  return dead;
}

}  // namespace oj::sim
