// SpawnPool: starts processes on threads of its own, because the starting thread is held up until
// the new process has begun its program.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
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
  // Drops what is queued and waits for what has begun.
  ~SpawnPool();

  void Submit(std::shared_ptr<SpawnJob> job);

 private:
  void Work();
  void Start(SpawnJob& job) const;
  std::vector<std::string> Environment(const SpawnJob& job) const;

  const Done done_;
  const SpawnHooks hooks_;
  std::vector<std::string> inherited_;
  UniqueFd null_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<SpawnJob>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace oj
