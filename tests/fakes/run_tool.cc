#include "run_tool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

namespace oj::fakes {
namespace {

std::vector<std::string> Merged(const Environment& environment) {
  std::map<std::string, std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string entry = *at;
    all[entry.substr(0, entry.find('='))] = entry;
  }
  all.erase("TMUX");
  for (const auto& [key, value] : environment) all[key] = key + "=" + value;
  std::vector<std::string> list;
  for (const auto& [key, entry] : all) list.push_back(entry);
  return list;
}

std::vector<char*> Pointers(const std::vector<std::string>& list) {
  std::vector<char*> pointers;
  for (const std::string& entry : list) pointers.push_back(const_cast<char*>(entry.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

// Output goes to files: a grandchild that holds it cannot hold up the test.
Program::Program(const std::vector<std::string>& argv, const Environment& environment) {
  static std::atomic<int> number = 0;
  const std::string base =
      testing::TempDir() + "oj_fake_" + std::to_string(getpid()) + "_" + std::to_string(++number);
  out_path_ = base + ".out";
  err_path_ = base + ".err";
  const std::vector<std::string> merged = Merged(environment);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, out_path_.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&files, 2, err_path_.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = posix_spawnp(&pid_, argv[0].c_str(), &files, &attributes, Pointers(argv).data(),
                                 Pointers(merged).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    reaped_ = true;
    ADD_FAILURE() << argv[0] << ": " << std::strerror(error);
  }
}

Program::~Program() {
  if (!reaped_) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::filesystem::remove(out_path_);
  std::filesystem::remove(err_path_);
}

void Program::Signal(int number) const { kill(pid_, number); }

bool Program::Running() const {
  siginfo_t info{};
  return !reaped_ &&
         waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

Ended Program::Wait(std::chrono::milliseconds limit) {
  Ended ended;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (Running() && std::chrono::steady_clock::now() < until) ShortPause();
  if (Running()) {
    ADD_FAILURE() << "still running after " << limit.count() << " ms";
    kill(-pid_, SIGKILL);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  reaped_ = true;
  ended.signaled = WIFSIGNALED(status);
  ended.value = ended.signaled ? WTERMSIG(status) : WEXITSTATUS(status);
  ended.out = ReadFile(out_path_);
  ended.err = ReadFile(err_path_);
  return ended;
}

TempDir::TempDir() {
  std::string path = testing::TempDir() + "oj_fake_XXXXXX";
  path_ = mkdtemp(path.data()) == nullptr ? "" : path;
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void ShortPause() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

}  // namespace oj::fakes
