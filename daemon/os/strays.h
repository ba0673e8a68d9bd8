// Strays: processes that a daemon left behind when it was killed. They carry its leases' tag, and
// the next daemon of the same state directory ends them before it hands any key out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.h"

namespace oj {

// The beginning of all tags of daemons with this state directory (an absolute path).
std::string LeasePrefix(const std::string& state_directory);

struct Stray {
  pid_t pid;
  UniqueFd pidfd;
  // Whatever becomes of the pid.
  bool IsAlive() const;
};

// Kills all processes but this one whose tag begins with `prefix`, and waits for their end. Blocks,
// `limit` at most; returns those that are alive even then. The tag is the value of `variable` in
// the environment with which a process was started.
std::vector<Stray> EndStrays(const std::string& prefix, std::chrono::milliseconds limit,
                             std::string_view variable = "OJ_LEASE");

// Those that are alive now, held by their pidfds.
std::vector<Stray> FindStrays(const std::string& prefix, std::string_view variable);

}  // namespace oj
