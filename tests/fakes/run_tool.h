// Starts programs for the tests of the fakes and waits for them, always bounded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace oj::fakes {

using Environment = std::vector<std::pair<std::string, std::string>>;

struct Ended {
  bool signaled = false;
  int value = 0;  // exit code or signal
  std::string out;
  std::string err;
};

// A running program, in a group of its own. The destructor kills the group and reaps it.
class Program {
 public:
  Program(const std::vector<std::string>& argv, const Environment& environment);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // What it wrote is complete unless another process still holds its output: that is not waited
  // for. After `limit` it is killed, and the test has failed.
  Ended Wait(std::chrono::milliseconds limit = std::chrono::seconds(20));
  bool Running() const;

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  std::string out_path_;
  std::string err_path_;
};

inline Ended RunTool(const std::vector<std::string>& argv, const Environment& environment) {
  return Program(argv, environment).Wait();
}

// A directory that is removed with all that is in it.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& text);

void ShortPause();

// Looks every few milliseconds, for at most ten seconds.
template <class Condition>
bool Eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    ShortPause();
  }
  return false;
}

}  // namespace oj::fakes
