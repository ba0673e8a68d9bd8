// Directories NAME-XXXXXX in the place for temporary files, each of which is somebody's as long as
// the file `lock` in it is locked. What has died without a word is known by its lock.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.h"

namespace oj::sim {

inline constexpr const char* kLockName = "lock";

// Locks the directory, which is empty: held while the descriptor, or a copy that a child process
// has, is open. Empty: it could not be locked.
UniqueFd Hold(const std::string& directory);
// Somebody of this user's holds it.
bool IsHeld(const std::string& directory);
// Itself and no link. Empty: it cannot be opened.
UniqueFd OpenDirectory(const std::string& path);
// Removes it by its descriptor, whatever becomes of its name; also directories in it that are
// closed to their owner. The lock goes last, and only if all else has gone: what is left is known
// by it still. False: something is left.
bool RemoveHeld(const std::string& path, const UniqueFd& opened);
// All of that name, sorted, with their full paths: held or not, and whoever's they are.
std::vector<std::string> DirectoriesNamed(std::string_view name);

// Calls `clean_up` with those of this user's that nobody holds any more, and holds them meanwhile;
// `opened` is the directory, whatever becomes of its name. One in which nothing was ever begun is
// removed without it. Returns what was found, and whether it is gone.
struct DeadDirectory {
  std::string path;
  bool removed;  // false: something is left
};
using CleanUp = std::function<bool(const std::string& path, const UniqueFd& opened)>;
std::vector<DeadDirectory> CleanUpDead(std::string_view name, const CleanUp& clean_up);

}  // namespace oj::sim
