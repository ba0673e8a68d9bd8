// SpawnPool: starts processes on threads of its own, because the starting thread is held up until
// the new process has begun its program.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "oj/process_runner.h"
#include "os/unique_fd.h"

namespace oj {

// One process to be started, and the gate before it: whoever comes first, the pool with Begin() or
// the loop with Drop(), decides whether it ever is.
class SpawnJob {
 public:
  explicit SpawnJob(const ProcessSpec& spec);

  bool Begin() { return Move(State::kStarting); }
  bool Drop() { return Move(State::kDropped); }

  const std::vector<std::string> argv;
  const std::string cwd;
  const std::vector<std::pair<std::string, std::string>> env;
  const std::vector<std::string> unset_env;
  const std::string lease_tag;
  // The pool's thread that waits for the process to begin its program; 0 before and after.
  std::atomic<pid_t> thread = 0;

  // Written by the pool's thread, and the loop's once the job was handed back. Either an errno, or
  // a process which is not reaped and of which nothing is closed by forgetting the job but its
  // descriptors.
  int error = 0;
  pid_t pid = 0;
  UniqueFd pidfd;
  UniqueFd out;  // non-blocking
  UniqueFd err;

 private:
  enum class State { kQueued, kStarting, kDropped };
  bool Move(State to) {
    State from = State::kQueued;
    return state_.compare_exchange_strong(from, to);
  }
  std::atomic<State> state_ = State::kQueued;
};

// The process that is being started, while it has not begun its program; 0: there is none. As long
// as the kernel cannot read the program, there it stays.
pid_t StartingPid(const SpawnJob& job);
// Kills that process, if there is one. The kernel lets go of its start with it, but from an
// uninterruptible sleep.
void KillStarting(const SpawnJob& job);

// For tests of the gate: called on the pool's thread right before and right after it.
struct SpawnHooks {
  std::function<void()> before_gate;
  std::function<void()> after_gate;
};

class SpawnPool {
 public:
  using Done = std::function<void(std::shared_ptr<SpawnJob>)>;

  // `done` is called on a thread of the pool for each job that was begun. The environment that
  // processes inherit is the one of now.
  SpawnPool(int threads, Done done, SpawnHooks hooks);
  // Drops what is queued, and kills what has not begun its program yet. Waits for the threads, for
  // a second at most: one that the kernel holds on to is left behind, and calls nobody any more.
  ~SpawnPool();
  SpawnPool(const SpawnPool&) = delete;
  SpawnPool& operator=(const SpawnPool&) = delete;

  void Submit(std::shared_ptr<SpawnJob> job);
  // Starts the threads that are missing, and one in the place of each that was at work on the same
  // job at the last look already, up to kMostStuck of them; beyond, jobs stay queued. False: no job
  // is queued or being started, there is nothing to look after.
  bool ReplaceStuck();

  static constexpr int kMostStuck = 8;

 private:
  struct Shared;
  void StartThread();
  static void Work(Shared& shared);
  static void Start(const Shared& shared, SpawnJob& job);
  static std::vector<std::string> Environment(const Shared& shared, const SpawnJob& job);

  const int wanted_;
  std::shared_ptr<Shared> shared_;  // with its threads
};

}  // namespace oj
