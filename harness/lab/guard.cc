#include "lab/guard.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
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

// The holder of the lock calls it. False: something is left.
bool EndAndRemove(const std::string& directory, const UniqueFd& opened) {
  HangUp(directory);
  return EndStrays(directory, kKillLimit, kLabVariable).empty() && RemoveHeld(directory, opened);
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
  const bool clean = EndAndRemove(directory, OpenDirectory(directory));
  _exit(clean ? 0 : 1);
}

}  // namespace

Guard::Guard(std::string directory) : directory_(std::move(directory)), lock_(Hold(directory_)) {
  if (lock_) StartGuardian();
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
  std::vector<std::string> all = DirectoriesNamed(kLabName);
  std::erase_if(all, [](const std::string& each) { return !IsHeld(each); });
  return all;
}

std::vector<DeadDirectory> RemoveDeadLabs() { return CleanUpDead(kLabName, EndAndRemove); }

}  // namespace oj::sim
