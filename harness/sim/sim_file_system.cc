#include "sim/sim_file_system.h"

namespace oj::sim {

// The nearest of the path and its parents that is known decides.
FileType SimDisk::TypeOf(const std::string& path) const {
  if (path.empty() || path[0] != '/') return FileType::kNone;
  std::string at = path;
  while (!at.empty()) {
    const auto found = known_.find(at);
    if (found != known_.end()) {
      const bool itself = at.size() == path.size();
      if (itself || found->second != FileType::kDirectory) {
        return itself ? found->second : FileType::kNone;
      }
    }
    at.resize(at.rfind('/'));
  }
  return FileType::kDirectory;
}

Task<Result<FileInfo>> SimFileSystem::Stat(std::string path, bool) {
  co_await CancellationPoint();
  FileInfo info;
  info.type = disk_.TypeOf(path);
  info.device = 1;
  co_return info;
}

Task<Result<std::vector<std::string>>> SimFileSystem::List(std::string directory) {
  co_await CancellationPoint();
  if (disk_.TypeOf(directory) != FileType::kDirectory) {
    co_return Error{ErrorCode::kNotFound, directory + ": no such directory", ""};
  }
  std::vector<std::string> names;
  const std::string prefix = directory + "/";
  for (const auto& [path, type] : disk_.known()) {
    if (type == FileType::kNone || !path.starts_with(prefix)) continue;
    std::string name = path.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(std::move(name));
  }
  co_return names;
}

Task<Status> SimFileSystem::MakeDirectories(std::string path) {
  co_await CancellationPoint();
  disk_.Set(path, FileType::kDirectory);
  co_return Ok{};
}

Task<Status> SimFileSystem::Rename(std::string from, std::string to) {
  co_await CancellationPoint();
  const FileType type = disk_.TypeOf(from);
  if (type == FileType::kNone) co_return Error{ErrorCode::kNotFound, from + ": is not there", ""};
  const auto known = disk_.known().find(to);
  if (known != disk_.known().end() && known->second != FileType::kNone) {
    co_return Error{ErrorCode::kConflict, to + ": exists already", ""};
  }
  disk_.Set(to, type);
  disk_.Set(from, FileType::kNone);
  co_return Ok{};
}

Task<Status> SimFileSystem::RemoveTree(std::string path) {
  co_await CancellationPoint();
  disk_.Set(path, FileType::kNone);
  co_return Ok{};
}

}  // namespace oj::sim
