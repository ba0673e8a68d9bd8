#include "behaviour.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "journal.h"
#include "output.h"
#include "pause.h"
#include "real_tool.h"
#include "rules.h"

namespace oj::fakes {
namespace {

constexpr unsigned kSafetySeconds = 120;

[[noreturn]] void Die(int number) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  std::signal(number, SIG_DFL);
  std::raise(number);
  _exit(128 + number);  // the signal's default is to be ignored
}

// As read() does, but for signals.
ssize_t ReadByte(int fd) {
  char byte = 0;
  ssize_t n = 0;
  do {
    n = read(fd, &byte, 1);
  } while (n < 0 && errno == EINTR);
  return n;
}

// True in the child. The parent goes on when the child is in the journal, or dead.
bool ForkInJournal(const Tool& tool, const Args& args, bool leave_group) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  const bool is_child = fork() == 0;
  if (is_child && leave_group) setsid();
  if (is_child) JournalStart(tool.name, args);
  close(ends[1]);
  if (!is_child) ReadByte(ends[0]);
  close(ends[0]);
  return is_child;
}

// It sleeps here, holding the output, and never returns to the fake's work.
void LeaveChild(const Tool& tool, const Args& args, bool leave_group) {
  if (!ForkInJournal(tool, args, leave_group)) return;
  Sleep(std::chrono::seconds(kSafetySeconds));
  JournalLine('E', 0);
  _exit(0);
}

Outcome Work(const Tool& tool, const Args& args, const Behaviour& behaviour) {
  const bool real = behaviour.wrap || tool.work == nullptr;
  return real ? RunReal(tool.name, args, behaviour) : tool.work(args, behaviour);
}

// What a killed fake has to do all the same: by a process that hears of its death from a pipe.
class Successor {
 public:
  Successor(const Tool& tool, const Args& args, const Behaviour& behaviour) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return;
    const std::int64_t begin = Now();
    if (!ForkInJournal(tool, args, true)) {
      close(ends[0]);
      pipe_ = ends[1];
      return;
    }
    close(ends[1]);
    alarm(kSafetySeconds);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
    if (ReadByte(ends[0]) == 0) {  // it is dead
      Sleep(std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(*behaviour.late) -
                                                      std::chrono::nanoseconds(Now() - begin)));
      Work(tool, args, behaviour);
    }
    JournalLine('E', 0);
    _exit(0);
  }
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;
  // The fake does its work itself.
  ~Successor() {
    WriteAll(pipe_, "x");
    close(pipe_);
  }

 private:
  int pipe_ = -1;
};

void Delay(const Behaviour& behaviour) {
  LeaveLock(behaviour);
  Wait(behaviour);
}

// What a server that hangs has been asked for, it does when it goes on, whoever lives then.
void AskServer(const Tool& tool, const Args& args, const Behaviour& behaviour) {
  if (!IsHung(tool.name)) return;
  CatchSignalsOfClient(tool.name, behaviour);
  const bool works = behaviour.after || (!behaviour.exit && !behaviour.signal);
  if (tool.promise != nullptr && !behaviour.late && !behaviour.wrap && works) {
    Behaviour promised = behaviour;
    promised.late = std::chrono::milliseconds(0);
    tool.promise(args, promised);
  }
  AwaitServer(tool.name);
  CatchSignals(behaviour);
}

// False: it does not do its work, and `*outcome` is how it ends.
bool Misbehave(const Behaviour& behaviour, Outcome* outcome) {
  Flood(behaviour.flood_bytes);
  if (behaviour.exit) outcome->exit = *behaviour.exit;
  if (behaviour.signal && !behaviour.exit) Die(*behaviour.signal);
  return !behaviour.exit;
}

bool BeginBadly(const Tool& tool, const Args& args, const Behaviour& behaviour, Outcome* outcome) {
  const auto begin = [&] {
    Delay(behaviour);
    AskServer(tool, args, behaviour);
    return Misbehave(behaviour, outcome);
  };
  if (!behaviour.late) return begin();
  if (tool.promise != nullptr && !behaviour.wrap) {
    tool.promise(args, behaviour);
    return begin();
  }
  const Successor successor(tool, args, behaviour);
  return begin();
}

int Behave(const Tool& tool, const Args& args, const Behaviour& behaviour) {
  if (behaviour.grandchild) LeaveChild(tool, args, behaviour.setsid);
  for (int i = 0; i < behaviour.forks; ++i) LeaveChild(tool, args, false);
  Outcome outcome;
  const bool before = !behaviour.after && !behaviour.InTheMiddle();
  if (!before) AskServer(tool, args, behaviour);
  if (!before || BeginBadly(tool, args, behaviour, &outcome)) {
    outcome = Work(tool, args, behaviour);
  }
  const bool killed = outcome.signal != 0 && HasPassedSignal();
  if (!killed) WriteOutput(outcome, behaviour);
  if (behaviour.after) {
    Delay(behaviour);
    Misbehave(behaviour, &outcome);
  }
  if (outcome.signal != 0) Die(outcome.signal);
  return outcome.exit;
}

}  // namespace

int RunFake(const Tool& tool, const Args& args) {
  HoldSignals();  // until its behaviour is in force and journalled
  alarm(kSafetySeconds);
  OpenJournal();
  Behaviour behaviour;
  std::string error;
  const bool chosen = Choose(tool.name, args, &behaviour, &error);
  CatchSignals(behaviour);
  JournalStart(tool.name, args);
  LetSignals();
  int code = kBadRules;
  if (chosen) {
    code = Behave(tool, args, behaviour);
  } else {
    WriteAll(STDERR_FILENO, error + "\n");
  }
  JournalLine('E', code);
  return code;
}

}  // namespace oj::fakes
