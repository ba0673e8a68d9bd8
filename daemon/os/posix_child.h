// PosixChild: one started process, its pidfd and its two pipes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "oj/process_host.h"
#include "oj/wait_queue.h"
#include "os/socket_poller.h"
#include "os/spawn_pool.h"
#include "os/unique_fd.h"

namespace oj {

class PosixProcessHost;

// Whether the child has ended; leaves it to be reaped. Never blocks. True also if it is no child of
// ours: a wait for it would have no end.
bool HasEnded(pid_t pid);
// Reaps the process if it has ended. Never blocks.
bool TryReap(pid_t pid, ExitStatus* status);

// The read end of a child's output. Tells when it has closed itself or overflowed.
class OutputPipe final : private SocketPoller::Watcher {
 public:
  class Owner {
   public:
    virtual void OnOutput() noexcept = 0;

   protected:
    ~Owner() = default;
  };

  // `keep`: as ProcessSpec has it.
  using Keep = bool (*)(std::string_view record);
  OutputPipe(SocketPoller& poller, Owner& owner, UniqueFd fd, std::size_t limit, Keep keep)
      : poller_(poller), owner_(owner), fd_(std::move(fd)), limit_(limit), keep_(keep) {}
  ~OutputPipe() { Close(); }

  int Watch();  // 0 or an errno
  bool closed() const { return !fd_; }
  bool flooded() const { return flooded_; }
  // What was read, and what can be read now, up to the limit; closes the pipe.
  std::string Take();

 private:
  void OnEvents(std::uint32_t events) noexcept override;
  // True: there may be more, after many reads.
  bool Read();
  // Drops what is not to be kept of the records that are whole.
  void DropRecords();
  void Close();

  SocketPoller& poller_;
  Owner& owner_;
  UniqueFd fd_;
  std::size_t limit_;
  Keep keep_;
  std::size_t kept_ = 0;  // so much of the text has been looked through
  std::string text_;
  bool flooded_ = false;
};

class PosixChild final : public ChildProcess,
                         private OutputPipe::Owner,
                         private SocketPoller::Watcher {
 public:
  PosixChild(PosixProcessHost& host, SpawnJob& job, std::size_t output_limit,
             OutputPipe::Keep keep);
  ~PosixChild() override;
  // Begins to watch. 0 or an errno.
  int Watch();

  int pid() const override { return pid_; }
  Task<void> LeaderEnded() override;
  bool HasEnded() override;
  Task<void> EndedOrFlooded() override;
  bool Flooded() const override { return out_.flooded() || err_.flooded(); }
  Task<void> OutputClosed() override;
  std::string TakeOut() override;
  std::string TakeErr() override;
  void Send(Signal signal) override;
  Survivors Sweep() override;
  ExitStatus Reap() override;
  std::string State() const override;

 private:
  void OnEvents(std::uint32_t events) noexcept override;
  void OnOutput() noexcept override;

  PosixProcessHost& host_;
  const pid_t pid_;
  const std::string lease_tag_;
  UniqueFd pidfd_;
  OutputPipe out_;
  OutputPipe err_;
  bool reaped_ = false;
  Event ended_;
  Event ended_or_flooded_;
  Event output_closed_;
};

}  // namespace oj
