#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/run_oj.h"

namespace {

// Written to by the signal handler; for the life of the process.
int interrupt_pipe[2] = {-1, -1};

extern "C" void OnSignal(int) {
  const int saved = errno;
  [[maybe_unused]] const ssize_t ignored = write(interrupt_pipe[1], "", 1);
  errno = saved;
}

// The second signal ends the process as if there were no handler. A signal that was ignored when
// the process began (nohup, a background job) stays so.
void CatchSignals() {
  if (pipe2(interrupt_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action.sa_handler = OnSignal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
  signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() {
  pollfd wakeup{interrupt_pipe[0], POLLIN, 0};
  return poll(&wakeup, 1, 0) > 0;
}

int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
    if (!text.empty() && Interrupted()) return EINTR;
  }
  return 0;
}

oj::cli::Size SizeOf(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_row, size.ws_col};
}

int Become(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  // What is ignored here would stay so there; handlers do not outlive an exec.
  const auto before = signal(SIGPIPE, SIG_DFL);
  execvp(words[0], words.data());
  const int error = errno;
  signal(SIGPIPE, before);
  return error;
}

oj::cli::Environment RealEnvironment() {
  using std::chrono::milliseconds;
  using std::chrono::system_clock;
  return {.out = [](std::string_view text) { return WriteAll(STDOUT_FILENO, text); },
          .err = [](std::string_view text) { return WriteAll(STDERR_FILENO, text); },
          .wall_now =
              [] {
                const auto now = system_clock::now().time_since_epoch();
                return std::chrono::duration_cast<milliseconds>(now).count();
              },
          .out_is_terminal = isatty(STDOUT_FILENO) == 1,
          .err_is_terminal = isatty(STDERR_FILENO) == 1,
          .err_columns = [] { return SizeOf(STDERR_FILENO).columns; },
          .size = [] { return SizeOf(STDOUT_FILENO); },
          .keys_fd = isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1,
          .become = Become,
          .interrupt_fd = interrupt_pipe[0],
          .daemon_program = ""};
}

}  // namespace

int main(int argc, char** argv) {
  CatchSignals();
  return oj::cli::RunOj({argv + 1, argv + argc}, RealEnvironment());
}
