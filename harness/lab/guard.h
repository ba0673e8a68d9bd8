// Guard: what makes a lab leave nothing behind, whatever way it is left.
//
// A lab is a directory with the name oj-lab-XXXXXX in the place for temporary files. Its file
// `lock` is locked as long as the lab or its guardian lives. All that is started in it has
// OJ_LAB=DIRECTORY in its environment, and that is how it is found: a tool that has left its group
// and its session, a daemon that `oj` has started, a program in the real tmux.
//
// The guardian is a process in a session of its own that does nothing but wait for the end of a
// pipe whose other end only the lab has. Whether the lab leaves or dies, by whatever signal: the
// guardian then ends all of that and removes the directory. There is no other way of cleaning up;
// a guardian that dies is replaced, and what is left when both die at once (or the machine) is
// cleaned by the next lab.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "os/unique_fd.h"
#include "scenario/held_directory.h"

namespace oj::sim {

inline constexpr const char* kLabName = "oj-lab";
inline constexpr const char* kLabVariable = "OJ_LAB";

class Guard {
 public:
  // Locks the directory, which is empty, and starts the guardian. Forks: no threads before it.
  // stdin, stdout and stderr are open.
  explicit Guard(std::string directory);
  // Leaves.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // Whether the directory is its own to remove.
  bool has_lock() const { return static_cast<bool>(lock_); }
  bool ok() const { return has_lock() && guardian_ > 0; }
  // Looks whether the guardian lives, and starts another one if it does not.
  void Look();
  // Ends and removes everything; waits for it, some seconds at most. False: something is left, and
  // the lock with it.
  bool Leave();

 private:
  void StartGuardian();
  bool HasEnded(int flags);

  std::string directory_;
  UniqueFd lock_;
  UniqueFd pipe_;  // at its end the guardian acts
  pid_t guardian_ = 0;
};

// Directories of the labs of this user's that run.
std::vector<std::string> RunningLabs();
// Cleans up after those that have died together with their guardians.
std::vector<DeadDirectory> RemoveDeadLabs();

}  // namespace oj::sim
