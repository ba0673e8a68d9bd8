// ProcessRunner: runs one command to its end and beyond: the call returns only when the whole
// tree of the command is dead and reaped, or says what is left of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oj/deadline.h"
#include "oj/task.h"
#include "oj/wait_queue.h"

namespace oj {

// How a tree is ended when its command is cancelled, times out or floods.
struct KillPolicy {
  bool term_first = false;  // SIGTERM, then after `grace` SIGKILL; else SIGKILL at once
  Duration grace = Duration::zero();
  Duration reap_limit = std::chrono::seconds(1);  // after SIGKILL; then the tree is quarantined
};

// Hears of the command's leader, in the loop's thread. Must outlive Run().
class ProcessObserver {
 public:
  virtual void OnStarted(int pid) = 0;
  virtual void OnEnding(int pid) = 0;  // it did not end by itself: its tree is being killed
  virtual void OnEnded(int pid) = 0;   // reaped, or given up to quarantine

 protected:
  ~ProcessObserver() = default;
};

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is a path or found on PATH; never a shell
  std::string cwd;                // empty: the daemon's
  std::vector<std::pair<std::string, std::string>> env;  // added to the inherited environment
  std::span<const char* const> unset_env;                // names taken from it; must outlive Run()
  std::size_t output_limit = 64 << 20;  // bytes of stdout and of stderr, each; more kills the tree
  // Not null: records of stdout (each ends in NUL) for which it is false are of no interest: a host
  // may drop them as they come, and then they do not count against the limit.
  bool (*keep)(std::string_view record) = nullptr;
  // Not empty: exported as OJ_LEASE, and processes that left the group are known by it and belong
  // to the tree. Empty: the tree is the process group (a tmux server may escape from it).
  std::string lease_tag;
  KillPolicy kill;
  Deadline deadline = Deadline::Never();
  ProcessObserver* observer = nullptr;
};

// A tree that could not be killed or reaped within its bound. The runner goes on trying.
struct Quarantine {
  int pid = 0;
  std::string state;  // of the process, as in /proc/<pid>/stat, such as "D"
  Event dead;         // set when the last process of the tree has been reaped
};

struct ProcessResult {
  enum class End : std::uint8_t {
    kExited,       // by itself; `status` is its exit code
    kSignaled,     // by a signal not ours; `status` is its number
    kSpawnFailed,  // it never ran; `status` is an errno
    kTimedOut,     // killed by us at `deadline`
    kCancelled,    // killed by us because the awaiter's scope was cancelled, or never started
    kFlooded,      // killed by us because of `output_limit`
  };
  End end = End::kExited;
  int status = 0;
  bool started = false;  // false: no process has run
  std::string out;
  std::string err;
  std::shared_ptr<Quarantine> quarantine;  // not null: something of the tree may be alive

  // Only what ended by itself tells anything: a killed child proves nothing, whatever its code.
  bool Succeeded() const { return end == End::kExited && status == 0 && quarantine == nullptr; }
};

// Implementations: TreeRunner (core, over a ProcessHost); mocks.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // Never throws Cancelled: a cancel kills the tree, then the result says kCancelled.
  virtual Task<ProcessResult> Run(ProcessSpec spec) = 0;
  // Goes on trying to end quarantined trees; runs until it is cancelled.
  virtual Task<void> Tend() = 0;
};

}  // namespace oj
