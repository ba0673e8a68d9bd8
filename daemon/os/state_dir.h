// StateDir: the daemon's place on the machine, one daemon each: the directory, daemon.pid with its
// lock, the path of daemon.sock. No other dependencies: the client uses it too.
#pragma once

#include <memory>
#include <string>

#include "oj/error.h"
#include "os/unique_fd.h"

namespace oj {

// `flag` if it is not empty, else $OJ_STATE_DIR, else $XDG_STATE_HOME/oj, else
// $HOME/.local/state/oj. Error (kInvalidRequest): none of them is set.
Result<std::string> StateDirPath(const std::string& flag);
inline std::string SocketPath(const std::string& directory) { return directory + "/daemon.sock"; }
inline std::string PidFilePath(const std::string& directory) { return directory + "/daemon.pid"; }

// Makes the directory (0700) where it is missing, with its parents. Error (kUnavailable): names the
// directory; it is a link, another user's, or writable by others, and is left as it is. One that
// others could only read is closed to them.
Status PrepareStateDir(const std::string& directory);

class StateDir {
 public:
  // Prepares the directory, locks daemon.pid, writes our pid into it and removes the socket file
  // that a dead daemon left. Error: kConflict names the pid of the daemon that holds it, and
  // nothing was touched; kUnavailable names what is wrong.
  static Result<std::unique_ptr<StateDir>> Acquire(const std::string& directory);
  // Removes daemon.pid and gives up the lock. The socket is its listener's, and must be closed
  // before.
  ~StateDir();

  const std::string& path() const { return path_; }
  std::string socket() const { return SocketPath(path_); }
  std::string database() const { return path_ + "/state.db"; }

 private:
  StateDir(std::string path, UniqueFd pid_file);
  std::string path_;
  UniqueFd pid_file_;  // holds the lock
};

}  // namespace oj
