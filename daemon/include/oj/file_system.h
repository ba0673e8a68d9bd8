// FileSystem: the core's only way to the disk. Operations run beside the loop and cannot be
// cancelled once begun (a dead network disk holds them for ever): await them inside a Shield.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "oj/error.h"
#include "oj/task.h"

namespace oj {

enum class FileType : std::uint8_t { kNone, kFile, kDirectory, kSymlink, kOther };

struct FileInfo {
  FileType type = FileType::kNone;  // kNone: nothing is there
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;  // since the epoch
  std::uint64_t size = 0;        // bytes
};

// Implementations: PosixFileSystem (os), SimFileSystem (simulation). Paths are absolute. Symbolic
// links are not followed in the last component, unless said. Errors: kUnavailable with errno's
// text, kNotFound, kConflict (exists already, on another file system, or a
// mount).
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Task<Result<FileInfo>> Stat(std::string path, bool follow) = 0;
  virtual Task<Result<std::vector<std::string>>> List(std::string directory) = 0;  // names, sorted
  // The beginning of a file, at most `most` bytes.
  virtual Task<Result<std::string>> Read(std::string file, std::size_t most) = 0;
  // A new file with mode 0600; kConflict if something is there. `text` is called by whoever
  // writes, beside the loop: it owns what it uses. What could not be written whole is removed.
  virtual Task<Status> Write(std::string file, std::function<std::string()> text) = 0;
  virtual Task<Status> MakeDirectories(std::string path) = 0;
  // Atomic, refuses to replace; kConflict across file systems.
  virtual Task<Status> Rename(std::string from, std::string to) = 0;
  // Never follows a link out of the tree. Nothing there is no error.
  virtual Task<Status> RemoveTree(std::string path) = 0;
  // A living process of `program` ("git" is "git-upload-pack", too) that may be at work in one of
  // the directories: with its working directory or an open file in it, or of which that cannot be
  // seen. 0: there is none.
  virtual Task<Result<int>> FindUser(std::string program, std::vector<std::string> directories) = 0;
};

}  // namespace oj
