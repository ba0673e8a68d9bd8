#include "pause.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>

#include "journal.h"

namespace oj::fakes {
namespace {

constexpr int kCaught[] = {SIGTERM, SIGINT, SIGHUP};
constexpr std::chrono::nanoseconds kTurn = std::chrono::milliseconds(2);

// For the signal handler, which is set after them.
bool ignore_term = false;
bool exit_zero_on_term = false;
volatile pid_t passed_to = 0;
volatile std::sig_atomic_t has_passed = 0;

sigset_t CaughtSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kCaught) sigaddset(&set, number);
  return set;
}

void Strike(int number) {
  if (number == SIGTERM && ignore_term) return;
  if (number == SIGTERM && exit_zero_on_term) {
    JournalLine('E', 0);
    if (passed_to > 0) kill(passed_to, SIGKILL);
    _exit(0);
  }
  if (passed_to > 0) {
    has_passed = 1;
    kill(passed_to, number);
    return;
  }
  std::signal(number, SIG_DFL);
  std::raise(number);  // strikes when the handler returns
}

void OnSignal(int number) {
  const int saved = errno;
  JournalLine('T', number);
  Strike(number);
  errno = saved;
}

}  // namespace

void Sleep(std::chrono::nanoseconds time) {
  timespec left{static_cast<time_t>(time.count() / 1'000'000'000),
                static_cast<long>(time.count() % 1'000'000'000)};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

bool Exists(const std::string& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0;
}

void HoldSignals() {
  const sigset_t caught = CaughtSignals();
  sigprocmask(SIG_BLOCK, &caught, nullptr);
}

void LetSignals() {
  const sigset_t caught = CaughtSignals();
  sigprocmask(SIG_UNBLOCK, &caught, nullptr);
}

void CatchSignals(const Behaviour& behaviour) {
  ignore_term = behaviour.ignore_term;
  exit_zero_on_term = behaviour.exit_zero_on_term;
  struct sigaction action{};
  action.sa_handler = OnSignal;
  action.sa_mask = CaughtSignals();
  for (const int number : kCaught) sigaction(number, &action, nullptr);
}

void PassSignalsTo(pid_t real) { passed_to = real; }
bool HasPassedSignal() { return has_passed != 0; }

bool IsHung(const std::string& tool) {
  const std::string state = StateDirectory();
  return !state.empty() && Exists(state + "/hung." + tool);
}

void AwaitServer(const std::string& tool) {
  while (IsHung(tool)) Sleep(kTurn);
}

void CatchSignalsOfClient(const std::string& tool, const Behaviour& behaviour) {
  std::ifstream file(StateDirectory() + "/hung." + tool);
  std::string how;
  Behaviour meanwhile = behaviour;
  meanwhile.ignore_term |= static_cast<bool>(std::getline(file, how)) && how == "ignore_term";
  meanwhile.exit_zero_on_term |= tool == "tmux";
  CatchSignals(meanwhile);
}

// A signal ends a sleep only if it kills: what is passed on is looked for every turn.
void Wait(const Behaviour& behaviour) {
  const std::int64_t until =
      Now() + std::chrono::duration_cast<std::chrono::nanoseconds>(behaviour.delay).count();
  const bool polls = !behaviour.release.empty() || passed_to > 0;
  while (!HasPassedSignal()) {
    const std::chrono::nanoseconds left(until - Now());
    if (!behaviour.hang && left.count() <= 0) return;
    if (!behaviour.release.empty() && Exists(behaviour.release)) return;
    const std::chrono::nanoseconds longest = polls ? kTurn : std::chrono::seconds(60);
    Sleep(behaviour.hang ? longest : std::min(longest, left));
  }
}

}  // namespace oj::fakes
