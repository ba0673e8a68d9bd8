// SimFileSystem: the FileSystem of one daemon's life over the disk of the simulated world. What
// changes the disk takes a moment before it is done; a tree is removed entry by entry.
#pragma once

#include <string>
#include <vector>

#include "oj/file_system.h"
#include "sim/sim_disk.h"
#include "sim/sim_loop.h"
#include "sim/sim_processes.h"

namespace oj::sim {

class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem(SimLoop& loop, SimDisk& disk, const SimProcesses& processes)
      : loop_(loop), disk_(disk), processes_(processes) {}
  Task<Result<FileInfo>> Stat(std::string path, bool follow) override;
  Task<Result<std::vector<std::string>>> List(std::string directory) override;
  Task<Result<std::string>> Read(std::string file, std::size_t most) override;
  Task<Status> Write(std::string file, std::function<std::string()> text) override;
  Task<Status> MakeDirectories(std::string path) override;
  Task<Status> Rename(std::string from, std::string to) override;
  Task<Status> RemoveTree(std::string path) override;
  Task<Result<int>> FindUser(std::string program, std::vector<std::string> directories) override;

 private:
  SimLoop& loop_;
  SimDisk& disk_;
  const SimProcesses& processes_;
};

}  // namespace oj::sim
