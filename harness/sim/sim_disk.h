// SimDisk: what lies on the disk of the simulated world; outlives daemons.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oj/file_system.h"

namespace oj::sim {

// Below a modelled root only what was made is there. Elsewhere every absolute path is a directory:
// where sessions begin is of no interest.
class SimDisk {
 public:
  struct Node {
    FileType type = FileType::kNone;
    std::string content;
    std::uint64_t inode = 0;
    std::uint64_t since = 0;       // the version with which it came to its path
    std::int64_t modified_ms = 0;  // of the wall clock
  };
  using Nodes = std::map<std::string, Node, std::less<>>;  // by path

  // The wall clock in ms; without one it is always the epoch.
  void TellTime(std::function<std::int64_t()> now) { now_ms_ = std::move(now); }
  void Model(std::string root) { roots_.push_back(std::move(root)); }

  FileInfo Stat(std::string_view path) const;
  FileType TypeOf(std::string_view path) const { return Stat(path).type; }
  bool Exists(std::string_view path) const { return TypeOf(path) != FileType::kNone; }
  const Node* Find(std::string_view path) const;
  std::vector<std::string> List(const std::string& directory) const;   // names, sorted
  std::vector<std::string> Below(const std::string& directory) const;  // paths, parents first
  std::string Read(std::string_view file) const;                       // "" if there is none
  const Nodes& nodes() const { return nodes_; }

  // Parents are made where they are missing.
  void MakeDirectories(const std::string& path);
  void Write(const std::string& file, std::string content);
  // With all that is below; `from` exists, `to` does not.
  void Rename(const std::string& from, const std::string& to);
  void Erase(const std::string& path);

  // Rises with every change.
  std::uint64_t version() const { return version_; }
  // The version with which something last went from that path; 0: never.
  std::uint64_t GoneSince(const std::string& path) const;

  // Power can be lost. The disk keeps changes in order: what survives is a beginning of them, and
  // all that was made before the store's last commit.
  void KeepUnsynced() { keeps_ = true; }
  void Sync() { unsynced_.clear(); }
  std::size_t unsynced() const { return unsynced_.size(); }
  // All but the first `kept` of the unsynced changes are lost. The version that is there again.
  std::uint64_t LoseUnsynced(std::size_t kept = 0);

 private:
  void Change();
  Node& Put(const std::string& path, FileType type);

  std::function<std::int64_t()> now_ms_ = [] { return std::int64_t{0}; };
  std::vector<std::string> roots_;
  Nodes nodes_;
  std::map<std::string, std::uint64_t> gone_;
  std::uint64_t version_ = 0;
  std::uint64_t last_inode_ = 1;
  bool keeps_ = false;
  struct Before {
    std::uint64_t version;
    Nodes nodes;
  };
  std::vector<Before> unsynced_;  // each change since the last commit
};

}  // namespace oj::sim
