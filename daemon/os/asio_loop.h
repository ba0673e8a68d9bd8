// AsioLoop: the production executor and clock, on one boost::asio::io_context and one thread.
// Others enter only through boost::asio::post(loop.io(), ...).
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "oj/cancel.h"
#include "oj/clock.h"
#include "oj/task.h"

namespace oj {

// Outlives everything that waits on it: strands, timers, descriptors. The constructor throws
// std::system_error when descriptors have run out.
class AsioLoop final : public Executor, public Clock {
 public:
  AsioLoop();
  ~AsioLoop();
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  boost::asio::io_context& io() { return io_; }
  Instant Now() const override;  // CLOCK_BOOTTIME
  WallMillis WallNow() const override;
  void OnReady(Strand& strand) noexcept override;

  // Runs `main` as the root task, in a root scope, until it has ended; rethrows its failure.
  // A cancel of `main`'s scope is the task's own business (signals go through a seam of the main).
  // May be called again once it has returned.
  void Run(Task<void> main);

 private:
  bool RunReady();
  void FireTimers();
  void SetAlarm();
  void WaitForAlarm();

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  // A timerfd on CLOCK_BOOTTIME: Asio's own timers are on CLOCK_MONOTONIC and would ring late by
  // the length of a suspend.
  boost::asio::posix::stream_descriptor alarm_;
  Instant alarm_due_ = Instant::max();  // when it rings; never later than the earliest timer
  bool alarm_waits_ = false;
  HookList<Strand, ExecutorTag> ready_;
};

}  // namespace oj
