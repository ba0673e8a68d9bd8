// PosixProcessHost: processes of the operating system. A pool of threads starts them; the loop
// watches them through pidfds and pipes. Only here and in its neighbours are pids known, and a pid
// is used only while its process cannot have been reaped.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oj/process_host.h"
#include "os/asio_loop.h"
#include "os/proc_fs.h"
#include "os/socket_poller.h"
#include "os/spawn_pool.h"

namespace oj {

class PosixChild;

// One in a process, constructed on the main thread before any other thread is started: it makes the
// process a child subreaper, and blocks SIGCHLD for good. Outlives its children and the tasks that
// wait here; destroyed when the loop has stopped. The destructor kills what was left unreaped and
// waits for it, for a second at most.
//
// A program that lies on a dead network disk holds up one of the pool's threads for as long as the
// kernel does. Spawn waits for it as long as its scope lets it; then it returns a child that is
// still "starting", which can be killed and waited for like any other.
//
// SpawnFailure::error is ENOTDIR if the directory to start in is missing, not ENOENT.
class PosixProcessHost final : public ProcessHost {
 public:
  // Throws std::system_error when descriptors have run out.
  explicit PosixProcessHost(AsioLoop& loop, int spawn_threads = 2, SpawnHooks hooks = {});
  ~PosixProcessHost() override;
  PosixProcessHost(const PosixProcessHost&) = delete;
  PosixProcessHost& operator=(const PosixProcessHost&) = delete;

  Task<std::unique_ptr<ChildProcess>> Spawn(const ProcessSpec& spec,
                                            SpawnFailure* failure) override;

 private:
  friend class PosixChild;
  struct Inbox;
  struct Order;
  class Answer;
  class Claim;
  class LateChild;
  class StuckThreads;
  class Orphan;
  class ChildSignals;

  // A process that became ours when its parent died: it may be a member of a tree or escaped from
  // one, or be nobody's, such as a tmux server.
  struct Adopted {
    pid_t pid;
    Instant since;                     // when it was first seen
    std::optional<std::string> lease;  // nothing: not known yet
  };

  void Submit(std::shared_ptr<Order> order);
  void TakeAnswers();
  void TakeAnswer(Order& order);
  // Kills the group, and reaps its leader when it has ended.
  void Abandon(pid_t pid, UniqueFd pidfd, std::string lease_tag);
  void RemoveOrphan(Orphan& orphan);
  // Reaps all adopted processes that have died, whosesoever they were, and learns of new ones.
  void LookAtAdopted();
  bool Belongs(const Adopted& adopted, pid_t group, const std::string& lease_tag) const;
  // To the members of a tree that have been adopted and left its group.
  void SignalEscapees(pid_t group, const std::string& lease_tag, int signal) const;
  Survivors FindSurvivors(pid_t group, const std::string& lease_tag);

  AsioLoop& loop_;
  std::shared_ptr<SocketPoller> poller_;
  AdoptedList adopted_list_;
  std::vector<pid_t> adopted_pids_;
  std::vector<Adopted> adopted_;
  std::unique_ptr<ChildSignals> child_signals_;
  std::vector<std::unique_ptr<Orphan>> orphans_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<SpawnPool> pool_;
  std::unique_ptr<StuckThreads> stuck_threads_;
};

}  // namespace oj
