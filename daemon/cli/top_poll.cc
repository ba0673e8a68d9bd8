#include "cli/top_poll.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/explain.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kName = "top: ";

// What the daemon says to it; the failure where it says nothing of the kind.
Outcome<json::object> AskFor(const std::string& type, const Invocation& invocation,
                             Connection& connection, Deadline deadline) {
  const Question question{.command = "top", .request = {{"type", type}}};
  auto reply = AskOn(connection, invocation, question, type, deadline);
  if (!reply) return reply.error();
  return std::move(reply->object);
}

}  // namespace

TopAnswer LookOnce(const Invocation& invocation, std::optional<Connection>& connection) {
  const Settings& settings = invocation.settings;
  const Deadline deadline = Deadline::After(Now(), settings.ipc.value);
  TopAnswer answer;
  if (!connection) {
    auto opened =
        Connection::Open(settings.Socket(), deadline, invocation.environment.interrupt_fd);
    if (!opened) {
      answer.failure = Explain(opened.error(), settings, {.command = "top"}, 0);
      return answer;
    }
    connection.emplace(*std::move(opened));
  }
  // Locks first: whoever waits for one then is still among the requests, or has ended.
  const std::pair<const char*, json::object*> questions[] = {{"Status", &answer.look.status},
                                                             {"Locks", &answer.look.locks},
                                                             {"Requests", &answer.look.requests}};
  for (const auto& [type, to] : questions) {
    auto reply = AskFor(type, invocation, *connection, deadline);
    if (!reply) {
      answer.failure = reply.error();
      connection.reset();
      return answer;
    }
    *to = *std::move(reply);
  }
  answer.answered = true;
  return answer;
}

TopPoll::TopPoll(const Invocation& invocation, Duration every, int news_fd)
    : invocation_(invocation),
      every_(every),
      news_fd_(news_fd),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      since_(Now()),
      thread_([this] { Run(); }) {}

TopPoll::~TopPoll() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

TopLook TopPoll::Last() {
  const std::lock_guard lock(mutex_);
  TopLook look = look_;
  look.silent = Now() - since_;
  return look;
}

void TopPoll::Run() {
  // Signals are the main thread's: what it does next depends on those that it has had.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  Environment environment = invocation_.environment;
  environment.interrupt_fd = stop_.get();
  environment.err_is_terminal = false;  // the screen is another's
  Invocation asking{.environment = environment,
                    .options = {},
                    .settings = invocation_.settings,
                    .tail = {},
                    .command = {},
                    .app = nullptr};
  std::optional<Connection> connection;
  for (;;) {
    const Instant begun = Now();
    TopAnswer answer = LookOnce(asking, connection);
    // A connection that has died is no reason for a gap: the daemon may be there again.
    if (!answer.answered && answer.failure.connection_lost) answer = LookOnce(asking, connection);
    {
      const std::lock_guard lock(mutex_);
      if (answer.answered) {
        look_ = std::move(answer.look);
        since_ = Now();
      }
      // What a daemon that has gone was doing is no news any more.
      if (answer.failure.exit == kExitNotFound) look_ = {};
      const std::string& message = answer.failure.message;
      const std::size_t name = message.starts_with(kName) ? kName.size() : 0;
      // How long there is no answer is told already.
      look_.trouble = answer.failure.exit == kExitTimedOut ? "" : OneLine(message.substr(name));
    }
    [[maybe_unused]] const ssize_t ignored = write(news_fd_, "\1\0\0\0\0\0\0\0", 8);
    if (AwaitFd(-1, 0, Deadline::After(begun, every_), stop_.get()).interrupted) return;
  }
}

}  // namespace oj::cli
