#include "behaviour.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <initializer_list>
#include <set>
#include <string_view>

#include "rules.h"

namespace oj::fakes {
namespace {

constexpr unsigned kSafetySeconds = 120;
constexpr int kBadRules = 64;

// Read by the signal handler, set before it is installed.
int journal_fd = -1;
bool ignore_term = false;
bool exit_zero_on_term = false;

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// `<letter> <pid> <ns> <value>\n`. Async-signal-safe but for snprintf of integers, which glibc's
// is.
void JournalLine(char letter, int value) {
  if (journal_fd < 0) return;
  std::array<char, 96> line{};
  const int size = std::snprintf(line.data(), line.size(), "%c %d %" PRId64 " %d\n", letter,
                                 static_cast<int>(getpid()), Now(), value);
  if (write(journal_fd, line.data(), static_cast<std::size_t>(size)) < 0) return;
}

void AppendJson(std::string_view text, std::string* to) {
  to->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      to->push_back('\\');
      to->push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      *to += escape.data();
    } else {
      to->push_back(c);
    }
  }
  to->push_back('"');
}

void JournalStart(const std::string& tool, const std::vector<std::string>& args) {
  if (journal_fd < 0) return;
  const std::string lease = Env("OJ_LEASE");
  std::string line = "S " + std::to_string(getpid()) + " " + std::to_string(getppid()) + " " +
                     std::to_string(getpgrp()) + " " + std::to_string(Now()) + " " +
                     (lease.empty() ? "-" : lease) + " [";
  AppendJson(tool, &line);
  for (const std::string& arg : args) {
    line.push_back(',');
    AppendJson(arg, &line);
  }
  line += "]\n";
  if (write(journal_fd, line.data(), line.size()) < 0) return;
}

void OnSignal(int number) {
  const int saved = errno;
  JournalLine('T', number);
  if (number == SIGTERM && ignore_term) {
    errno = saved;
    return;
  }
  if (number == SIGTERM && exit_zero_on_term) {
    JournalLine('E', 0);
    _exit(0);
  }
  std::signal(number, SIG_DFL);
  std::raise(number);  // strikes when the handler returns
}

sigset_t CaughtSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

void InstallHandlers(const Behaviour& behaviour) {
  ignore_term = behaviour.ignore_term;
  exit_zero_on_term = behaviour.exit_zero_on_term;
  struct sigaction action{};
  action.sa_handler = OnSignal;
  action.sa_mask = CaughtSignals();
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
}

// Counts one call and returns its number, from 1; -1: no state directory to count in.
long long CountCall(const std::string& tool, const std::string& match) {
  const std::string state = StateDirectory();
  if (state.empty()) return -1;
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : match) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  const std::string path = state + "/count." + tool + "." + std::to_string(hash);
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  flock(fd, LOCK_EX);
  WriteAll(fd, ".");
  struct stat info{};
  fstat(fd, &info);
  close(fd);
  return info.st_size;
}

// False: `*error` says why.
bool Choose(const std::string& tool, const std::vector<std::string>& args, Behaviour* behaviour,
            std::string* error) {
  std::vector<Rule> rules;
  if (!LoadRules(Env("OJ_FAKE_RULES"), &rules, error)) return false;
  std::string joined;
  for (const std::string& arg : args) joined += (joined.empty() ? "" : " ") + arg;
  std::set<std::pair<std::string, long long>> counts;  // one count per match and call
  const Behaviour* found = nullptr;
  for (const Rule& rule : rules) {
    if (rule.tool != tool || joined.find(rule.match) == std::string::npos) continue;
    if (rule.nth > 0) {
      auto at = counts.lower_bound({rule.match, -1});
      if (at == counts.end() || at->first != rule.match) {
        at = counts.emplace(rule.match, CountCall(tool, rule.match)).first;
      }
      if (at->second < 0) *error = "nth: OJ_FAKE_STATE must name a directory to count in";
      if (at->second != rule.nth) continue;
    }
    if (found == nullptr) found = &rule.behaviour;
  }
  if (found != nullptr) *behaviour = *found;
  return error->empty();
}

void Sleep(std::chrono::nanoseconds time) {
  timespec left{static_cast<time_t>(time.count() / 1'000'000'000),
                static_cast<long>(time.count() % 1'000'000'000)};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

// It sleeps here, holding the output, and never returns to the fake's work.
void LeaveGrandchild(const std::string& tool, const std::vector<std::string>& args,
                     bool leave_group) {
  if (fork() != 0) return;
  if (leave_group) setsid();
  JournalStart(tool, args);
  Sleep(std::chrono::seconds(kSafetySeconds));
  JournalLine('E', 0);
  _exit(0);
}

void Hang(const Behaviour& behaviour) {
  while (behaviour.hang) pause();
  if (behaviour.hang_while.empty()) return;
  struct stat info{};
  while (stat(behaviour.hang_while.c_str(), &info) == 0) Sleep(std::chrono::milliseconds(5));
}

void Flood(long long bytes) {
  const std::string block(4096, 'x');
  for (; bytes > 0; bytes -= static_cast<long long>(block.size())) {
    const auto size = static_cast<std::size_t>(bytes);
    WriteAll(STDOUT_FILENO, std::string_view(block).substr(0, std::min(size, block.size())));
  }
}

[[noreturn]] void Die(int number) {
  std::signal(number, SIG_DFL);
  std::raise(number);
  _exit(128 + number);  // the signal's default is to be ignored
}

int Behave(const Behaviour& behaviour, const std::string& tool,
           const std::vector<std::string>& args,
           Outcome (*work)(const std::vector<std::string>& args, const Behaviour& behaviour)) {
  if (behaviour.grandchild) LeaveGrandchild(tool, args, behaviour.setsid);
  Sleep(behaviour.delay);
  Hang(behaviour);
  Flood(behaviour.flood_bytes);
  if (behaviour.signal) Die(*behaviour.signal);
  Outcome outcome;
  if (behaviour.exit) {
    outcome.exit = *behaviour.exit;
  } else {
    outcome = work(args, behaviour);
  }
  WriteAll(STDOUT_FILENO, behaviour.out.value_or(outcome.out));
  WriteAll(STDERR_FILENO, behaviour.err.value_or(outcome.err));
  return outcome.exit;
}

}  // namespace

std::string StateDirectory() { return Env("OJ_FAKE_STATE"); }

int RunFake(const std::string& tool, const std::vector<std::string>& args,
            Outcome (*work)(const std::vector<std::string>& args, const Behaviour& behaviour)) {
  // Until its behaviour is in force and journalled, it is not struck by what it can catch.
  sigset_t caught = CaughtSignals();
  sigprocmask(SIG_BLOCK, &caught, nullptr);
  alarm(kSafetySeconds);
  if (const std::string journal = Env("OJ_FAKE_JOURNAL"); !journal.empty()) {
    journal_fd = open(journal.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  }
  Behaviour behaviour;
  std::string error;
  const bool chosen = Choose(tool, args, &behaviour, &error);
  InstallHandlers(behaviour);
  JournalStart(tool, args);
  sigprocmask(SIG_UNBLOCK, &caught, nullptr);
  int code = kBadRules;
  if (chosen) {
    code = Behave(behaviour, tool, args, work);
  } else {
    WriteAll(STDERR_FILENO, error + "\n");
  }
  JournalLine('E', code);
  return code;
}

}  // namespace oj::fakes
