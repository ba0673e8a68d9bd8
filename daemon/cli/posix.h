// Descriptors, time and waiting, as far as the client needs them.
#pragma once

#include <string>

#include "oj/deadline.h"
#include "os/unique_fd.h"

namespace oj::cli {

// CLOCK_BOOTTIME: a limit is over after a night with the lid closed.
Instant Now();

// The environment variable, "" where it is unset.
std::string Variable(const char* name);

// "No such file or directory".
std::string ErrnoText(int error);

struct Ready {
  short events = 0;          // what poll() reported for the descriptor; 0: the deadline passed
  bool interrupted = false;  // wins over events
};

// Waits until `fd` (-1: nothing) is ready for `events`, the deadline passes, or `interrupt_fd`
// (-1: never) becomes readable.
Ready AwaitFd(int fd, short events, Deadline deadline, int interrupt_fd);

// Waits until the process behind the pidfd has ended.
Ready AwaitExit(int pidfd, Deadline deadline, int interrupt_fd);

// A pidfd, close-on-exec; none where the process has gone.
UniqueFd OpenPidfd(int pid);

}  // namespace oj::cli
