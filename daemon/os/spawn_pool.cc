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
#include <cstdlib>
#include <system_error>

namespace oj {
namespace {

constexpr std::string_view kLease = "OJ_LEASE";

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

SpawnPool::SpawnPool(int threads, Done done, SpawnHooks hooks)
    : done_(std::move(done)),
      hooks_(std::move(hooks)),
      inherited_(InheritedEnvironment()),
      null_(OpenNull()) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

SpawnPool::~SpawnPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& job : queue_) job->Drop();
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void SpawnPool::Submit(std::shared_ptr<SpawnJob> job) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void SpawnPool::Work() {
  while (true) {
    std::shared_ptr<SpawnJob> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    if (hooks_.before_gate) hooks_.before_gate();
    if (!job->Begin()) continue;
    if (hooks_.after_gate) hooks_.after_gate();
    Start(*job);
    done_(std::move(job));
  }
}

std::vector<std::string> SpawnPool::Environment(const SpawnJob& job) const {
  const auto replaced = [&job](std::string_view name) {
    const auto set = [name](const auto& entry) { return entry.first == name; };
    return std::ranges::find(job.unset_env, name) != job.unset_env.end() ||
           std::ranges::any_of(job.env, set);
  };
  std::vector<std::string> entries;
  entries.reserve(inherited_.size() + job.env.size() + 1);
  if (!job.lease_tag.empty()) entries.push_back(std::string(kLease) + '=' + job.lease_tag);
  for (const auto& [name, value] : job.env) entries.push_back(name + '=' + value);
  for (const std::string& entry : inherited_) {
    if (!replaced(NameOf(entry))) entries.push_back(entry);
  }
  return entries;
}

void SpawnPool::Start(SpawnJob& job) const {
  static const Attributes attributes;
  Pipe out;
  Pipe err;
  FileActions actions;
  job.error = job.argv.empty() ? EINVAL : OpenPipe(out);
  if (job.error == 0) job.error = OpenPipe(err);
  if (job.error == 0) {
    job.error = actions.Set(null_.get(), out.write.get(), err.write.get(), job.cwd);
  }
  if (job.error != 0) return;

  const std::vector<std::string> environment = Environment(job);
  const std::vector<char*> argv = Pointers(job.argv);
  const std::vector<char*> envp = Pointers(environment);
  // Since glibc 2.15 a file that is no program is ENOEXEC, not a script for /bin/sh.
  job.error =
      posix_spawnp(&job.pid, argv[0], actions.get(), attributes.get(), argv.data(), envp.data());
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
