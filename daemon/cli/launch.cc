#include "cli/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

#include "cli/client.h"
#include "cli/progress_meter.h"
#include "cli/render.h"
#include "os/state_dir.h"

extern char** environ;

namespace oj::cli {
namespace {

namespace fs = std::filesystem;

constexpr Duration kPause = std::chrono::milliseconds(10);

bool IsProgram(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

std::string FindProgram(const Environment& environment) {
  if (!environment.daemon_program.empty()) return environment.daemon_program;
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error && IsProgram(self.parent_path() / "ojd")) return self.parent_path() / "ojd";
  std::istringstream path(Variable("PATH"));
  for (std::string directory; std::getline(path, directory, ':');) {
    // A relative entry would be looked up from "/" by the child.
    if (!directory.starts_with('/')) continue;
    if (IsProgram(fs::path(directory) / "ojd")) return fs::path(directory) / "ojd";
  }
  return {};
}

// posix_spawn's attributes and file actions, destroyed with it.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  // A session of its own, no descriptor of ours, default signals, and no directory kept busy.
  void Detach(int log) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(
        &attributes_,
        static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, log, 1);
    posix_spawn_file_actions_adddup2(&actions_, log, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    posix_spawn_file_actions_addchdir_np(&actions_, "/");
  }
  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

// The ojd that this process has started.
struct Child {
  std::string program;
  pid_t pid = 0;
  off_t log_begin = 0;  // where its output begins in the log
  bool ended = false;
  int status = 0;  // of waitpid()

  void Look() {
    if (!ended && waitpid(pid, &status, WNOHANG) == pid) ended = true;
  }
};

Outcome<Child> Spawn(const Settings& settings, const Environment& environment) {
  Child child;
  child.program = FindProgram(environment);
  if (child.program.empty()) {
    return Failure{kExitError, "cannot find ojd, neither beside oj nor on PATH",
                   "put ojd beside oj, or its directory on PATH"};
  }
  if (const Status prepared = PrepareStateDir(settings.state_dir); !prepared) {
    return Failure{kExitError, prepared.error().message,
                   "choose another one with --state-dir or OJ_STATE_DIR"};
  }
  const UniqueFd log(open(settings.LogFile().c_str(),
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log) {
    return Failure{kExitError, "cannot open " + settings.LogFile() + ": " + ErrnoText(errno)};
  }
  child.log_begin = std::max<off_t>(0, lseek(log.get(), 0, SEEK_END));
  SpawnSetup setup;
  setup.Detach(log.get());
  std::string state_dir = settings.state_dir;
  std::string flag = "--state-dir";
  std::vector<char*> argv = {child.program.data(), flag.data(), state_dir.data(), nullptr};
  const int error = posix_spawn(&child.pid, child.program.c_str(), setup.actions(),
                                setup.attributes(), argv.data(), environ);
  if (error != 0) {
    return Failure{kExitError, "cannot start " + child.program + ": " + ErrnoText(error)};
  }
  return child;
}

// The last line that the child wrote to the log, or "".
std::string LastWords(const Settings& settings, off_t from) {
  std::ifstream log(settings.LogFile());
  log.seekg(from);
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) last = line;
  }
  return OneLine(last);
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

Failure DidNotStart(const Settings& settings, const Child& child) {
  const std::string words = LastWords(settings, child.log_begin);
  return {kExitError,
          "ojd did not start (" + HowItEnded(child.status) + ")" +
              (words.empty() ? ", and said nothing" : ": " + words),
          "it was " + child.program + "; its log is " + settings.LogFile()};
}

Failure NotReady(const Settings& settings, int pid, const std::string& what) {
  const std::string who = pid > 0 ? "ojd (pid " + std::to_string(pid) + ") " : "ojd ";
  return {kExitTimedOut, who + what + " within " + settings.connect.Text(),
          "its log may say why: `oj daemon logs`"};
}

// Asks the daemon on the socket whether it answers.
ClientResult<Started> TryPing(const Settings& settings, Deadline deadline, int interrupt_fd,
                              ProgressMeter& meter) {
  auto connection = Connection::Open(settings.Socket(), deadline, interrupt_fd);
  if (!connection) return connection.error();
  const auto limit = std::max<std::int64_t>(1, Millis(deadline.LeftAt(Now())));
  const std::string ping = R"({"type":"Ping","timeout_ms":)" + std::to_string(limit) + "}";
  Meanwhile meanwhile;
  if (meter.bar()) meanwhile.tick = [&meter] { meter.Tick(); };
  auto reply = connection->Call(ping, deadline, settings.config.max_reply_bytes, meanwhile);
  if (!reply) return reply.error();
  const int holder = PidFileHolder(settings.PidFile());
  return Started{holder > 0 ? holder : connection->peer().pid, false};
}

// Whether it is worth to go on trying after this error: a daemon that just starts, or one that
// just ends and has closed the connection.
bool MayPass(Trouble trouble) {
  return trouble == Trouble::kNotRunning || trouble == Trouble::kClosed;
}

Failure Explain(const Settings& settings, const ClientError& error, int pid) {
  switch (error.trouble) {
    case Trouble::kInterrupted:
      return {kExitInterrupted,
              pid > 0 ? "interrupted; ojd (pid " + std::to_string(pid) + ") goes on starting"
                      : "interrupted",
              ""};
    case Trouble::kTimedOut:
    case Trouble::kNotAccepted:
      return NotReady(settings, pid > 0 ? pid : PidFileHolder(settings.PidFile()),
                      "runs but did not answer");
    case Trouble::kForeignPeer:
      return {kExitError, "refused to talk to " + settings.Socket() + ": " + error.what};
    default:
      return {kExitError, "cannot talk to ojd at " + settings.Socket() + ": " + error.what};
  }
}

// Waits until the child, or another daemon that was quicker, answers.
Outcome<Started> AwaitAnswer(const Settings& settings, const Environment& environment, Child& child,
                             Deadline deadline, ProgressMeter& meter) {
  const int interrupt_fd = environment.interrupt_fd;
  for (;;) {
    if (meter.bar()) meter.Tick();
    auto answer = TryPing(settings, deadline, interrupt_fd, meter);
    child.Look();
    const int pid = child.ended ? 0 : child.pid;
    if (answer) return Started{answer->pid, !child.ended};
    if (!MayPass(answer.error().trouble)) return Explain(settings, answer.error(), pid);
    if (child.ended && PidFileHolder(settings.PidFile()) == 0) return DidNotStart(settings, child);
    if (deadline.PassedAt(Now())) return NotReady(settings, pid, "was started but is not ready");
    const Deadline pause = Deadline::After(Now(), kPause).Earlier(deadline);
    if (AwaitFd(-1, 0, pause, interrupt_fd).interrupted) {
      return Explain(settings, {Trouble::kInterrupted, ""}, pid);
    }
  }
}

}  // namespace

Outcome<Started> EnsureDaemon(const Settings& settings, const Environment& environment) {
  const Deadline deadline = Deadline::After(Now(), settings.connect.value);
  {
    ProgressMeter meter(environment, "is ojd there");
    auto answer = TryPing(settings, deadline, environment.interrupt_fd, meter);
    if (answer) return *answer;
    if (answer.error().trouble != Trouble::kNotRunning) {
      return Explain(settings, answer.error(), 0);
    }
  }
  auto child = Spawn(settings, environment);
  if (!child) return child.error();
  ProgressMeter meter(environment, "starting ojd");
  return AwaitAnswer(settings, environment, *child, deadline, meter);
}

int PidFileHolder(const std::string& pid_file) {
  struct stat file{};
  int pid = 0;
  std::ifstream in(pid_file);
  if (!(in >> pid) || pid <= 0 || stat(pid_file.c_str(), &file) != 0) return 0;
  std::error_code error;
  const std::string descriptors = "/proc/" + std::to_string(pid) + "/fd";
  for (fs::directory_iterator at(descriptors, error), end; !error && at != end;
       at.increment(error)) {
    struct stat opened{};
    if (stat(at->path().c_str(), &opened) != 0) continue;
    if (opened.st_dev == file.st_dev && opened.st_ino == file.st_ino) return pid;
  }
  return 0;
}

}  // namespace oj::cli
