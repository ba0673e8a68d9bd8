#include "cli/posix.h"

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <system_error>

namespace oj::cli {
namespace {

// Rounded up, so that a wait never ends just before its deadline and spins.
int PollMillis(Deadline deadline) {
  if (deadline.never()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.LeftAt(Now()));
  return static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000'000));
}

}  // namespace

Instant Now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string ErrnoText(int error) { return std::generic_category().message(error); }

Ready AwaitFd(int fd, short events, Deadline deadline, int interrupt_fd) {
  for (;;) {
    std::array<pollfd, 2> fds = {{{fd, events, 0}, {interrupt_fd, POLLIN, 0}}};
    // A signal that interrupts poll() also makes interrupt_fd readable: look again.
    if (poll(fds.data(), fds.size(), PollMillis(deadline)) < 0) continue;
    if (fds[1].revents != 0) return {0, true};
    if (fds[0].revents != 0) return {fds[0].revents, false};
    if (deadline.PassedAt(Now())) return {};
  }
}

Ready AwaitExit(int pidfd, Deadline deadline, int interrupt_fd) {
  return AwaitFd(pidfd, POLLIN, deadline, interrupt_fd);
}

UniqueFd OpenPidfd(int pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace oj::cli
