// Disk: work on files with a limit. A disk answers at once, or something is very wrong with it.
#pragma once

#include <string>
#include <utility>

#include "oj/clock.h"
#include "oj/error.h"

namespace oj {

inline constexpr Duration kDiskLimit = std::chrono::seconds(5);

// No cancel interrupts it. Error kUnavailable, beside the work's own: it was not done in time, and
// may yet be. `what`, for people: "look at '/a'".
template <class T>
Task<Result<T>> OnDisk(Clock& clock, Task<Result<T>> work, std::string what) {
  const Deadline limit = Deadline::After(clock.Now(), kDiskLimit);
  auto bounded = Shield(clock, limit, std::move(work));
  auto done = co_await std::move(bounded);
  if (!done) {
    co_return Error{
        ErrorCode::kUnavailable,
        std::move(what) + ": not done within " + std::to_string(Millis(kDiskLimit)) + " ms", ""};
  }
  co_return std::move(*done);
}

}  // namespace oj
