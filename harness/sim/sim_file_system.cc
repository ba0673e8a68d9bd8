#include "sim/sim_file_system.h"

#include <utility>

namespace oj::sim {
namespace {

constexpr Duration kChange = std::chrono::microseconds(60);

Error NothingThere(const std::string& path) {
  return {ErrorCode::kNotFound, path + ": no such file or directory", ""};
}

}  // namespace

Task<Result<FileInfo>> SimFileSystem::Stat(std::string path, bool) {
  co_await CancellationPoint();
  co_return disk_.Stat(path);
}

Task<Result<std::vector<std::string>>> SimFileSystem::List(std::string directory) {
  co_await CancellationPoint();
  if (disk_.TypeOf(directory) != FileType::kDirectory) co_return NothingThere(directory);
  co_return disk_.List(directory);
}

Task<Result<std::string>> SimFileSystem::Read(std::string file, std::size_t most) {
  co_await CancellationPoint();
  const SimDisk::Node* node = disk_.Find(file);
  if (node == nullptr) co_return NothingThere(file);
  if (node->type != FileType::kFile) {
    co_return Error{ErrorCode::kUnavailable, file + ": is a directory", ""};
  }
  co_return node->content.substr(0, most);
}

// What the core writes is for people: no model depends on it.
Task<Status> SimFileSystem::Write(std::string, std::function<std::string()> text) {
  auto pause = SleepFor(loop_, kChange);
  co_await pause;
  text();
  co_return Ok{};
}

Task<Status> SimFileSystem::MakeDirectories(std::string path) {
  co_await CancellationPoint();
  disk_.MakeDirectories(path);
  co_return Ok{};
}

Task<Status> SimFileSystem::Rename(std::string from, std::string to) {
  auto pause = SleepFor(loop_, kChange);
  co_await pause;
  if (disk_.Find(from) == nullptr) co_return NothingThere(from);
  if (disk_.Find(to) != nullptr) {
    co_return Error{ErrorCode::kConflict, to + ": exists already", ""};
  }
  disk_.Rename(from, to);
  co_return Ok{};
}

Task<Result<int>> SimFileSystem::FindUser(std::string program,
                                          std::vector<std::string> directories) {
  co_await CancellationPoint();
  co_return processes_.FindUser(program, directories);
}

// Deepest first: what a crash leaves is the beginning of the tree.
Task<Status> SimFileSystem::RemoveTree(std::string path) {
  std::vector<std::string> paths = disk_.Below(path);
  paths.insert(paths.begin(), path);
  while (!paths.empty()) {
    auto pause = SleepFor(loop_, kChange);
    co_await pause;
    disk_.Erase(paths.back());
    paths.pop_back();
  }
  co_return Ok{};
}

}  // namespace oj::sim
