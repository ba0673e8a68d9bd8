#include "real_tool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "journal.h"
#include "output.h"
#include "pause.h"

namespace oj::fakes {
namespace {

constexpr int kNotFound = 127;
constexpr std::chrono::nanoseconds kLook = std::chrono::microseconds(200);

bool IsThisProgram(const std::string& file) {
  struct stat own{};
  struct stat other{};
  return stat("/proc/self/exe", &own) == 0 && stat(file.c_str(), &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

// In memory, so that no reader can be too slow for it. -1: the output is not captured.
class Captured {
 public:
  explicit Captured(bool wanted) : fd_(wanted ? memfd_create("output", MFD_CLOEXEC) : -1) {}
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() {
    if (fd_ >= 0) close(fd_);
  }
  void Become(int fd) const {
    if (fd_ >= 0) dup2(fd_, fd);
  }
  std::string Text() const {
    std::string text;
    std::array<char, 65536> block{};
    for (off_t at = 0; fd_ >= 0;) {
      const ssize_t n = pread(fd_, block.data(), block.size(), at);
      if (n <= 0) break;
      text.append(block.data(), static_cast<std::size_t>(n));
      at += n;
    }
    return text;
  }

 private:
  int fd_;
};

[[noreturn]] void Become(const std::string& file, const std::string& name, const Args& args,
                         const Behaviour& behaviour, pid_t fake) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != fake) _exit(kNotFound);
  std::vector<char*> argv{const_cast<char*>(name.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_DFL);
  // TERM may stay blocked: a handler of the tool's own does not undo that.
  sigset_t heard;
  sigemptyset(&heard);
  for (const int number : {SIGINT, SIGHUP}) sigaddset(&heard, number);
  if (!behaviour.ignore_term) sigaddset(&heard, SIGTERM);
  sigprocmask(SIG_UNBLOCK, &heard, nullptr);
  execv(file.c_str(), argv.data());
  WriteAll(STDERR_FILENO, "fake " + name + ": " + file + ": " + std::strerror(errno) + "\n");
  _exit(kNotFound);
}

// What is true of the child: it has ended, or been stopped (`flags`). It stays to be reaped.
bool Has(pid_t real, int flags) {
  siginfo_t info{};
  int result = 0;
  do {
    result = waitid(P_PID, static_cast<id_t>(real), &info, flags | WNOWAIT);
  } while (result != 0 && errno == EINTR);
  return result == 0 && info.si_pid == real;
}

// False: it ended before.
bool AwaitMoment(pid_t real, const Behaviour& behaviour) {
  const std::int64_t begin = Now();
  while (!Has(real, WEXITED | WNOHANG)) {
    const std::chrono::nanoseconds ran(Now() - begin);
    if (behaviour.at && ran >= *behaviour.at) return true;
    if (!behaviour.at_path.empty() && Exists(behaviour.at_path)) return true;
    Sleep(kLook);
  }
  return false;
}

// True: the real one was put to an end, which is not to be passed on.
bool CutIn(pid_t real, const Behaviour& behaviour) {
  if (!AwaitMoment(real, behaviour)) return false;
  kill(real, SIGSTOP);
  Has(real, WSTOPPED | WEXITED);
  LeaveLock(behaviour);
  Wait(behaviour);
  if (HasPassedSignal()) {  // the real one ends as it does on that
    kill(real, SIGCONT);
    return false;
  }
  Flood(behaviour.flood_bytes);
  if (behaviour.exit) {
    kill(real, SIGKILL);
  } else if (behaviour.signal) {
    kill(real, *behaviour.signal);
  }
  kill(real, SIGCONT);
  return behaviour.exit.has_value();
}

}  // namespace

std::string FindReal(const std::string& name) {
  std::string first;  // of all directories, for a fake that is in none of them
  std::string next;   // after the fake's own
  bool passed = false;
  std::istringstream directories(Env("PATH"));
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string file = (directory.empty() ? "." : directory) + "/" + name;
    struct stat info{};
    if (stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || access(file.c_str(), X_OK)) {
      continue;
    }
    if (IsThisProgram(file)) {
      passed = true;
    } else {
      if (first.empty()) first = file;
      if (passed && next.empty()) next = file;
    }
  }
  return passed ? next : first;
}

void LeaveLock(const Behaviour& behaviour) {
  if (behaviour.lock_file.empty()) return;
  const int fd = open(behaviour.lock_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
}

Outcome RunReal(const std::string& name, const Args& args, const Behaviour& behaviour) {
  const std::string file = FindReal(name);
  if (file.empty()) return {kNotFound, "", "fake " + name + ": no other " + name + " on PATH\n"};
  const Captured out(behaviour.ShapesOutput());
  const Captured err(behaviour.ShapesOutput());
  const pid_t fake = getpid();
  HoldSignals();
  const pid_t real = fork();
  if (real == 0) {
    out.Become(STDOUT_FILENO);
    err.Become(STDERR_FILENO);
    Become(file, name, args, behaviour, fake);
  }
  if (real < 0) return {kNotFound, "", "fake " + name + ": fork: " + std::strerror(errno) + "\n"};
  PassSignalsTo(real);
  JournalLine('W', real);
  LetSignals();
  const bool cut_off = behaviour.InTheMiddle() && CutIn(real, behaviour);
  Has(real, WEXITED);
  HoldSignals();
  PassSignalsTo(0);
  int status = 0;
  waitpid(real, &status, 0);
  LetSignals();
  Outcome outcome{0, out.Text(), err.Text()};
  if (cut_off) {
    outcome.exit = behaviour.exit.value_or(0);
  } else if (WIFSIGNALED(status)) {
    outcome.signal = WTERMSIG(status);
  } else {
    outcome.exit = WEXITSTATUS(status);
  }
  return outcome;
}

}  // namespace oj::fakes
