#include "scenario/process_watch.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace oj::sim {
namespace {

int OpenPidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
bool SendByPidfd(int pidfd, int number) {
  return syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0;
}

// What can be read. A process of /proc may go in the middle of it: an iterator of the stream would
// throw then.
std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string CommandLine(pid_t pid) {
  std::string text = ReadAll("/proc/" + std::to_string(pid) + "/cmdline");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

int FromWaitStatus(int status) {
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// From Linux 6.15 on a pidfd tells how its process ended, reaped or not.
std::optional<int> EndOfPidfd(int pidfd) {
  struct Info {  // struct pidfd_info, first version
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::uint32_t ids[11];
    std::int32_t exit_code;
  };
  constexpr std::uint64_t kExit = 1u << 3;
  Info info{};
  info.mask = kExit;
  if (ioctl(pidfd, _IOWR(0xff, 11, Info), &info) != 0 || (info.mask & kExit) == 0) {
    return std::nullopt;
  }
  return FromWaitStatus(info.exit_code);
}

// How a zombie ended: exit code or -signal; nothing if it has been reaped already.
std::optional<int> EndOfZombie(pid_t pid) {
  if (ProcessState(pid) != 'Z') return std::nullopt;
  std::istringstream stat(ReadAll("/proc/" + std::to_string(pid) + "/stat"));
  std::string last;
  for (std::string word; stat >> word;) last = word;
  if (last.empty()) return std::nullopt;
  return FromWaitStatus(std::atoi(last.c_str()));
}

std::string Program(const std::string& command) {
  const std::string program = command.substr(0, command.find(' '));
  return program.substr(program.rfind('/') + 1);
}

}  // namespace

// A list of strings with no escapes but \", \\ and \u00XX.
std::string JournalledArguments(std::string_view text) {
  std::string joined;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size() && (in_string || text[i] != ']'); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      if (c == ',') joined += ' ';
    } else if (c != '\\') {
      joined += c;
    } else if (text.substr(++i).starts_with('u')) {
      joined +=
          static_cast<char>(std::strtol(std::string(text.substr(i + 1, 4)).c_str(), nullptr, 16));
      i += 4;
    } else {
      joined += text.substr(i, 1);
    }
  }
  return joined;
}

char ProcessState(pid_t pid) {
  const std::string stat = ReadAll("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos ? '\0' : stat[name_end + 2];
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator task(tasks, error), end; !error && task != end;
       task.increment(error)) {
    std::istringstream list(ReadAll(task->path().string() + "/children"));
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

int DescriptorsOf(pid_t pid) {
  std::error_code error;
  int count = 0;
  for (std::filesystem::directory_iterator fd("/proc/" + std::to_string(pid) + "/fd", error), end;
       !error && fd != end; fd.increment(error)) {
    ++count;
  }
  return error ? -1 : count;
}

ProcessWatch::ProcessWatch(pid_t daemon, std::string journal, Recorder& recorder)
    : daemon_(daemon), journal_(std::move(journal)), recorder_(recorder) {}

ProcessWatch::~ProcessWatch() {
  for (auto& [pid, process] : processes_) {
    if (process.pidfd >= 0) close(process.pidfd);
  }
}

void ProcessWatch::Turn() {
  if (journal_.empty()) {
    Sample(daemon_);
  } else {
    ReadJournal();
  }
  for (auto& [pid, process] : processes_) CheckEnd(pid, process);
}

void ProcessWatch::AddTo(std::vector<pollfd>& polled) const {
  for (const auto& [pid, process] : processes_) {
    if (process.pidfd >= 0 && !process.ended) polled.push_back({process.pidfd, POLLIN, 0});
  }
}

void ProcessWatch::ReadJournal() {
  std::ifstream file(journal_, std::ios::binary);
  if (!file.seekg(read_)) return;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    read_ += static_cast<std::streamoff>(line.size()) + 1;
    OnLine(line);
  }
}

void ProcessWatch::OnLine(const std::string& line) {
  std::istringstream words(line);
  char letter = 0;
  pid_t pid = 0;
  std::int64_t group = 0;
  std::int64_t ns = 0;
  std::string lease;
  std::string argv;
  words >> letter >> pid;
  if (letter == 'S') {
    pid_t parent = 0;
    words >> parent >> group >> ns >> lease;
    std::getline(words >> std::ws, argv);  // and the directory
    // One that leaves its group is still what its parent is about.
    const auto known = processes_.find(parent);
    if (known != processes_.end() && known->second.pidfd >= 0) group = known->second.group;
    return Saw(pid, recorder_.FromBootTime(ns), group, JournalledArguments(argv));
  }
  int value = 0;
  words >> ns >> value;
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return;
  if (letter == 'T') {
    process->second.signal = value;
    process->second.lived = std::max(process->second.lived, recorder_.FromBootTime(ns));
    recorder_.Add(recorder_.FromBootTime(ns), TraceKind::kProcessSignaled,
                  static_cast<std::uint64_t>(pid), 0, value);
  } else if (letter == 'E') {
    process->second.exit = value;
    process->second.lived = recorder_.FromBootTime(ns);
  }
}

void ProcessWatch::Sample(pid_t parent) {
  for (const pid_t pid : ChildrenOf(parent)) {
    const auto known = processes_.find(pid);
    if (known == processes_.end() || known->second.pidfd < 0) {
      const std::string command = CommandLine(pid);
      const bool before_exec = command.empty() || Program(command) == Program(CommandLine(daemon_));
      if (!before_exec) Saw(pid, recorder_.Now(), getpgid(pid), command);
    }
    if (const auto seen = processes_.find(pid); seen != processes_.end() && !seen->second.ended) {
      Sample(pid);
    }
  }
}

void ProcessWatch::Saw(pid_t pid, Instant at, std::int64_t group, const std::string& argv) {
  Process& process = processes_[pid];
  if (process.pidfd >= 0) close(process.pidfd);
  process = Process{OpenPidfd(pid), argv, group, at, at, false, std::nullopt, 0};
  ++started_;
  starts_.insert(at);
  recorder_.Add(at, TraceKind::kProcessStarted, static_cast<std::uint64_t>(pid), 0, group, argv);
  if (process.pidfd >= 0) return;
  process.ended = true;  // dead and reaped before it could be looked at
  recorder_.Add(at, TraceKind::kProcessEnded, static_cast<std::uint64_t>(pid), 0, 0,
                "it is not known how");
  recorder_.Add(at, TraceKind::kProcessReaped, static_cast<std::uint64_t>(pid));
}

// Its successor may have been started before anybody looked.
Instant ProcessWatch::DeathBetween(Instant lived, Instant seen) const {
  const auto successor = starts_.upper_bound(lived);
  return successor == starts_.end() ? seen : std::min(seen, *successor - Duration(1));
}

// Ended: the pidfd is readable. Reaped: it refers to nobody any more.
void ProcessWatch::CheckEnd(pid_t pid, Process& process) {
  if (process.pidfd < 0) return;
  pollfd polled{process.pidfd, POLLIN, 0};
  const Instant now = recorder_.Now();
  if (!process.ended && poll(&polled, 1, 0) != 1) {
    if (!process.exit) process.lived = now;
  } else if (!process.ended) {
    process.ended = true;
    std::optional<int> how = EndOfPidfd(process.pidfd);
    if (!how) how = EndOfZombie(pid);
    if (!how) how = process.exit;
    // The daemon was quicker. A fake that did not say that it exits was killed.
    if (!how && !journal_.empty()) how = process.signal == 0 ? -SIGKILL : -process.signal;
    const bool killed = how.value_or(0) < 0;
    process.died = killed ? DeathBetween(process.lived, now) : process.lived;
    recorder_.Add(process.died, TraceKind::kProcessEnded, static_cast<std::uint64_t>(pid), 0,
                  how.value_or(0), how ? "" : "it is not known how");
  }
  if (process.ended && !SendByPidfd(process.pidfd, 0)) {
    recorder_.Add(DeathBetween(process.died, recorder_.Now()), TraceKind::kProcessReaped,
                  static_cast<std::uint64_t>(pid));
    close(process.pidfd);
    process.pidfd = -1;
  }
}

std::vector<std::string> ProcessWatch::Live() const {
  std::vector<std::string> live;
  for (const auto& [pid, process] : processes_) {
    if (!process.ended) live.push_back(std::to_string(pid) + " " + process.argv);
  }
  return live;
}

int ProcessWatch::Zombies() const {
  int count = 0;
  for (const pid_t pid : ChildrenOf(daemon_)) count += ProcessState(pid) == 'Z';
  return count;
}

void ProcessWatch::KillAll() {
  for (auto& [pid, process] : processes_) {
    if (process.pidfd >= 0 && !process.ended) SendByPidfd(process.pidfd, SIGKILL);
  }
}

}  // namespace oj::sim
