#include "os/strays.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>

#include "os/proc_fs.h"

namespace oj {
namespace {

constexpr auto kLook = std::chrono::milliseconds(2);

bool HasTag(pid_t pid, const std::string& prefix) {
  const auto lease = LeaseOf(pid);
  return lease && lease->starts_with(prefix);
}

// Those that are alive; what is found now is held by its pidfd, whatever becomes of the pid.
std::vector<Stray> Find(const std::string& prefix) {
  std::vector<Stray> strays;
  struct Close {
    void operator()(DIR* directory) const { closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> proc(opendir("/proc"));
  if (!proc) return strays;
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    const auto [at, error] = std::from_chars(entry->d_name, end, pid);
    if (error != std::errc() || at != end || pid == getpid() || !HasTag(pid, prefix)) continue;
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    // Between the two looks the pid cannot have changed hands.
    if (pidfd && HasTag(pid, prefix)) strays.push_back(Stray{pid, std::move(pidfd)});
  }
  return strays;
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

std::vector<Stray> EndStrays(const std::string& prefix, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  // Looks again until there are none: one that was found may have forked meanwhile.
  while (true) {
    std::vector<Stray> strays = Find(prefix);
    if (strays.empty()) return {};
    for (const Stray& each : strays) {
      syscall(SYS_pidfd_send_signal, each.pidfd.get(), SIGKILL, nullptr, 0);
    }
    if (std::chrono::steady_clock::now() >= until) return strays;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace oj
