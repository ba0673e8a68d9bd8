#include "os/proc_fs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <system_error>

namespace oj {
namespace {

UniqueFd Open(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

// Appends what is left of the file from its beginning. False: a read failed.
bool ReadAll(int fd, std::string& out) {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t n = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(out.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    out.append(buffer.data(), static_cast<std::size_t>(n));
    if (n == 0) return true;
  }
}

// In one read: an environment that comes in several ends early if the process execs in between.
bool ReadAtOnce(int fd, std::string& out) {
  for (std::size_t room = 8192;; room *= 4) {
    out.resize(room);
    ssize_t n = 0;
    do {
      n = pread(fd, out.data(), room, 0);
    } while (n < 0 && errno == EINTR);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    if (out.size() < room) return n >= 0;
  }
}

std::string Directory(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::string ChildrenFile(pid_t thread) {
  return Directory(getpid()) + "/task/" + std::to_string(thread) + "/children";
}

void ParsePids(std::string_view text, std::vector<pid_t>& out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc()) out.push_back(pid);
    at = next + 1;
  }
}

// Empty: it cannot be read.
std::string LinkOf(const std::string& link) {
  std::array<char, 4096> path;
  const ssize_t n = readlink(link.c_str(), path.data(), path.size());
  return n > 0 ? std::string(path.data(), static_cast<std::size_t>(n)) : std::string();
}

// What stat says behind the name, from the state on; empty: there is no such process.
std::string Stat(pid_t pid) {
  const UniqueFd file = Open(Directory(pid) + "/stat");
  std::string text;
  if (!file || !ReadAll(file.get(), text)) return {};
  // "pid (name) S ...": the name may hold anything, parentheses included.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return {};
  return text.substr(name_end + 2);
}

// Where in its memory. In the middle of an exec it has none, or an empty one, before its code is
// set.
struct Environment {
  std::uint64_t code = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// Nothing: it is dead, or has no memory of its own, or is not for us to see.
std::optional<Environment> EnvironmentOf(pid_t pid) {
  // Fields 3 to 51 of proc(5); flags as in the kernel's sched.h.
  constexpr unsigned kExiting = 0x4, kKernelThread = 0x200000;
  std::istringstream fields(Stat(pid));
  std::string state, field;
  unsigned flags = 0;
  Environment environment;
  fields >> state;
  for (int i = 4; i < 9; ++i) fields >> field;
  fields >> flags;
  for (int i = 10; i < 26; ++i) fields >> field;
  fields >> environment.code;
  for (int i = 27; i < 50; ++i) fields >> field;
  if (!(fields >> environment.begin >> environment.end)) return std::nullopt;
  if (state == "Z" || state == "X" || (flags & (kExiting | kKernelThread)) != 0) {
    return std::nullopt;
  }
  if (!Open(Directory(pid) + "/environ")) return std::nullopt;
  return environment;
}

std::string ProgramOf(pid_t pid) { return LinkOf(Directory(pid) + "/exe"); }

// The dead have a name, too: those are not at work.
bool Runs(pid_t pid, std::string_view program) {
  const UniqueFd file = Open(Directory(pid) + "/comm");
  std::string name;
  if (!file || !ReadAll(file.get(), name)) return false;
  name.resize(std::min(name.size(), name.find('\n')));
  const bool named = name == program || name.starts_with(std::string(program) + "-");
  const std::string state = named ? ProcessState(pid) : std::string();
  return !state.empty() && state != "Z" && state != "X";
}

bool IsIn(std::string_view path, const std::vector<std::string>& directories) {
  return std::ranges::any_of(directories, [path](std::string_view directory) {
    return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
  });
}

bool MayWorkIn(const std::vector<std::string>& directories, pid_t pid) {
  const std::string at = LinkOf(Directory(pid) + "/cwd");
  if (at.empty() || IsIn(at, directories)) return true;
  std::error_code error;
  std::filesystem::directory_iterator file(Directory(pid) + "/fd", error), end;
  for (; !error && file != end; file.increment(error)) {
    if (IsIn(LinkOf(file->path()), directories)) return true;
  }
  return static_cast<bool>(error);
}

}  // namespace

pid_t StartingChild(pid_t thread) {
  const UniqueFd file = Open(ChildrenFile(thread));
  std::string text;
  if (!file || !ReadAll(file.get(), text)) return 0;
  std::vector<pid_t> children;
  ParsePids(text, children);
  const std::string own = ProgramOf(getpid());
  const auto at = std::ranges::find(children, own, ProgramOf);
  return at == children.end() ? 0 : *at;
}

std::string ProcessState(pid_t pid) { return Stat(pid).substr(0, 1); }

std::optional<std::string> VariableOf(pid_t pid, std::string_view name) {
  const UniqueFd file = Open(Directory(pid) + "/environ");
  std::string text;
  if (!file || !ReadAtOnce(file.get(), text)) return std::nullopt;
  if (text.empty()) {
    const auto known = EnvironmentOf(pid);
    const bool none = known && known->code != 0 && known->begin == known->end;
    return none ? std::optional(std::string()) : std::nullopt;
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) {
      return std::string(entry.substr(name.size() + 1));
    }
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return std::string();
}

bool MayHaveVariables(pid_t pid) { return EnvironmentOf(pid).has_value(); }

pid_t FindUserOf(const std::vector<std::string>& directories, std::string_view program) {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc", error), end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::vector<pid_t> pid;
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
      ParsePids(name, pid);
    if (pid.empty() || !Runs(pid[0], program)) continue;
    // What has died meanwhile cannot be looked at, and is no user.
    if (MayWorkIn(directories, pid[0]) && Runs(pid[0], program)) return pid[0];
  }
  return 0;
}

AdoptedList::AdoptedList() {
  file_ = Open(ChildrenFile(getpid()));
  if (!file_) throw std::system_error(errno, std::generic_category(), "/proc/.../children");
}

void AdoptedList::Read(std::vector<pid_t>& out) const {
  out.clear();
  std::array<char, 1024> few;
  ssize_t n = 0;
  do {
    n = pread(file_.get(), few.data(), few.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return;
  std::string_view text(few.data(), static_cast<std::size_t>(n));
  std::string many;
  if (text.size() == few.size()) {
    // The list may change between reads: a pid that is missed or cut is seen at the next look.
    ReadAll(file_.get(), many);
    text = many;
  }
  ParsePids(text, out);
}

}  // namespace oj
