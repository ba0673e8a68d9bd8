// For tests of daemon/os: a directory of their own, and tasks run to their end on a loop.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "oj/clock.h"
#include "os/asio_loop.h"

namespace oj {

using namespace std::chrono_literals;

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "oj-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}
inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
Task<void> Keep(Task<T> task, std::optional<T>* out) {
  out->emplace(co_await std::move(task));
}

template <class T>
T RunOn(AsioLoop& loop, Task<T> task) {
  std::optional<T> result;
  loop.Run(Keep(std::move(task), &result));
  return std::move(*result);
}
inline void RunOn(AsioLoop& loop, Task<void> task) { loop.Run(std::move(task)); }

// Whether the task ended within `limit`; for those that must not end, a short one.
inline bool EndsWithin(AsioLoop& loop, Duration limit, Task<void> task) {
  return RunOn(loop, WithDeadline(loop, Deadline::After(loop.Now(), limit), std::move(task)));
}

inline int OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

}  // namespace oj
