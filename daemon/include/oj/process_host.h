// ProcessHost: what an operating system offers to a ProcessRunner, as primitives: start a process
// group, watch it, signal it, reap it. The order in which they are used, the kill sequence, is the
// runner's and the same in production and in simulation.
#pragma once

#include <memory>
#include <string>

#include "oj/error.h"
#include "oj/process_runner.h"
#include "oj/task.h"

namespace oj {

enum class Signal : std::uint8_t { kTerm, kKill };

struct ExitStatus {
  bool signaled = false;
  int value = 0;  // exit code or signal number
};

// Processes of the tree besides the leader that are still alive.
struct Survivors {
  int count = 0;
  int pid = 0;        // of one of them
  std::string state;  // its state
};

// A started process that leads a process group of its own. stdin is empty, stdout and stderr are
// read by the host as they come, up to the limit. Destroying it before Reap() closes the pipes,
// kills the group and leaves the reaping to the host.
class ChildProcess {
 public:
  virtual ~ChildProcess() = default;
  virtual int pid() const = 0;

  // Waits until the leader has ended. It is not reaped: its zombie pins pid and group id, so that
  // the group can be signalled without hitting a stranger. Level-triggered; throws Cancelled.
  virtual Task<void> LeaderEnded() = 0;
  virtual bool HasEnded() = 0;
  // Waits until the leader has ended or the output limit is exceeded.
  virtual Task<void> EndedOrFlooded() = 0;
  virtual bool Flooded() const = 0;
  // Waits until both pipes have reached end of file (a grandchild may hold them for ever).
  virtual Task<void> OutputClosed() = 0;
  // What was read, cut at the limit; closes the pipes.
  virtual std::string TakeOut() = 0;
  virtual std::string TakeErr() = 0;

  // To the group, and with a lease tag to all known escapees.
  virtual void Send(Signal signal) = 0;
  // Reaps the dead members of the tree except the leader; tells who is left.
  virtual Survivors Sweep() = 0;
  // Reaps the leader, which must have ended. From now on pid and group id belong to nobody.
  virtual ExitStatus Reap() = 0;
  // The state letter of the leader, "D" where it cannot be killed just now.
  virtual std::string State() const = 0;
};

struct SpawnFailure {
  int error = 0;  // errno
};

// Implementations: PosixProcessHost (os), SimProcessHost (simulation).
class ProcessHost {
 public:
  virtual ~ProcessHost() = default;
  // Starts spec.argv. If the awaiter's scope is cancelled before the process has begun to start,
  // nothing is started and Cancelled is thrown; once it has begun, the child is returned whether
  // or not a cancel came meanwhile. Null with *failure set: it could not be started.
  virtual Task<std::unique_ptr<ChildProcess>> Spawn(const ProcessSpec& spec,
                                                    SpawnFailure* failure) = 0;
};

}  // namespace oj
