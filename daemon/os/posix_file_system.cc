#include "os/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "os/proc_fs.h"
#include "os/unique_fd.h"

namespace oj {
namespace {

Error Failed(const std::string& what, int error) {
  ErrorCode code = ErrorCode::kUnavailable;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::kNotFound;
  if (error == EEXIST || error == ENOTEMPTY) code = ErrorCode::kConflict;
  if (error == EXDEV || error == EBUSY) code = ErrorCode::kConflict;  // a mount is in the way
  return {code, what + ": " + std::generic_category().message(error), ""};
}

std::string Quoted(const std::string& path) { return "'" + path + "'"; }

FileType TypeOf(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kFile;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kOther;
}

Result<FileInfo> StatNow(const std::string& path, bool follow) {
  struct stat file{};
  if (fstatat(AT_FDCWD, path.c_str(), &file, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileInfo{};
    return Failed("stat " + Quoted(path), errno);
  }
  FileInfo info;
  info.type = TypeOf(file.st_mode);
  info.device = file.st_dev;
  info.inode = file.st_ino;
  info.modified_ns = std::int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
  info.size = static_cast<std::uint64_t>(file.st_size);
  return info;
}

// An open directory and its entries' names, without "." and "..".
class Directory {
 public:
  explicit Directory(UniqueFd fd) : stream_(fd ? fdopendir(fd.get()) : nullptr) {
    if (stream_) fd.Release();
  }
  explicit operator bool() const { return stream_ != nullptr; }
  int fd() const { return dirfd(stream_.get()); }
  // Null at the end or with errno set.
  const dirent* Next() {
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(stream_.get());
      if (entry == nullptr) return nullptr;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return entry;
    }
  }

 private:
  struct Close {
    void operator()(DIR* stream) const { closedir(stream); }
  };
  std::unique_ptr<DIR, Close> stream_;
};

Directory OpenDirectory(int at, const char* name, int flags) {
  return Directory(UniqueFd(openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags)));
}

Result<std::vector<std::string>> ListNow(const std::string& path) {
  Directory directory = OpenDirectory(AT_FDCWD, path.c_str(), 0);
  if (!directory) return Failed("list " + Quoted(path), errno);
  std::vector<std::string> names;
  while (const dirent* entry = directory.Next()) names.emplace_back(entry->d_name);
  if (errno != 0) return Failed("list " + Quoted(path), errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> ReadNow(const std::string& path, std::size_t most) {
  // Not to wait for the writer of what turns out to be a FIFO.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return Failed("read " + Quoted(path), errno);
  std::string text(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const ssize_t got = read(file.get(), text.data() + size, most - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read " + Quoted(path), errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Status MakeDirectoriesNow(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string parent = path.substr(0, end);
    if (mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST) {
      return Failed("make directory " + Quoted(parent), errno);
    }
    if (end == std::string::npos) break;
  }
  struct stat file{};
  if (stat(path.c_str(), &file) != 0) return Failed("make directory " + Quoted(path), errno);
  if (!S_ISDIR(file.st_mode)) return Failed("make directory " + Quoted(path), EEXIST);
  return Ok{};
}

Status RenameNow(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    return Failed("rename " + Quoted(from) + " to " + Quoted(to), errno);
  }
  return Ok{};
}

// Removes what is called `name` in the directory `at`: 0 or an errno. Only names within open
// directories are used, so that a directory that is swapped for a link leads nowhere. The depth of
// the tree is bounded by the open descriptors (one a level) and by the stack.
int Remove(int at, const char* name, dev_t device) {
  // Never a directory: that gives EISDIR. Tried first, most entries are files.
  if (unlinkat(at, name, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return errno;
  Directory directory = OpenDirectory(at, name, O_NOFOLLOW);
  if (!directory && errno == EACCES && fchmodat(at, name, 0700, 0) == 0) {
    directory = OpenDirectory(at, name, O_NOFOLLOW);
  }
  if (!directory) return errno == ENOENT ? 0 : errno;
  struct stat self{};
  if (fstat(directory.fd(), &self) != 0) return errno;
  if (device != 0 && self.st_dev != device) return EXDEV;  // a mount is not ours to empty
  // Without write permission its entries could not be removed.
  if ((self.st_mode & 0700) != 0700) fchmod(directory.fd(), 0700);
  while (const dirent* entry = directory.Next()) {
    if (const int error = Remove(directory.fd(), entry->d_name, self.st_dev)) return error;
  }
  if (errno != 0) return errno;
  if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return errno;
}

Status RemoveTreeNow(const std::string& path) {
  // Somebody may still be writing into the tree: a directory that was not empty is tried again.
  int error = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    error = Remove(AT_FDCWD, path.c_str(), 0);
    if (error != ENOTEMPTY) break;
  }
  if (error == 0 || error == ENOTDIR) return Ok{};
  return Failed("remove " + Quoted(path), error);
}

Status WriteNow(const std::string& path, std::string_view text) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Failed("create " + Quoted(path), errno);
  while (!text.empty()) {
    const ssize_t size = write(fd.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      const int error = size < 0 ? errno : ENOSPC;
      unlink(path.c_str());
      return Failed("write " + Quoted(path), error);
    }
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return Ok{};
}

}  // namespace

Task<Result<FileInfo>> PosixFileSystem::Stat(std::string path, bool follow) {
  std::function<Result<FileInfo>()> job = [path = std::move(path), follow] {
    return StatNow(path, follow);
  };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Result<std::vector<std::string>>> PosixFileSystem::List(std::string directory) {
  std::function<Result<std::vector<std::string>>()> job = [directory = std::move(directory)] {
    return ListNow(directory);
  };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Result<std::string>> PosixFileSystem::Read(std::string file, std::size_t most) {
  std::function<Result<std::string>()> job = [file = std::move(file), most] {
    return ReadNow(file, most);
  };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Status> PosixFileSystem::Write(std::string file, std::function<std::string()> text) {
  std::function<Status()> job = [file = std::move(file), text = std::move(text)] {
    return WriteNow(file, text());
  };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Status> PosixFileSystem::MakeDirectories(std::string path) {
  std::function<Status()> job = [path = std::move(path)] { return MakeDirectoriesNow(path); };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Status> PosixFileSystem::Rename(std::string from, std::string to) {
  std::function<Status()> job = [from = std::move(from), to = std::move(to)] {
    return RenameNow(from, to);
  };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Result<int>> PosixFileSystem::FindUser(std::string program,
                                            std::vector<std::string> directories) {
  std::function<Result<int>()> job = [program = std::move(program),
                                      directories = std::move(directories)]() -> Result<int> {
    return FindUserOf(directories, program);
  };
  auto call = quick_.Call(std::move(job));
  co_return co_await std::move(call);
}

Task<Status> PosixFileSystem::RemoveTree(std::string path) {
  std::function<Status()> job = [path = std::move(path)] { return RemoveTreeNow(path); };
  auto call = remover_.Call(std::move(job));
  co_return co_await std::move(call);
}

}  // namespace oj
