// SimFileSystem: the disk of the simulated world. Every absolute path is a directory until it is
// said that nothing is there.
#pragma once

#include <map>
#include <string>

#include "oj/file_system.h"

namespace oj::sim {

// What is known of paths; outlives a daemon.
class SimDisk {
 public:
  FileType TypeOf(const std::string& path) const;
  void Set(const std::string& path, FileType type) { known_[path] = type; }
  const std::map<std::string, FileType>& known() const { return known_; }

 private:
  std::map<std::string, FileType> known_;  // kNone: nothing is there, nor below
};

class SimFileSystem final : public FileSystem {
 public:
  explicit SimFileSystem(SimDisk& disk) : disk_(disk) {}
  Task<Result<FileInfo>> Stat(std::string path, bool follow) override;
  Task<Result<std::vector<std::string>>> List(std::string directory) override;
  Task<Status> MakeDirectories(std::string path) override;
  Task<Status> Rename(std::string from, std::string to) override;
  Task<Status> RemoveTree(std::string path) override;

 private:
  SimDisk& disk_;
};

}  // namespace oj::sim
