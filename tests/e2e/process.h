// Programs that the end-to-end tests start, and what /proc tells of processes. Always bounded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace oj::e2e {

using std::chrono::milliseconds;

// Variables set for a program, beside those that this process has.
using Environment = std::map<std::string, std::string>;

struct Ended {
  bool in_time = false;  // false: it was killed by Wait()
  bool signaled = false;
  int code = 0;  // exit status, or the signal
  std::string out;
  std::string err;
  milliseconds took{};
};

// A running program in a group of its own, with default signals; the destructor kills the group
// and reaps it. Its output goes to files, so that no grandchild can hold up a test by a pipe.
class Process {
 public:
  // `output` is the path that ".out" and ".err" are added to.
  Process(const std::vector<std::string>& argv, const Environment& environment, std::string output);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  bool Running() const;
  // After `limit` the group is killed.
  Ended Wait(milliseconds limit = milliseconds(30000));
  std::string Out() const;
  std::string Err() const;

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  std::chrono::steady_clock::time_point begun_;
  std::string output_;
};

// The state's letter in /proc/<pid>/stat; 0: there is no such process.
char StateOf(pid_t pid);
inline bool IsAlive(pid_t pid) { return StateOf(pid) != 0 && StateOf(pid) != 'Z'; }
std::vector<pid_t> ChildrenOf(pid_t pid);
// What the descriptors of `pid` lead to, as the links in /proc say.
std::vector<std::string> DescriptorsOf(pid_t pid);
// Resident memory in KiB.
long ResidentKiB(pid_t pid);
// CPU time used so far.
milliseconds CpuTimeOf(pid_t pid);
// Processes whose program is `path`.
std::vector<pid_t> RunningFrom(const std::string& path);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& text);

// Looks every few milliseconds.
template <class Condition>
bool Eventually(Condition condition, milliseconds limit = milliseconds(10000)) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return condition();
}

}  // namespace oj::e2e
