#include "os/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace oj {
namespace {

Error Unavailable(const std::string& what, int error) {
  return {ErrorCode::kUnavailable, what + ": " + std::generic_category().message(error), ""};
}
Error Refused(const std::string& directory, const std::string& why) {
  return {ErrorCode::kUnavailable, "state directory '" + directory + "' " + why, ""};
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return Ok{};
  const int error = errno;
  const auto slash = path.rfind('/');
  if (error != ENOENT || slash == std::string::npos || slash == 0) {
    return Unavailable("state directory '" + path + "'", error);
  }
  if (Status status = MakeDirectory(path.substr(0, slash)); !status) return status;
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return Ok{};
  return Unavailable("state directory '" + path + "'", errno);
}

// Who holds the lock; a daemon that has just taken it has yet to write its pid.
std::string HolderOf(int fd) {
  constexpr int kAttempts = 50;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    char text[32];
    const ssize_t size = pread(fd, text, sizeof text, 0);
    if (size > 0) {
      std::string pid(text, static_cast<std::size_t>(size));
      const auto end = pid.find('\n');
      if (end != std::string::npos) return "pid " + pid.substr(0, end);
    }
    constexpr timespec kPause = {0, 2'000'000};
    nanosleep(&kPause, nullptr);
  }
  return "an unknown pid";
}

// A daemon that ends removes the file while it holds the lock: what we have locked may be gone.
bool IsStillThere(int fd, const std::string& path) {
  struct stat ours{};
  struct stat there{};
  return fstat(fd, &ours) == 0 && stat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

// Close-on-exec: a tmux server that inherited the lock would hold it for ever.
Result<UniqueFd> LockPidFile(const std::string& directory) {
  const std::string path = PidFilePath(directory);
  for (;;) {
    UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return Unavailable("open '" + path + "'", errno);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return Unavailable("lock '" + path + "'", errno);
      return Error{ErrorCode::kConflict,
                   "another daemon holds '" + path + "': " + HolderOf(fd.get()), ""};
    }
    if (IsStillThere(fd.get(), path)) return fd;
  }
}

Status WritePid(const UniqueFd& fd, const std::string& path) {
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Unavailable("write '" + path + "'", errno);
  }
  return Ok{};
}

Status RemoveStaleSocket(const std::string& path) {
  struct stat file{};
  if (lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return Ok{};
    return Unavailable("stat '" + path + "'", errno);
  }
  if (!S_ISSOCK(file.st_mode)) {
    return Error{ErrorCode::kUnavailable, "'" + path + "' is in the way and is no socket", ""};
  }
  if (unlink(path.c_str()) != 0) return Unavailable("remove '" + path + "'", errno);
  return Ok{};
}

}  // namespace

Result<std::string> StateDirPath(const std::string& flag) {
  if (!flag.empty()) return flag;
  if (auto own = Variable("OJ_STATE_DIR"); !own.empty()) return own;
  if (const auto xdg = Variable("XDG_STATE_HOME"); !xdg.empty()) return xdg + "/oj";
  if (const auto home = Variable("HOME"); !home.empty()) return home + "/.local/state/oj";
  return Error{ErrorCode::kInvalidRequest,
               "no state directory: set OJ_STATE_DIR, XDG_STATE_HOME or HOME", ""};
}

Status PrepareStateDir(const std::string& directory) {
  std::string path = directory;
  // With a slash at its end, a link would be followed.
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (Status status = MakeDirectory(path); !status) return status;
  struct stat file{};
  if (lstat(path.c_str(), &file) != 0) {
    return Unavailable("state directory '" + path + "'", errno);
  }
  if (S_ISLNK(file.st_mode)) return Refused(path, "is a symbolic link");
  if (!S_ISDIR(file.st_mode)) return Refused(path, "is not a directory");
  if (file.st_uid != geteuid()) {
    return Refused(path, "belongs to another user (uid " + std::to_string(file.st_uid) + ")");
  }
  // Where others could write, what lies there may be theirs. Where they could only read, ours is
  // the directory, and closing it is enough.
  if ((file.st_mode & 022) != 0) {
    return Refused(path, "is writable by other users: its mode must be 0700");
  }
  if ((file.st_mode & 077) != 0 && chmod(path.c_str(), 0700) != 0) {
    return Unavailable("state directory '" + path + "'", errno);
  }
  return Ok{};
}

StateDir::StateDir(std::string path, UniqueFd pid_file)
    : path_(std::move(path)), pid_file_(std::move(pid_file)) {}

StateDir::~StateDir() {
  const std::string path = PidFilePath(path_);
  if (IsStillThere(pid_file_.get(), path)) unlink(path.c_str());
}

Result<std::unique_ptr<StateDir>> StateDir::Acquire(const std::string& directory) {
  if (Status status = PrepareStateDir(directory); !status) return std::move(status).error();
  auto lock = LockPidFile(directory);
  if (!lock) return std::move(lock).error();
  std::unique_ptr<StateDir> state(new StateDir(directory, std::move(lock).value()));
  if (Status status = WritePid(state->pid_file_, PidFilePath(directory)); !status) {
    return std::move(status).error();
  }
  if (Status status = RemoveStaleSocket(state->socket()); !status) {
    return std::move(status).error();
  }
  return state;
}

}  // namespace oj
