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
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
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

std::string LockOf(const std::string& directory) { return directory + "/lock"; }

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

// The lock goes last: what is interrupted here is a dead lab's directory still.
void Remove(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() != "lock") entries.push_back(at->path());
  }
  for (const fs::path& entry : entries) RemoveTree(entry);
  fs::remove_all(directory, error);
}

// The holder of the lock calls it.
void CleanUp(const std::string& directory) {
  HangUp(directory);
  EndStrays(directory, kKillLimit, kLabVariable);
  Remove(directory);
}

// Of the descriptors above stderr only these two stay open.
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
  CleanUp(directory);
  _exit(0);
}

enum class Lock { kNone, kFree, kHeld };

// Of a directory; free: `file` holds it from now on.
Lock TryLock(const std::string& directory, UniqueFd* file) {
  file->Reset(open(LockOf(directory).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!*file || fstat(file->get(), &info) != 0 || info.st_uid != geteuid()) return Lock::kNone;
  if (flock(file->get(), LOCK_EX | LOCK_NB) != 0) return Lock::kHeld;
  // It may have been removed, by whoever held it, since it was opened.
  struct stat named{};
  const bool same = stat(LockOf(directory).c_str(), &named) == 0 && named.st_ino == info.st_ino;
  return same ? Lock::kFree : Lock::kNone;
}

std::vector<std::string> AllLabs() {
  std::vector<std::string> all;
  std::error_code error;
  const fs::path place = fs::canonical(fs::temp_directory_path(error), error);  // as in OJ_LAB
  for (fs::directory_iterator at(place, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.starts_with(std::string(kLabName) + "-")) all.push_back(at->path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

// The file gets its name when it is locked: a lab that has a lock is never seen without its holder.
Guard::Guard(std::string directory) : directory_(std::move(directory)) {
  const std::string begun = LockOf(directory_) + ".new";
  lock_.Reset(open(begun.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock_ || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 ||
      std::rename(begun.c_str(), LockOf(directory_).c_str()) != 0) {
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

std::vector<std::string> RunningLabs() {
  std::vector<std::string> running;
  for (const std::string& each : AllLabs()) {
    UniqueFd file;
    if (TryLock(each, &file) == Lock::kHeld) running.push_back(each);
  }
  return running;
}

std::vector<std::string> RemoveDeadLabs() {
  std::vector<std::string> removed;
  for (const std::string& each : AllLabs()) {
    UniqueFd file;
    if (TryLock(each, &file) != Lock::kFree) continue;
    CleanUp(each);
    removed.push_back(each);
  }
  return removed;
}

}  // namespace oj::sim
