// oj top
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "cli/command.h"
#include "cli/screen.h"
#include "cli/top_poll.h"
#include "terminal/colour.h"

namespace oj::cli {
namespace {

// A new size of the terminal is taken with the next picture.
constexpr Duration kRedraw = std::chrono::milliseconds(250);

struct TopOptions {
  int interval_ms = 1000;
  bool once = false;
};

Outcome<Said> Once(const Invocation& invocation) {
  std::optional<Connection> connection;
  TopAnswer answer = LookOnce(invocation, connection);
  if (!answer.answered) return answer.failure;
  if (invocation.settings.json) return Said{TopJson(answer.look)};
  std::string text;
  for (const std::string& line : TopLines(answer.look, ViewOf(invocation), 0)) text += line + "\n";
  return Said{text};
}

class Live {
 public:
  Live(const Invocation& invocation, Duration every)
      : invocation_(invocation),
        every_(every),
        news_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        screen_(invocation.environment),
        poll_(invocation, every, news_.get()) {}

  Exit Run() {
    for (;;) {
      if (const int error = Draw(); error != 0) {
        return error == EINTR ? kExitInterrupted : kExitDone;
      }
      if (const auto exit = Await()) return *exit;
    }
  }

 private:
  int Draw() {
    if (!paused_) {
      look_ = poll_.Last();
      if (look_.status.empty() && !look_.trouble.empty())
        look_.trouble = "waiting: " + look_.trouble;
    }
    look_.every = every_;
    look_.paused = paused_;
    look_.keys = invocation_.environment.keys_fd >= 0;
    const Size size = invocation_.environment.size();
    View view = ViewOf(invocation_);
    // The last column stays free: what erases the rest of a line would take a character from it.
    view.columns = (size.columns > 0 ? size.columns : 80) - 1;
    return screen_.Draw(TopLines(look_, view, size.rows > 0 ? size.rows : 24, &skip_));
  }

  // Until there is a reason to draw anew, or to end.
  std::optional<Exit> Await() {
    const Environment& environment = invocation_.environment;
    std::array<pollfd, 3> fds = {{{environment.interrupt_fd, POLLIN, 0},
                                  {environment.keys_fd, POLLIN, 0},
                                  {news_.get(), POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(Millis(kRedraw)));
    if (fds[0].revents != 0) return kExitInterrupted;
    std::uint64_t news = 0;
    [[maybe_unused]] const ssize_t ignored = read(news_.get(), &news, sizeof news);
    return fds[1].revents == 0 ? std::nullopt : ReadKeys();
  }

  std::optional<Exit> ReadKeys() {
    std::array<char, 256> bytes;
    const ssize_t got = read(invocation_.environment.keys_fd, bytes.data(), bytes.size());
    // The terminal has gone.
    if (got < 0 && errno != EINTR && errno != EAGAIN) return kExitDone;
    const std::string_view read(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    for (const Key key : KeysIn(read, rest_)) {
      if (key == Key::kQuit) return kExitDone;
      if (key == Key::kInterrupt) return kExitInterrupted;
      if (key == Key::kSuspend) screen_.Suspend();
      if (key == Key::kPause) paused_ = !paused_;
      if (key == Key::kDown) ++skip_;
      if (key == Key::kUp) skip_ -= std::min<std::size_t>(skip_, 1);
    }
    return std::nullopt;
  }

  const Invocation& invocation_;
  const Duration every_;
  UniqueFd news_;
  Screen screen_;
  TopPoll poll_;
  TopLook look_;
  bool paused_ = false;
  std::size_t skip_ = 0;
  std::string rest_;  // of a key that was read in part
};

Outcome<Said> Top(const TopOptions& options, const Invocation& invocation) {
  const Duration every = std::chrono::milliseconds(options.interval_ms);
  const bool redraws = terminal::Redraws(invocation.environment.out_is_terminal);
  if (options.once || invocation.settings.json || !redraws) return Once(invocation);
  return Said{"", "", Live(invocation, every).Run()};
}

}  // namespace

void AddTopCommand(CLI::App& parent, Invocation& invocation) {
  auto options = std::make_shared<TopOptions>();
  CLI::App& command = AddCommand(
      parent, invocation, "top", "Watch requests, leases and subprocesses, and who waits for whom.",
      "oj top", [options](const Invocation& given) { return Top(*options, given); });
  command
      .add_option("--interval", options->interval_ms, "Look every MS milliseconds (default: 1000)")
      ->type_name("MS")
      ->check(CLI::Range(50, 3'600'000));
  command.add_flag("--once", options->once,
                   "Print one look and end, as where there is no terminal");
}

}  // namespace oj::cli
