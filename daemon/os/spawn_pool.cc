#include "os/spawn_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <list>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

#include "os/proc_fs.h"

namespace oj {
namespace {

constexpr std::string_view kLease = "OJ_LEASE";
// How often, and how long each time, the destructor waits for its threads.
constexpr int kLastLooks = 50;
constexpr std::chrono::milliseconds kLastPause(20);

std::string_view NameOf(std::string_view entry) { return entry.substr(0, entry.find('=')); }

std::vector<std::string> InheritedEnvironment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    // The lease of whatever started the daemon is not one of its own.
    if (NameOf(*entry) != kLease) entries.emplace_back(*entry);
  }
  return entries;
}

// A descriptor of /dev/null. Also makes sure that 0, 1 and 2 are taken, so that none of the
// daemon's own descriptors is where a child's standard streams go.
UniqueFd OpenNull() {
  while (true) {
    const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "/dev/null");
    if (fd > STDERR_FILENO) return UniqueFd(fd);
  }
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// 0 or an errno. Only the read end is non-blocking: the other belongs to the child.
int OpenPipe(Pipe& pipe) {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return errno;
  pipe.read.Reset(fds[0]);
  pipe.write.Reset(fds[1]);
  return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

// What is done in the child before its program begins.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  // 0 or an errno: these allocate.
  int Set(int in, int out, int err, const std::string& cwd) {
    int error = posix_spawn_file_actions_adddup2(&actions_, in, STDIN_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    if (error == 0 && !cwd.empty()) {
      error = posix_spawn_file_actions_addchdir_np(&actions_, cwd.c_str());
    }
    return error;
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// A group of its own; no signal blocked, none ignored.
class Attributes {
 public:
  Attributes() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& each : strings) pointers.push_back(const_cast<char*>(each.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Ends a process that nobody can watch.
void KillAndReap(pid_t pid) {
  kill(-pid, SIGKILL);
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

}  // namespace

SpawnJob::SpawnJob(const ProcessSpec& spec)
    : argv(spec.argv),
      cwd(spec.cwd),
      env(spec.env),
      unset_env(spec.unset_env.begin(), spec.unset_env.end()),
      lease_tag(spec.lease_tag) {}

pid_t StartingPid(const SpawnJob& job) {
  const pid_t thread = job.thread;
  return thread == 0 ? 0 : StartingChild(thread);
}

void KillStarting(const SpawnJob& job) {
  const pid_t pid = StartingPid(job);
  if (pid == 0) return;
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  // Still the same, so the descriptor leads to it and not to a later owner of the pid.
  if (!pidfd || StartingPid(job) != pid) return;
  syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

struct SpawnPool::Shared {
  Shared(Done call, SpawnHooks tests)
      : done(std::move(call)),
        hooks(std::move(tests)),
        inherited(InheritedEnvironment()),
        null(OpenNull()) {}

  struct Busy {
    std::shared_ptr<SpawnJob> job;
    bool looked_at = false;  // by ReplaceStuck
  };

  const Done done;
  const SpawnHooks hooks;
  const std::vector<std::string> inherited;
  const UniqueFd null;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<SpawnJob>> queue;
  std::list<Busy> busy;
  int threads = 0;
  bool stopping = false;
  bool left_behind = false;  // nobody hears `done` any more
};

SpawnPool::SpawnPool(int threads, Done done, SpawnHooks hooks)
    : wanted_(threads), shared_(std::make_shared<Shared>(std::move(done), std::move(hooks))) {
  for (int i = 0; i < threads; ++i) StartThread();
}

SpawnPool::~SpawnPool() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  for (const auto& job : shared_->queue) job->Drop();
  shared_->queue.clear();
  shared_->changed.notify_all();
  const auto ended = [this] { return shared_->threads == 0; };
  for (int look = 0; look < kLastLooks && !ended(); ++look) {
    if (shared_->changed.wait_for(lock, kLastPause, ended)) break;
    for (const Shared::Busy& each : shared_->busy) KillStarting(*each.job);
  }
  shared_->left_behind = true;
}

void SpawnPool::StartThread() {
  // Signals are the loop's: the thread begins with all of them blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const std::lock_guard lock(shared_->mutex);
  try {
    std::thread([shared = shared_] { Work(*shared); }).detach();
    ++shared_->threads;
  } catch (const std::system_error&) {
    // None can be had now: ReplaceStuck tries again as long as a job waits.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void SpawnPool::Submit(std::shared_ptr<SpawnJob> job) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->queue.push_back(std::move(job));
  }
  shared_->changed.notify_one();
}

bool SpawnPool::ReplaceStuck() {
  int stuck = 0;
  int missing = 0;
  bool at_work = false;
  {
    const std::lock_guard lock(shared_->mutex);
    for (Shared::Busy& each : shared_->busy) {
      stuck += each.looked_at;
      each.looked_at = true;
    }
    missing = wanted_ + std::min(stuck, kMostStuck) - shared_->threads;
    at_work = !shared_->busy.empty() || !shared_->queue.empty();
  }
  for (; missing > 0; --missing) StartThread();
  return at_work;
}

// A thread never ends while the daemon runs: the processes that it has started are its children,
// and would be taken for adopted ones if they came to the main thread.
void SpawnPool::Work(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  while (true) {
    shared.changed.wait(lock, [&] { return shared.stopping || !shared.queue.empty(); });
    if (shared.stopping) break;
    std::shared_ptr<SpawnJob> job = std::move(shared.queue.front());
    shared.queue.pop_front();
    const auto busy = shared.busy.insert(shared.busy.end(), {job});
    lock.unlock();
    if (shared.hooks.before_gate) shared.hooks.before_gate();
    const bool begun = job->Begin();
    if (begun) {
      if (shared.hooks.after_gate) shared.hooks.after_gate();
      Start(shared, *job);
    }
    lock.lock();
    shared.busy.erase(busy);
    if (begun && !shared.left_behind) {
      shared.done(std::move(job));
    } else if (begun && job->pidfd) {
      KillAndReap(job->pid);
    }
  }
  --shared.threads;
  shared.changed.notify_all();
}

std::vector<std::string> SpawnPool::Environment(const Shared& shared, const SpawnJob& job) {
  const auto replaced = [&job](std::string_view name) {
    const auto set = [name](const auto& entry) { return entry.first == name; };
    return std::ranges::find(job.unset_env, name) != job.unset_env.end() ||
           std::ranges::any_of(job.env, set);
  };
  std::vector<std::string> entries;
  entries.reserve(shared.inherited.size() + job.env.size() + 1);
  if (!job.lease_tag.empty()) entries.push_back(std::string(kLease) + '=' + job.lease_tag);
  for (const auto& [name, value] : job.env) entries.push_back(name + '=' + value);
  for (const std::string& entry : shared.inherited) {
    if (!replaced(NameOf(entry))) entries.push_back(entry);
  }
  return entries;
}

void SpawnPool::Start(const Shared& shared, SpawnJob& job) {
  static const Attributes attributes;
  Pipe out;
  Pipe err;
  FileActions actions;
  job.error = job.argv.empty() ? EINVAL : OpenPipe(out);
  if (job.error == 0) job.error = OpenPipe(err);
  if (job.error == 0) {
    job.error = actions.Set(shared.null.get(), out.write.get(), err.write.get(), job.cwd);
  }
  if (job.error != 0) return;

  const std::vector<std::string> environment = Environment(shared, job);
  const std::vector<char*> argv = Pointers(job.argv);
  const std::vector<char*> envp = Pointers(environment);
  job.thread = gettid();
  // Since glibc 2.15 a file that is no program is ENOEXEC, not a script for /bin/sh.
  job.error =
      posix_spawnp(&job.pid, argv[0], actions.get(), attributes.get(), argv.data(), envp.data());
  job.thread = 0;
  if (job.error != 0) {
    // Not to be taken for a missing tool.
    const bool no_cwd = !job.cwd.empty() && access(job.cwd.c_str(), X_OK) != 0;
    if (job.error == ENOENT && no_cwd) job.error = ENOTDIR;
    return;
  }
  // The process is not reaped before this is known, so its pid is its own.
  job.pidfd.Reset(static_cast<int>(syscall(SYS_pidfd_open, job.pid, 0)));
  if (!job.pidfd) {
    job.error = errno;
    KillAndReap(job.pid);
    return;
  }
  job.out = std::move(out.read);
  job.err = std::move(err.read);
}

}  // namespace oj
