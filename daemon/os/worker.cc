#include "os/worker.h"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace oj {
namespace {

constexpr std::chrono::seconds kFinish(5);

}  // namespace

struct Worker::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> jobs;
  AsioLoop* loop = nullptr;  // null: the Worker has gone, nobody waits
  bool stopping = false;
  bool ended = false;
};

Worker::Worker(AsioLoop& loop) : shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  // Signals are the loop's: the thread begins with all of them blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([shared = shared_] { RunThread(shared); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  thread.detach();
}

Worker::~Worker() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, kFinish, [this] { return shared_->ended; });
  shared_->loop = nullptr;
}

void Worker::Begin(std::shared_ptr<Job> job) {
  const std::lock_guard lock(shared_->mutex);
  shared_->jobs.push_back(std::move(job));
  shared_->changed.notify_all();
}

void Worker::RunThread(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->stopping || !shared->jobs.empty(); });
    if (shared->jobs.empty()) break;
    std::shared_ptr<Job> job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    lock.unlock();
    job->Run();
    lock.lock();
    if (shared->loop == nullptr) continue;
    boost::asio::post(shared->loop->io(), [job = std::move(job)] {
      if (job->waiter != nullptr) job->waiter->Finish();
    });
  }
  shared->ended = true;
  shared->changed.notify_all();
}

}  // namespace oj
