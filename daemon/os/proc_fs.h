// What /proc tells about processes. Everything here is a snapshot; a pid means something only as
// long as its process is known not to have been reaped.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.h"

namespace oj {

// The letter of the process's state, such as "D"; empty if there is no such process.
std::string ProcessState(pid_t pid);

// The child of this process's thread that still runs this process's own program: the thread has
// begun to start it and waits for its exec. 0: there is none.
pid_t StartingChild(pid_t thread);

// The value of a variable in the environment with which the process was started; empty: it has
// none. Nothing if it cannot be read (another user's process, a dead one), or not at this moment:
// in the middle of an exec a process has no environment.
std::optional<std::string> VariableOf(pid_t pid, std::string_view name);
inline std::optional<std::string> LeaseOf(pid_t pid) { return VariableOf(pid, "OJ_LEASE"); }

// It is alive, and its environment can be read, or will be.
bool MayHaveVariables(pid_t pid);

// A process of `program` (or "program-...") whose working directory or an open file is in one of
// the directories, or that cannot be looked at; 0: there is none.
pid_t FindUserOf(const std::vector<std::string>& directories, std::string_view program);

// The processes that this one has adopted as their subreaper: the kernel gives them to the main
// thread.
class AdoptedList {
 public:
  // Throws std::system_error if the kernel has no list of children, or descriptors have run out.
  AdoptedList();
  // Replaces `out` by their pids, the dead included. One system call where they are few.
  void Read(std::vector<pid_t>& out) const;

 private:
  UniqueFd file_;
};

}  // namespace oj
