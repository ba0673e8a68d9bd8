// TopPoll: looks at the daemon again and again, in a thread of its own: whoever shows what it saw
// never waits for a daemon that does not answer.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/top_view.h"

namespace oj::cli {

// One look, on a connection of its own or on the one that is there. The reply's fields, or why
// there is none. `exit`: of a command that only looks once.
struct TopAnswer {
  TopLook look = {};
  Failure failure = {};
  bool answered = false;
};

class TopPoll {
 public:
  // Each look is bounded by the invocation's limit for a reply. `news_fd` (not owned) is written to
  // after each.
  TopPoll(const Invocation& invocation, Duration every, int news_fd);
  TopPoll(const TopPoll&) = delete;
  TopPoll& operator=(const TopPoll&) = delete;
  // Ends what is under way.
  ~TopPoll();

  // What was seen last, and how long ago.
  TopLook Last();

 private:
  void Run();

  Invocation invocation_;
  const Duration every_;
  const int news_fd_;
  UniqueFd stop_;  // an eventfd; readable: end
  std::mutex mutex_;
  TopLook look_;
  Instant since_;  // the last answer, or the begin
  std::thread thread_;
};

// One look. Uses `connection`, and fills it where it is empty; empty after a failure.
TopAnswer LookOnce(const Invocation& invocation, std::optional<Connection>& connection);

}  // namespace oj::cli
