#include "os/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "os/proc_fs.h"

namespace oj {
namespace {

constexpr auto kLook = std::chrono::milliseconds(2);

// Hands each pid out at the moment at which the kernel comes to it, in rising order: what a process
// starts that ends meanwhile is met later. readdir would hand out what was there at the beginning.
class Pids {
 public:
  Pids() : proc_(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  // 0: there are no more.
  pid_t Next() {
    while (proc_) {
      ssize_t size = getdents64(proc_.get(), entry_, kOnePid);
      if (size < 0 && errno == EINVAL) size = getdents64(proc_.get(), entry_, sizeof(entry_));
      if (size <= 0) break;
      const auto* entry = reinterpret_cast<const dirent64*>(entry_);
      const char* end = entry->d_name + std::strlen(entry->d_name);
      pid_t pid = 0;
      const auto [last, error] = std::from_chars(entry->d_name, end, pid);
      if (error == std::errc() && last == end) return pid;
    }
    return 0;
  }

 private:
  UniqueFd proc_;
  static constexpr std::size_t kOnePid = 40;  // room for one, not for two
  alignas(dirent64) char entry_[sizeof(dirent64)];
};

struct Found {
  // Alive; held by their pidfds, whatever becomes of the pids.
  std::vector<Stray> strays;
  bool all = true;  // of no process it is unknown whether it is one
};

Found Find(const std::string& prefix, std::string_view variable) {
  Found found;
  Pids pids;
  while (const pid_t pid = pids.Next()) {
    if (pid == getpid()) continue;
    const auto tag = VariableOf(pid, variable);
    if (!tag && MayHaveVariables(pid)) found.all = false;
    if (!tag || !tag->starts_with(prefix)) continue;
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    // Between the two looks the pid cannot have changed hands.
    const auto still = VariableOf(pid, variable);
    if (!still) found.all = false;
    if (pidfd && still && still->starts_with(prefix)) {
      found.strays.push_back(Stray{pid, std::move(pidfd)});
    }
  }
  return found;
}

}  // namespace

// FNV-1a: the same in every build.
std::string LeasePrefix(const std::string& state_directory) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : state_directory) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[hash >> shift & 15];
  return text + "-";
}

bool Stray::IsAlive() const {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return poll(&ended, 1, 0) == 0;
}

std::vector<Stray> EndStrays(const std::string& prefix, std::chrono::milliseconds limit,
                             std::string_view variable) {
  const auto until = std::chrono::steady_clock::now() + limit;
  // What is killed has no tag any more while it dies, and may still hold its files.
  std::vector<Stray> dying;
  // Looks again until there are none: one that was found may have forked meanwhile.
  while (true) {
    Found found = Find(prefix, variable);
    std::erase_if(dying, [](const Stray& each) { return !each.IsAlive(); });
    for (Stray& each : found.strays) {
      if (std::ranges::find(dying, each.pid, &Stray::pid) != dying.end()) continue;
      syscall(SYS_pidfd_send_signal, each.pidfd.get(), SIGKILL, nullptr, 0);
      dying.push_back(std::move(each));
    }
    if (dying.empty() && found.all) return {};
    if (std::chrono::steady_clock::now() >= until) return dying;
    std::this_thread::sleep_for(kLook);
  }
}

std::vector<Stray> FindStrays(const std::string& prefix, std::string_view variable) {
  return Find(prefix, variable).strays;
}

}  // namespace oj
