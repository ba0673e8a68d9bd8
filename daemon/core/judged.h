// What tools say that the core judges by. A redacted dump keeps these phrases, so that its replay
// is judged alike.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "oj/process_runner.h"

namespace oj {

inline constexpr std::string_view kJudged[] = {
    // tmux
    "no server running on", "no current target", "error connecting to", "No such file or directory",
    "server exited unexpectedly", "lost server", "can't find", "duplicate session",
    // git
    "not a git repository", "cannot change to", "worktrees/", "failed to read",
    "is already checked out at", "already used by worktree", "a branch named", "already exists",
    "cannot lock ref"};

// git of a lock file that is in its way: the path between the two counts as well (LockInTheWay).
inline constexpr std::string_view kUnableToCreate = "Unable to create '";
inline constexpr std::string_view kFileExists = "': File exists";

// One of them: any other text does not compile.
class Judged {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): reads as the text that it is
  consteval Judged(const char* text) : text_(text) {
    if (std::find(std::begin(kJudged), std::end(kJudged), text_) == std::end(kJudged)) {
      throw "is not in kJudged";
    }
  }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

inline bool Says(const ProcessResult& result, Judged text) {
  return result.err.find(text.text()) != std::string::npos;
}

}  // namespace oj
