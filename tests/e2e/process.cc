#include "process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace oj::e2e {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Merged(const Environment& environment) {
  std::map<std::string, std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string entry = *at;
    all[entry.substr(0, entry.find('='))] = entry;
  }
  for (const auto& [name, value] : environment) all[name] = name + "=" + value;
  std::vector<std::string> list;
  for (const auto& [name, entry] : all) list.push_back(entry);
  return list;
}

std::vector<char*> Pointers(const std::vector<std::string>& list) {
  std::vector<char*> pointers;
  for (const std::string& entry : list) pointers.push_back(const_cast<char*>(entry.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string Proc(pid_t pid, const std::string& file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

// The fields of /proc/<pid>/stat from the third, the state, on; the name before may hold anything.
std::vector<std::string> StatOf(pid_t pid) {
  const std::string text = ReadFile(Proc(pid, "stat"));
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

std::vector<pid_t> AllPids() {
  std::vector<pid_t> pids;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

Process::Process(const std::vector<std::string>& argv, const Environment& environment,
                 std::string output)
    : begun_(std::chrono::steady_clock::now()), output_(std::move(output)) {
  const std::vector<std::string> merged = Merged(environment);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&files, 1, (output_ + ".out").c_str(), kCreate, 0600);
  posix_spawn_file_actions_addopen(&files, 2, (output_ + ".err").c_str(), kCreate, 0600);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  const int error = posix_spawnp(&pid_, argv[0].c_str(), &files, &attributes, Pointers(argv).data(),
                                 Pointers(merged).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return;
  std::fprintf(stderr, "%s: %s\n", argv[0].c_str(), std::strerror(error));
  std::abort();
}

Process::~Process() {
  if (reaped_) return;
  kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::Signal(int number) const {
  if (!reaped_) kill(pid_, number);
}

bool Process::Running() const {
  siginfo_t info{};
  return !reaped_ &&
         waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

Ended Process::Wait(milliseconds limit) {
  Ended ended;
  ended.in_time = Eventually([this] { return !Running(); }, limit);
  ended.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun_);
  if (!ended.in_time) kill(-pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  reaped_ = true;
  ended.signaled = WIFSIGNALED(status);
  ended.code = ended.signaled ? WTERMSIG(status) : WEXITSTATUS(status);
  ended.out = Out();
  ended.err = Err();
  return ended;
}

std::string Process::Out() const { return ReadFile(output_ + ".out"); }
std::string Process::Err() const { return ReadFile(output_ + ".err"); }

char StateOf(pid_t pid) {
  const auto stat = StatOf(pid);
  return stat.empty() ? '\0' : stat[0][0];
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  for (const pid_t each : AllPids()) {
    const auto stat = StatOf(each);
    if (stat.size() > 1 && stat[1] == std::to_string(pid)) children.push_back(each);
  }
  return children;
}

std::vector<std::string> DescriptorsOf(pid_t pid) {
  std::vector<std::string> targets;
  std::error_code error;
  for (fs::directory_iterator at(Proc(pid, "fd"), error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    targets.push_back(fs::read_symlink(at->path(), gone).string());
  }
  return targets;
}

long ResidentKiB(pid_t pid) {
  std::istringstream status(ReadFile(Proc(pid, "status")));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

milliseconds CpuTimeOf(pid_t pid) {
  const auto stat = StatOf(pid);
  if (stat.size() < 13) return {};
  const long ticks = std::atol(stat[11].c_str()) + std::atol(stat[12].c_str());
  return milliseconds(ticks * 1000 / sysconf(_SC_CLK_TCK));
}

std::vector<pid_t> RunningFrom(const std::string& path) {
  std::vector<pid_t> found;
  for (const pid_t each : AllPids()) {
    std::error_code error;
    if (fs::read_symlink(Proc(each, "exe"), error) == path && IsAlive(each)) found.push_back(each);
  }
  return found;
}

std::string ReadFile(const std::string& path) {
  // Not by a stream: it throws when a process of /proc ends while its file is read.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text;
  std::array<char, 16384> buffer;
  for (ssize_t bytes = 0; (bytes = read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
  close(fd);
  return text;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace oj::e2e
