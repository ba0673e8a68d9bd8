#include "os/posix_child.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>

#include "os/posix_process_host.h"

namespace oj {
namespace {

// Reads in one turn of the loop; a child that writes without end must not hold it up.
constexpr int kReadsPerTurn = 4;

// 1: it has ended; 0: it has not; -1: it is no child of ours.
int Look(pid_t pid, int options, siginfo_t& info) {
  info = siginfo_t{};
  int result = 0;
  do {
    result = waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | options);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return -1;
  return info.si_pid == pid ? 1 : 0;
}

}  // namespace

bool HasEnded(pid_t pid) {
  siginfo_t info;
  return Look(pid, WNOWAIT, info) != 0;
}

bool TryReap(pid_t pid, ExitStatus* status) {
  siginfo_t info;
  if (Look(pid, 0, info) != 1) return false;
  if (status != nullptr) *status = ExitStatus{info.si_code != CLD_EXITED, info.si_status};
  return true;
}

// Edge-triggered: a pipe's end is told once, and a pipe is always read until it is empty.
int OutputPipe::Watch() { return poller_.Watch(fd_.get(), *this, EPOLLIN | EPOLLET); }

void OutputPipe::OnEvents(std::uint32_t events) noexcept {
  if (!fd_ || flooded_) return;
  if ((events & EPOLLIN) == 0) {
    Close();  // empty, and nobody writes any more
  } else if (Read()) {
    poller_.Watch(fd_.get(), *this, EPOLLIN | EPOLLET);  // tells again what is there already
  }
  if (!fd_ || flooded_) owner_.OnOutput();
}

bool OutputPipe::Read() {
  std::array<char, 65536> buffer;
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    const ssize_t n = read(fd_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
      Close();
      return false;
    }
    text_.append(buffer.data(), static_cast<std::size_t>(n));
    if (keep_ != nullptr) DropRecords();
    flooded_ = text_.size() > limit_;
    text_.resize(std::min(text_.size(), limit_));
    if (flooded_) return false;
  }
  return true;
}

void OutputPipe::DropRecords() {
  std::size_t from = kept_;
  for (std::size_t end; (end = text_.find('\0', from)) != std::string::npos; from = end + 1) {
    if (!keep_(std::string_view(text_).substr(from, end - from))) continue;
    std::copy(text_.begin() + static_cast<std::ptrdiff_t>(from),
              text_.begin() + static_cast<std::ptrdiff_t>(end + 1),
              text_.begin() + static_cast<std::ptrdiff_t>(kept_));
    kept_ += end + 1 - from;
  }
  text_.erase(kept_, from - kept_);
}

std::string OutputPipe::Take() {
  if (fd_ && !flooded_) Read();
  Close();
  return std::move(text_);
}

void OutputPipe::Close() {
  if (!fd_) return;
  poller_.Forget(fd_.get());
  fd_.Reset();
}

PosixChild::PosixChild(PosixProcessHost& host, SpawnJob& job, std::size_t output_limit,
                       OutputPipe::Keep keep)
    : host_(host),
      pid_(job.pid),
      lease_tag_(job.lease_tag),
      pidfd_(std::move(job.pidfd)),
      out_(*host.poller_, *this, std::move(job.out), output_limit, keep),
      err_(*host.poller_, *this, std::move(job.err), output_limit, nullptr) {}

PosixChild::~PosixChild() {
  host_.poller_->Forget(pidfd_.get());
  if (!reaped_) host_.Abandon(pid_, std::move(pidfd_), lease_tag_);
}

int PosixChild::Watch() {
  int error = host_.poller_->Watch(pidfd_.get(), *this, EPOLLIN | EPOLLET);
  if (error == 0) error = out_.Watch();
  if (error == 0) error = err_.Watch();
  return error;
}

Task<void> PosixChild::LeaderEnded() { return ended_.WaitSet(); }

Task<void> PosixChild::EndedOrFlooded() { return ended_or_flooded_.WaitSet(); }

Task<void> PosixChild::OutputClosed() { return output_closed_.WaitSet(); }

bool PosixChild::HasEnded() {
  if (!ended_.is_set() && oj::HasEnded(pid_)) {
    ended_.Set();
    ended_or_flooded_.Set();
  }
  return ended_.is_set();
}

// A pidfd may wake without cause: HasEnded() looks.
void PosixChild::OnEvents(std::uint32_t) noexcept { HasEnded(); }

void PosixChild::OnOutput() noexcept {
  if (Flooded()) ended_or_flooded_.Set();
  if (out_.closed() && err_.closed()) output_closed_.Set();
}

std::string PosixChild::TakeOut() {
  std::string text = out_.Take();
  OnOutput();
  return text;
}

std::string PosixChild::TakeErr() {
  std::string text = err_.Take();
  OnOutput();
  return text;
}

void PosixChild::Send(Signal signal) {
  if (reaped_) return;
  const int number = signal == Signal::kTerm ? SIGTERM : SIGKILL;
  // The unreaped leader pins the group. Failure (EPERM: all members belong to another user) shows
  // as survivors.
  kill(-pid_, number);
  if (!lease_tag_.empty()) host_.SignalEscapees(pid_, lease_tag_, number);
}

Survivors PosixChild::Sweep() { return host_.FindSurvivors(pid_, lease_tag_); }

ExitStatus PosixChild::Reap() {
  assert(!reaped_ && "reaped twice");
  reaped_ = true;
  host_.poller_->Forget(pidfd_.get());
  pidfd_.Reset();
  // If somebody else has reaped it nobody knows how it ended: not well, then.
  ExitStatus status{true, SIGKILL};
  TryReap(pid_, &status);
  return status;
}

std::string PosixChild::State() const { return reaped_ ? std::string() : ProcessState(pid_); }

}  // namespace oj
