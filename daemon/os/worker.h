// Worker: a thread beside the loop for calls that block: fsync, a dead network disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "oj/task.h"
#include "os/asio_loop.h"
#include "os/slot_wait.h"

namespace oj {

// Jobs run one at a time, in order. What was begun is carried out whether or not anybody still
// waits for it. Jobs own what they use: the thread may outlive the Worker.
class Worker {
 public:
  explicit Worker(AsioLoop& loop);
  // Lets the thread finish what it was given, for five seconds at most: a disk that never answers
  // must not hold up the end of the daemon. Then it is left behind.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs `job` on the thread and gives its value, which must be movable; it must not throw.
  // Cancelled: nobody waits any more, but the job is carried out, unless the scope was cancelled
  // before the call.
  template <class T>
  Task<T> Call(std::function<T()> job) {
    auto call = std::make_shared<CallState<T>>();
    call->job = std::move(job);
    Done done(*this, call);
    co_await done;
    co_return std::move(*call->value);
  }

 private:
  // Shared by the awaiter, the thread and the loop; whoever is last frees it.
  struct Job {
    virtual ~Job() = default;
    virtual void Run() = 0;      // on the thread
    SlotWait* waiter = nullptr;  // on the loop: null if it has gone
  };
  template <class T>
  struct CallState final : Job {
    void Run() override {
      value.emplace(job());
      job = nullptr;
    }
    std::function<T()> job;
    std::optional<T> value;
  };
  class Done final : public SlotWait {
   public:
    Done(Worker& worker, std::shared_ptr<Job> job) : worker_(worker), job_(std::move(job)) {}
    // Members go before the base: the slot is in the job.
    ~Done() override { Leave(); }

   private:
    bool Start() override {
      Enter(job_->waiter);
      worker_.Begin(job_);
      return false;
    }
    Worker& worker_;
    std::shared_ptr<Job> job_;
  };
  struct Shared;

  void Begin(std::shared_ptr<Job> job);
  static void RunThread(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace oj
