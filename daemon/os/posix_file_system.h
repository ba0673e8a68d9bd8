// PosixFileSystem: the disk, on threads beside the loop. Removing a large tree has a thread of its
// own, so that nothing waits behind it.
#pragma once

#include <string>
#include <vector>

#include "oj/file_system.h"
#include "os/worker.h"

namespace oj {

class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(AsioLoop& loop) : quick_(loop), remover_(loop) {}

  Task<Result<FileInfo>> Stat(std::string path, bool follow) override;
  Task<Result<std::vector<std::string>>> List(std::string directory) override;
  Task<Result<std::string>> Read(std::string file, std::size_t most) override;
  Task<Status> Write(std::string file, std::function<std::string()> text) override;
  Task<Status> MakeDirectories(std::string path) override;  // new ones with mode 0700
  Task<Status> Rename(std::string from, std::string to) override;
  Task<Status> RemoveTree(std::string path) override;
  Task<Result<int>> FindUser(std::string program, std::vector<std::string> directories) override;

 private:
  Worker quick_;
  Worker remover_;
};

}  // namespace oj
