#include "cli/log_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "cli/posix.h"

namespace oj::cli {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(100);

struct LogOptions {
  bool follow = false;
  int lines = 50;
};

Exit ExitAfterWrite(int error) { return error == EINTR ? kExitInterrupted : kExitDone; }

// Where the last `lines` lines of the file begin.
off_t BeginOfTail(int fd, int lines) {
  off_t at = lseek(fd, 0, SEEK_END);
  std::array<char, 65536> chunk;
  bool at_end = true;  // the newline that ends the last line begins no other
  while (at > 0) {
    const off_t from = std::max<off_t>(0, at - static_cast<off_t>(chunk.size()));
    const ssize_t got = pread(fd, chunk.data(), static_cast<std::size_t>(at - from), from);
    if (got <= 0) return at;
    for (ssize_t i = got; i-- > 0; at_end = false) {
      const bool newline = chunk[static_cast<std::size_t>(i)] == '\n';
      if (newline && !at_end && --lines == 0) return from + i + 1;
    }
    at = from;
  }
  return 0;
}

// Writes what the file holds from where it stands; 0 or an errno of out.
int CopyRest(int fd, const Environment& environment) {
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got <= 0) return 0;
    const int error = environment.out({chunk.data(), static_cast<std::size_t>(got)});
    if (error != 0) return error;
  }
}

UniqueFd OpenLog(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

// A log that was rotated away is another file, one that was cut is shorter than where we stand.
bool WasReplaced(int fd, const std::string& path) {
  struct stat ours{};
  struct stat there{};
  if (fstat(fd, &ours) != 0 || stat(path.c_str(), &there) != 0) return false;
  return ours.st_ino != there.st_ino || there.st_size < lseek(fd, 0, SEEK_CUR);
}

Outcome<Said> Follow(UniqueFd log, const Invocation& invocation) {
  const Environment& environment = invocation.environment;
  const std::string path = invocation.settings.LogFile();
  for (;;) {
    if (const int error = CopyRest(log.get(), environment); error != 0) {
      return Said{"", "", ExitAfterWrite(error)};
    }
    if (WasReplaced(log.get(), path)) {
      if (UniqueFd next = OpenLog(path)) log = std::move(next);
      continue;
    }
    const Deadline pause = Deadline::After(Now(), kLookAgain);
    if (AwaitFd(-1, 0, pause, environment.interrupt_fd).interrupted) {
      return Said{"", "", kExitInterrupted};
    }
  }
}

Outcome<Said> Logs(const LogOptions& options, const Invocation& invocation) {
  const std::string path = invocation.settings.LogFile();
  UniqueFd log = OpenLog(path);
  if (!log && errno == ENOENT) {
    return Failure{kExitNotFound, "daemon logs: there is no log yet at " + path,
                   "`oj daemon start` writes one"};
  }
  if (!log) {
    return Failure{kExitError, "daemon logs: cannot read " + path + ": " + ErrnoText(errno), "",
                   ""};
  }
  lseek(log.get(), BeginOfTail(log.get(), options.lines), SEEK_SET);
  if (options.follow) return Follow(std::move(log), invocation);
  return Said{"", "", ExitAfterWrite(CopyRest(log.get(), invocation.environment))};
}

}  // namespace

void AddLogCommand(CLI::App& daemon, Invocation& invocation) {
  auto options = std::make_shared<LogOptions>();
  CLI::App& command = AddCommand(
      daemon, invocation, "logs", "Print the end of ojd's log.", "oj daemon logs -n 100 -f",
      [options](const Invocation& given) { return Logs(*options, given); });
  command.add_flag("-f,--follow", options->follow, "Go on with what is written, until Ctrl-C");
  command.add_option("-n,--lines", options->lines, "Lines from the end (default: 50)")
      ->check(CLI::Range(1, 100'000'000));
}

}  // namespace oj::cli
