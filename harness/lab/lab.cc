#include "lab/lab.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "scenario/run_bounded.h"

namespace oj::sim {
namespace {

namespace bp = boost::process;
using std::chrono::milliseconds;

constexpr Duration kStartLimit = std::chrono::seconds(10);
constexpr milliseconds kHangUpLimit(1000);
constexpr milliseconds kKillLimit(5000);
constexpr milliseconds kOrderLimit(1000);

Error Unavailable(const std::string& what) { return {ErrorCode::kUnavailable, what, ""}; }

// What a terminal must be given back as it was, should the shell die by a signal.
class Terminal {
 public:
  Terminal() : has_(tcgetattr(STDIN_FILENO, &modes_) == 0) {
    if (has_) group_ = tcgetpgrp(STDIN_FILENO);
  }
  ~Terminal() {
    if (!has_ || group_ != getpgrp()) return;
    const auto before = signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, group_);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_);
    signal(SIGTTOU, before);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

 private:
  termios modes_{};
  bool has_;
  pid_t group_ = -1;
};

// The signals that Wait() takes as events, and those of the keyboard, which are the shell's alone;
// as before when destroyed, and in a child by Restore().
class Signals {
 public:
  Signals() {
    sigset_t taken;
    sigemptyset(&taken);
    for (const int number : {SIGCHLD, SIGTERM, SIGHUP}) sigaddset(&taken, number);
    sigprocmask(SIG_BLOCK, &taken, &mask_);
    fd_.Reset(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
    interrupt_ = signal(SIGINT, SIG_IGN);
    quit_ = signal(SIGQUIT, SIG_IGN);
  }
  ~Signals() { Restore(); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void Restore() const {
    signal(SIGINT, interrupt_);
    signal(SIGQUIT, quit_);
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  sigset_t mask_{};
  sighandler_t interrupt_ = SIG_DFL;
  sighandler_t quit_ = SIG_DFL;
};

[[noreturn]] void Execute(const Shell& shell, const Variables& variables, pid_t parent) {
  // Should the guardian die with the lab: a shell that nobody waits for hangs up.
  prctl(PR_SET_PDEATHSIG, SIGHUP);
  if (getppid() != parent) _exit(1);
  const int error = Become(shell, variables);
  std::fprintf(stderr, "oj-harness: %s: %s\n", shell.argv[0].c_str(), std::strerror(error));
  _exit(127);
}

int ExitOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// A shell hangs up its jobs, and writes its history.
int HangUp(pid_t shell, int number) {
  kill(shell, SIGHUP);
  kill(shell, SIGCONT);
  const auto until = std::chrono::steady_clock::now() + kHangUpLimit;
  while (waitpid(shell, nullptr, WNOHANG) == 0) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) kill(shell, SIGKILL);
    if (now >= until + kKillLimit) break;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return 128 + number;
}

// Till its end, which the other side gives by closing its half.
Result<std::string> ReadOrder(int connection) {
  const auto until = std::chrono::steady_clock::now() + kOrderLimit;
  std::string text;
  std::array<char, 4096> piece;
  pollfd polled{connection, POLLIN, 0};
  while (text.size() <= kLongestOrder) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    if (poll(&polled, 1, std::max(0, static_cast<int>(left.count()))) != 1) break;
    const ssize_t n = read(connection, piece.data(), piece.size());
    if (n == 0) return text;
    if (n < 0) break;
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  return Unavailable("the order has no end");
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

Result<std::string> Obeyed(const std::vector<std::string>& words, Faults& faults) {
  const Result<Order> order = ParseOrder(words);
  if (!order) return order.error();
  switch (order->what) {
    case Order::What::kOn:
      return faults.On(order->fault);
    case Order::What::kOff:
      return faults.Off(order->names);
    case Order::What::kKill:
      return faults.Kill(order->fault.target);
    case Order::What::kList:
      return faults.List();
    case Order::What::kHelp:
      break;
  }
  return std::string(kOrderHelp);
}

// Whatever an order comes to: the shell goes on.
Result<std::string> Obey(const std::vector<std::string>& words, Faults& faults) {
  try {
    return Obeyed(words, faults);
  } catch (const std::exception& error) {
    return Unavailable(error.what());
  }
}

}  // namespace

std::string OrdersOf(const std::string& lab) { return lab + "/orders.sock"; }
std::string VariablesOf(const std::string& lab) { return lab + "/environment"; }

Lab::Lab(Scenario scenario, World world, std::string programs, std::string fakes)
    : scenario_(std::move(scenario)),
      world_(world),
      programs_(std::move(programs)),
      twin_(scenario_, world, std::move(fakes), recorder_, kLabName),
      dir_(twin_.root()),
      temporary_(OwnVariable("TMPDIR")) {}

Lab::~Lab() { Leave(); }

bool Lab::Leave() {
  if (!guard_ || !guard_->has_lock()) return true;  // what is there, twin_ removes
  const bool clean = guard_->Leave();
  twin_.Abandon();
  return clean;
}

// The user's own, but for what would lead out of the lab.
bp::environment Lab::Environment() const {
  bp::environment environment = twin_.environment();
  const auto restore = [&environment](const std::string& name, const std::string& value) {
    environment.erase(name);
    if (!value.empty()) environment[name] = value;
  };
  restore("HOME", OwnVariable("HOME"));
  restore("LC_ALL", OwnVariable("LC_ALL"));
  restore("TMPDIR", temporary_);
  environment["XDG_CACHE_HOME"] = dir_ + "/home/cache";
  environment["XDG_DATA_HOME"] = dir_ + "/home/data";
  environment[kLabVariable] = dir_;
  const std::string own = OwnVariable("PATH");
  const std::string path = environment["PATH"].to_string();
  const std::string front = path.substr(0, path.size() - own.size()) + programs_;
  environment["OJ_LAB_PATH"] = front;
  environment["PATH"] = front + ":" + own;
  return environment;
}

// From here on what this process starts is the lab's, and so are its temporary files.
Status Lab::Enter() {
  std::vector<std::string> wanted;
  for (const auto& entry : Environment()) {
    wanted.push_back(entry.get_name() + "=" + entry.to_string());
  }
  variables_ = Difference(wanted);
  variables_.push_back(temporary_.empty() ? "TMPDIR" : "TMPDIR=" + temporary_);
  // This process may have none of them, but the one that joins.
  for (const std::string& name : TwinWorld::LeftOut()) variables_.push_back(name);
  setenv(kLabVariable, dir_.c_str(), 1);
  setenv("TMPDIR", dir_.c_str(), 1);
  return SaveVariables(variables_, VariablesOf(dir_));
}

Status Lab::SetUp() {
  if (dir_.empty()) return Unavailable("no temporary directory can be made");
  guard_ = std::make_unique<Guard>(dir_);
  if (!guard_->has_lock()) return Unavailable(dir_ + " cannot be locked");
  if (!guard_->ok()) return Unavailable("the lab's guardian cannot be started");
  Status done = Enter();
  if (!done.ok()) return done;
  done = twin_.SetUp();
  if (!done.ok()) return done;
  faults_ = std::make_unique<Faults>(scenario_, world_, twin_);
  done = faults_->SetUp();
  if (done.ok()) done = Listen();
  if (!done.ok()) return done;
  return Oj({"daemon", "start"});
}

Status Lab::Oj(const std::vector<std::string>& words) const {
  std::vector<std::string> argv = {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", programs_ + "/oj"};
  argv.insert(argv.end(), words.begin(), words.end());
  std::string said;
  if (RunBounded(argv, Environment(), kStartLimit, &said) == 0) return Ok{};
  return Unavailable(said.empty() ? programs_ + "/oj cannot be run"
                                  : said.substr(0, said.find('\n')));
}

Status Lab::Listen() {
  sockaddr_un address{};
  const std::string path = OrdersOf(dir_);
  if (path.size() >= sizeof(address.sun_path)) return Unavailable(path + " is too long a name");
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  orders_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (bind(orders_.get(), name, sizeof(address)) == 0 && listen(orders_.get(), 16) == 0) {
    return Ok{};
  }
  return Unavailable(path + ": " + std::strerror(errno));
}

int Lab::Run(const Shell& shell) {
  const Terminal terminal;
  const Signals signals;
  const pid_t self = getpid();
  const pid_t child = fork();
  if (child == 0) {
    signals.Restore();
    Execute(shell, variables_, self);
  }
  return child < 0 ? 1 : Wait(child, signals.fd());
}

int Lab::Wait(pid_t shell, int signals) {
  while (true) {
    const auto next = faults_->Expire();
    std::array<pollfd, 2> polled{{{signals, POLLIN, 0}, {orders_.get(), POLLIN, 0}}};
    poll(polled.data(), polled.size(), next ? static_cast<int>(next->count()) + 1 : -1);
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof(info)) == sizeof(info)) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number != SIGCHLD) return HangUp(shell, number);
    }
    int status = 0;
    if (waitpid(shell, &status, WNOHANG | WUNTRACED) == shell) {
      if (!WIFSTOPPED(status)) return ExitOf(status);
      kill(shell, SIGCONT);  // nobody else could: the terminal is its own
    }
    guard_->Look();
    Serve();
  }
}

void Lab::Serve() {
  const UniqueFd connection(accept4(orders_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return;
  const Result<std::string> order = ReadOrder(connection.get());
  const Result<std::string> done = order ? Obey(WordsOf(*order), *faults_) : order;
  const std::string answer = done ? "0" + *done : "1" + done.error().message + "\n";
  send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace oj::sim
