#include "os/posix_process_host.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cassert>
#include <cerrno>
#include <system_error>

#include "os/posix_child.h"

namespace oj {
namespace {

using std::chrono::milliseconds;

// A start that takes longer than this to twice this holds its thread up.
constexpr Duration kStuck = milliseconds(100);
// At most one look in this time at adopted processes that belong to no tree.
constexpr Duration kStrayPause = milliseconds(100);
// For how long an adopted process whose lease cannot be read may belong to anybody. In the middle
// of an exec, which is soon over, it has no environment; of another user's process it is never
// told.
constexpr Duration kUnknownLease = milliseconds(20);
// Between two looks at what is left of an orphan's tree, and for how long.
constexpr Duration kOrphanPause = milliseconds(5);
constexpr Duration kOrphanLimit = std::chrono::seconds(1);
// How long the destructor waits for what it killed.
constexpr int kLastWaitMs = 1000;

[[noreturn]] void Throw(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

// Between the pool's threads and the loop. Outlives the host for as long as the loop has a post.
struct PosixProcessHost::Inbox {
  PosixProcessHost* host = nullptr;  // the loop's thread only; null when the host is gone
  std::mutex mutex;
  std::vector<std::shared_ptr<SpawnJob>> done;  // whoever puts in the first one posts
};

// A job and the Spawn call that wants its answer. Besides the job, the loop's thread only.
struct PosixProcessHost::Order final : SpawnJob {
  using SpawnJob::SpawnJob;
  Answer* waiter = nullptr;
  LateChild* late = nullptr;  // what was returned before the answer came
  bool wanted = true;
  bool answered = false;
};

// Waits for the answer. The first wait of an order submits it, and a cancel drops it if the gate is
// still open. If the gate was passed, the result is false: ThrowIfCancelled() is for an order that
// will never begin.
class PosixProcessHost::Answer final : public Wait {
 public:
  Answer(std::shared_ptr<Order> order, PosixProcessHost& host)
      : order_(std::move(order)), host_(host) {}
  ~Answer() override { order_->waiter = nullptr; }
  bool await_resume() const {
    if (!begun_) ThrowIfCancelled();
    return order_->answered;
  }
  void Give() noexcept { Complete(); }

 private:
  bool Start() override {
    order_->waiter = this;
    host_.Submit(order_);
    return false;
  }
  void Abandon() noexcept override {
    order_->waiter = nullptr;
    begun_ = !order_->Drop();
  }

  std::shared_ptr<Order> order_;
  PosixProcessHost& host_;
  bool begun_ = false;
};

// A Spawn call that is destroyed in mid-air still owns the process, if there is one.
class PosixProcessHost::Claim {
 public:
  Claim(PosixProcessHost& host, std::shared_ptr<Order> order)
      : host_(host), order_(std::move(order)) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() {
    order_->wanted = false;
    if (!order_->Drop() && order_->answered) host_.TakeAnswer(*order_);
  }

 private:
  PosixProcessHost& host_;
  std::shared_ptr<Order> order_;
};

// A process whose start nobody waits for any more, and of which it is not known yet whether it is
// one. Any signal is for good: it is killed as soon as it can be.
class PosixProcessHost::LateChild final : public ChildProcess {
 public:
  LateChild(PosixProcessHost& host, std::shared_ptr<Order> order, std::unique_ptr<Claim> claim,
            std::size_t output_limit)
      : host_(host), order_(std::move(order)), claim_(std::move(claim)), limit_(output_limit) {
    order_->late = this;
  }
  ~LateChild() override { order_->late = nullptr; }

  // Without a watch, HasEnded() still tells.
  void OnAnswer() {
    if (order_->error == 0) {
      child_ = std::make_unique<PosixChild>(host_, *order_, limit_, nullptr);
      static_cast<void>(child_->Watch());
      if (killed_) child_->Send(Signal::kKill);
    }
    answered_.Set();
  }

  int pid() const override { return child_ ? child_->pid() : StartingPid(*order_); }
  Task<void> LeaderEnded() override { return AfterAnswer(&ChildProcess::LeaderEnded); }
  bool HasEnded() override { return answered_.is_set() && (!child_ || child_->HasEnded()); }
  Task<void> EndedOrFlooded() override { return AfterAnswer(&ChildProcess::EndedOrFlooded); }
  bool Flooded() const override { return child_ && child_->Flooded(); }
  Task<void> OutputClosed() override { return AfterAnswer(&ChildProcess::OutputClosed); }
  std::string TakeOut() override { return child_ ? child_->TakeOut() : std::string(); }
  std::string TakeErr() override { return child_ ? child_->TakeErr() : std::string(); }
  void Send(Signal signal) override {
    killed_ = true;
    if (child_) return child_->Send(signal);
    KillStarting(*order_);
  }
  Survivors Sweep() override { return child_ ? child_->Sweep() : Survivors{}; }
  ExitStatus Reap() override { return child_ ? child_->Reap() : ExitStatus{true, SIGKILL}; }
  std::string State() const override { return child_ ? child_->State() : "starting"; }

 private:
  Task<void> AfterAnswer(Task<void> (ChildProcess::*wait)()) {
    auto answer = answered_.WaitSet();
    co_await std::move(answer);
    if (child_ == nullptr) co_return;
    auto rest = (child_.get()->*wait)();
    co_await std::move(rest);
  }

  PosixProcessHost& host_;
  std::shared_ptr<Order> order_;
  std::unique_ptr<Claim> claim_;
  const std::size_t limit_;
  std::unique_ptr<PosixChild> child_;
  bool killed_ = false;
  Event answered_;
};

// Looks after the pool while it is at work.
class PosixProcessHost::StuckThreads final : private Timer {
 public:
  explicit StuckThreads(PosixProcessHost& host) : host_(host) {}
  void Watch() {
    if (!armed()) host_.loop_.Arm(*this, Deadline::After(host_.loop_.Now(), kStuck));
  }

 private:
  void OnDue() noexcept override {
    if (host_.pool_->ReplaceStuck()) Watch();
  }
  PosixProcessHost& host_;
};

// A process that nobody waits for: killed with its tree, and reaped when all of it has ended.
class PosixProcessHost::Orphan final : public SocketPoller::Watcher, private Timer {
 public:
  Orphan(PosixProcessHost& host, pid_t pid, UniqueFd pidfd, std::string lease_tag)
      : host_(host), pid_(pid), pidfd_(std::move(pidfd)), lease_tag_(std::move(lease_tag)) {
    // Without a watch it waits for the host's destructor.
    host_.poller_->Watch(pidfd_.get(), *this, EPOLLIN | EPOLLET);
  }
  ~Orphan() override { host_.poller_->Forget(pidfd_.get()); }

  void OnEvents(std::uint32_t) noexcept override {
    if (!HasEnded(pid_) || limit_) return;
    limit_ = Deadline::After(host_.loop_.Now(), kOrphanLimit);
    Look();
  }
  // Kills what is left of the tree and reaps the leader. False: that lives.
  bool End() {
    if (!HasEnded(pid_)) return false;
    Kill();
    TryReap(pid_, nullptr);
    return true;
  }
  int pidfd() const { return pidfd_.get(); }

 private:
  void OnDue() noexcept override { Look(); }
  void Look() {
    const Instant now = host_.loop_.Now();
    if (host_.FindSurvivors(pid_, lease_tag_).count > 0 && !limit_->PassedAt(now)) {
      Kill();
      host_.loop_.Arm(*this, Deadline::After(now, kOrphanPause));
    } else if (End()) {
      host_.RemoveOrphan(*this);
    }
  }
  void Kill() {
    kill(-pid_, SIGKILL);
    if (!lease_tag_.empty()) host_.SignalEscapees(pid_, lease_tag_, SIGKILL);
  }

  PosixProcessHost& host_;
  pid_t pid_;
  UniqueFd pidfd_;
  std::string lease_tag_;
  std::optional<Deadline> limit_;  // set when the leader has ended
};

// SIGCHLD tells that some child has died, perhaps an adopted one that belongs to no tree. It stays
// pending until the look, so that many deaths cost one wake-up.
class PosixProcessHost::ChildSignals final : public SocketPoller::Watcher, private Timer {
 public:
  explicit ChildSignals(PosixProcessHost& host) : host_(host) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    // Ignored (it may be inherited so), children would vanish unreaped and without a status.
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR) Throw("signal");
    if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) Throw("pthread_sigmask");
    fd_.Reset(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd_ || host_.poller_->Watch(fd_.get(), *this, EPOLLIN | EPOLLET) != 0) Throw("signalfd");
  }
  ~ChildSignals() override { host_.poller_->Forget(fd_.get()); }

  void OnEvents(std::uint32_t) noexcept override {
    if (!armed()) host_.loop_.Arm(*this, Deadline::After(host_.loop_.Now(), kStrayPause));
  }

 private:
  void OnDue() noexcept override {
    signalfd_siginfo info;
    while (read(fd_.get(), &info, sizeof info) > 0) {
    }
    host_.LookAtAdopted();
  }

  PosixProcessHost& host_;
  UniqueFd fd_;
};

PosixProcessHost::PosixProcessHost(AsioLoop& loop, int spawn_threads, SpawnHooks hooks)
    : loop_(loop), poller_(SocketPoller::Create(loop.io())), inbox_(std::make_shared<Inbox>()) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) Throw("prctl");
  child_signals_ = std::make_unique<ChildSignals>(*this);
  inbox_->host = this;
  auto done = [inbox = inbox_, &io = loop.io()](std::shared_ptr<SpawnJob> job) {
    const std::lock_guard lock(inbox->mutex);
    inbox->done.push_back(std::move(job));
    if (inbox->done.size() > 1) return;
    boost::asio::post(io, [inbox] {
      if (inbox->host != nullptr) inbox->host->TakeAnswers();
    });
  };
  pool_ = std::make_unique<SpawnPool>(spawn_threads, std::move(done), std::move(hooks));
  stuck_threads_ = std::make_unique<StuckThreads>(*this);
}

PosixProcessHost::~PosixProcessHost() {
  stuck_threads_.reset();
  pool_.reset();
  TakeAnswers();
  inbox_->host = nullptr;
  const Deadline limit = Deadline::After(loop_.Now(), milliseconds(kLastWaitMs));
  for (const auto& orphan : orphans_) {
    do {
      pollfd ended{orphan->pidfd(), POLLIN, 0};
      poll(&ended, 1, static_cast<int>(Millis(limit.LeftAt(loop_.Now()))));
    } while (!orphan->End() && !limit.PassedAt(loop_.Now()));
  }
  orphans_.clear();
  LookAtAdopted();
}

Task<std::unique_ptr<ChildProcess>> PosixProcessHost::Spawn(const ProcessSpec& spec,
                                                            SpawnFailure* failure) {
  auto order = std::make_shared<Order>(spec);
  const std::size_t output_limit = spec.output_limit;
  const OutputPipe::Keep keep = spec.keep;
  auto claim = std::make_unique<Claim>(*this, order);
  Answer answer(order, *this);
  const bool answered = co_await answer;
  if (!answered) {
    // Cancelled after the gate: the process is the caller's to kill, as soon as there is one.
    co_return std::make_unique<LateChild>(*this, std::move(order), std::move(claim), output_limit);
  }
  failure->error = order->error;
  if (order->error != 0) co_return nullptr;
  auto child = std::make_unique<PosixChild>(*this, *order, output_limit, keep);
  failure->error = child->Watch();
  if (failure->error != 0) co_return nullptr;
  co_return std::move(child);
}

void PosixProcessHost::Submit(std::shared_ptr<Order> order) {
  pool_->Submit(std::move(order));
  stuck_threads_->Watch();
}

void PosixProcessHost::TakeAnswers() {
  std::vector<std::shared_ptr<SpawnJob>> done;
  {
    const std::lock_guard lock(inbox_->mutex);
    done.swap(inbox_->done);
  }
  for (const auto& job : done) TakeAnswer(static_cast<Order&>(*job));
}

void PosixProcessHost::TakeAnswer(Order& order) {
  order.answered = true;
  if (order.waiter != nullptr) {
    std::exchange(order.waiter, nullptr)->Give();
  } else if (order.late != nullptr) {
    order.late->OnAnswer();
  } else if (!order.wanted && order.pidfd) {
    Abandon(order.pid, std::move(order.pidfd), order.lease_tag);
  }
}

void PosixProcessHost::Abandon(pid_t pid, UniqueFd pidfd, std::string lease_tag) {
  kill(-pid, SIGKILL);
  orphans_.push_back(std::make_unique<Orphan>(*this, pid, std::move(pidfd), std::move(lease_tag)));
}

void PosixProcessHost::RemoveOrphan(Orphan& orphan) {
  std::erase_if(orphans_, [&orphan](const auto& each) { return each.get() == &orphan; });
}

// Leaders are not in the list: they are children of the pool's threads. So nothing that is reaped
// here pins a group that somebody may still signal.
void PosixProcessHost::LookAtAdopted() {
  adopted_list_.Read(adopted_pids_);
  const Instant now = adopted_pids_.empty() ? Instant() : loop_.Now();
  std::vector<Adopted> alive;
  for (const pid_t pid : adopted_pids_) {
    if (TryReap(pid, nullptr)) continue;
    const auto known = std::ranges::find(adopted_, pid, &Adopted::pid);
    Adopted each = known != adopted_.end() ? std::move(*known) : Adopted{pid, now, std::nullopt};
    if (!each.lease) each.lease = LeaseOf(pid);
    if (!each.lease && now - each.since > kUnknownLease) each.lease = std::string();
    alive.push_back(std::move(each));
  }
  adopted_ = std::move(alive);
}

bool PosixProcessHost::Belongs(const Adopted& adopted, pid_t group,
                               const std::string& lease_tag) const {
  if (!lease_tag.empty() && adopted.lease.value_or(lease_tag) == lease_tag) return true;
  return getpgid(adopted.pid) == group;
}

void PosixProcessHost::SignalEscapees(pid_t group, const std::string& lease_tag, int signal) const {
  for (const Adopted& each : adopted_) {
    if (each.lease == lease_tag && getpgid(each.pid) != group) kill(each.pid, signal);
  }
}

Survivors PosixProcessHost::FindSurvivors(pid_t group, const std::string& lease_tag) {
  LookAtAdopted();
  Survivors found;
  for (const Adopted& each : adopted_) {
    if (!Belongs(each, group, lease_tag)) continue;
    if (found.count++ > 0) continue;
    found.pid = each.pid;
    found.state = ProcessState(each.pid);
  }
  return found;
}

}  // namespace oj
