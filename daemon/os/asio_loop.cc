#include "os/asio_loop.h"

#include <sys/timerfd.h>
#include <time.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace oj {
namespace {

using boost::asio::posix::stream_descriptor;

// Turns that strands may take before the descriptors are looked at, and handlers that may run
// before the strands are: whoever is always ready must not starve the others.
constexpr int kBatch = 128;

Duration ReadClock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);  // fails only for an unknown clock
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

int OpenTimer() {
  const int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  return fd;
}

class RootStrand final : public Strand {
 public:
  RootStrand(Executor& executor, Task<void> main)
      : Strand(executor, executor.NextStrandId()), scope_(nullptr), main_(std::move(main)) {
    main_.handle().promise().strand = this;
    main_.handle().promise().scope = &scope_;
    start_.handle = main_.handle();
    Post(start_);
  }
  bool ended() const { return ended_; }
  void RethrowFailure() { main_.handle().promise().Take(); }

 private:
  void OnDone() override { ended_ = true; }

  CancelScope scope_;
  Wake start_;
  Task<void> main_;
  bool ended_ = false;
};

}  // namespace

// Hint 1: one thread runs, others may post.
AsioLoop::AsioLoop() : io_(1), work_(io_.get_executor()), alarm_(io_, OpenTimer()) {}

AsioLoop::~AsioLoop() = default;

Instant AsioLoop::Now() const { return Instant(ReadClock(CLOCK_BOOTTIME)); }

WallMillis AsioLoop::WallNow() const {
  return std::chrono::floor<std::chrono::milliseconds>(ReadClock(CLOCK_REALTIME)).count();
}

void AsioLoop::OnReady(Strand& strand) noexcept { ready_.PushBack(strand); }

void AsioLoop::Run(Task<void> main) {
  RootStrand root(*this, std::move(main));
  for (;;) {
    const bool more = RunReady();
    if (root.ended()) break;
    FireTimers();
    if (more || !ready_.empty()) {
      for (int events = 0; events < kBatch && io_.poll_one() > 0; ++events) {
      }
    } else {
      SetAlarm();
      io_.run_one();
    }
  }
  root.RethrowFailure();
}

// True: strands were left ready.
bool AsioLoop::RunReady() {
  for (int turns = 0; turns < kBatch; ++turns) {
    if (ready_.empty()) return false;
    Strand& strand = ready_.PopFront();
    if (!strand.ready()) continue;
    // Back in the queue before it runs: afterwards it may be gone, which takes it out again. One
    // that has nothing more to run is dropped at its next turn.
    ready_.PushBack(strand);
    strand.RunOne();
  }
  return true;
}

void AsioLoop::FireTimers() {
  if (timers_.Earliest() == nullptr) return;
  const Instant now = Now();
  while (Timer* timer = timers_.PopDue(now)) timer->OnDue();
}

// The alarm is moved only to an earlier time: a timer that is disarmed (nearly all are) costs one
// idle wake-up at most, not two system calls each.
void AsioLoop::SetAlarm() {
  const Timer* earliest = timers_.Earliest();
  if (earliest == nullptr || earliest->due() >= alarm_due_) return;
  const Duration due = std::max(earliest->due().time_since_epoch(), Duration(1));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(due);
  itimerspec spec{};
  spec.it_value.tv_sec = seconds.count();
  spec.it_value.tv_nsec = (due - seconds).count();
  // Clears an expiry that was not read. It fails only for a time out of range.
  timerfd_settime(alarm_.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr);
  alarm_due_ = earliest->due();
  if (!alarm_waits_) WaitForAlarm();
}

void AsioLoop::WaitForAlarm() {
  alarm_waits_ = true;
  alarm_.async_wait(stream_descriptor::wait_read, [this](const boost::system::error_code&) {
    alarm_waits_ = false;
    alarm_due_ = Instant::max();
  });
}

}  // namespace oj
