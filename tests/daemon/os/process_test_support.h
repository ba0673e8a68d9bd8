// For tests that start real processes: running a task to its value, running a command to its end,
// and counting what is left over.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oj/process_host.h"
#include "os/asio_loop.h"
#include "os/unique_fd.h"

namespace oj::test {

inline constexpr Duration kGenerous = std::chrono::seconds(20);

template <class T>
Task<void> Keep(Task<T> task, std::optional<T>& value) {
  T result = co_await std::move(task);
  value.emplace(std::move(result));
}
// Runs the task on the loop and returns its value.
template <class T>
T RunTask(AsioLoop& loop, Task<T> task) {
  std::optional<T> value;
  loop.Run(Keep(std::move(task), value));
  return std::move(*value);
}

struct Ended {
  bool in_time = false;
  int spawn_error = 0;
  ExitStatus status;
  std::string out;
  std::string err;
};

ProcessSpec Command(std::vector<std::string> argv);
ProcessSpec Shell(std::string script);
// Spawns, waits for the end and the output, reaps.
Task<Ended> RunToEnd(AsioLoop& loop, ProcessHost& host, ProcessSpec spec);
// Kills and sweeps until the tree is dead, then reaps the leader. False: not in time.
Task<bool> EndTree(AsioLoop& loop, ChildProcess& child);
// Looks every millisecond until `condition` holds. False: it did not in time.
Task<bool> Until(AsioLoop& loop, std::function<bool()> condition);

// Children of any thread of this process; with `state`, those in that state only.
int CountChildren(char state = 0);
int CountDescriptors();
bool Lives(int pid);  // and is no zombie

// A directory that is removed with everything in it.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A program whose exec blocks in the kernel, as one on a dead network disk does, until it is let go
// (or the kernel's lease-break-time is over, 45 s): this process has a lease on the file.
class HeldProgram {
 public:
  explicit HeldProgram(const std::filesystem::path& directory);
  // False: the file system knows no leases.
  bool held() const { return held_; }
  std::string path() const { return path_; }
  void LetGo();

 private:
  std::string path_;
  UniqueFd file_;
  bool held_ = false;
};

}  // namespace oj::test
