#include "terminal/status_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "terminal/colour.h"
#include "terminal/width.h"

namespace oj::terminal {
namespace {

constexpr Duration kLeastPause = std::chrono::milliseconds(100);
constexpr int kUsualColumns = 80;
// Before that nothing is known of the pace.
constexpr Duration kFirstGuess = std::chrono::milliseconds(500);

void WriteToStandardError(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

bool StatusLine::Due() const {
  return screen_.redraws && (!drawn_ || screen_.now() - last_ >= kLeastPause) && InFront();
}

void StatusLine::Show(std::string_view line) {
  if (!screen_.redraws) return;
  // The last column stays free: some terminals go to the next line after it.
  const int known = screen_.columns();
  const int room = std::max(known > 0 ? known : kUsualColumns, 8) - 1;
  ShowFitted(Cut(line, static_cast<std::size_t>(room), "~"));
}

void StatusLine::ShowFitted(std::string line) {
  kept_ = std::move(line);
  Flush();
}

void StatusLine::Flush() {
  if (kept_.empty() || !Due()) return;
  last_ = screen_.now();
  drawn_ = true;
  screen_.write("\r" + kept_ + "\x1b[K");
  kept_.clear();
}

void StatusLine::Clear() {
  if (drawn_ && InFront()) screen_.write("\r\x1b[K");
  drawn_ = false;
  kept_.clear();
}

bool InForeground() {
  const pid_t front = tcgetpgrp(STDERR_FILENO);
  return front < 0 || front == getpgrp();
}

StatusLine::Screen StandardError() {
  return {.write = WriteToStandardError,
          .columns =
              [] {
                winsize size{};
                return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? int{size.ws_col} : 0;
              },
          .now = [] { return Instant(std::chrono::steady_clock::now().time_since_epoch()); },
          .redraws = Redraws(isatty(STDERR_FILENO) == 1),
          .in_front = InForeground};
}

std::string TimeLeft(double done, double total, Duration so_far) {
  if (done <= 0 || total <= done || so_far < kFirstGuess) return "";
  const double seconds = static_cast<double>(so_far.count()) / 1e9 * (total - done) / done;
  char text[32];
  if (seconds < 100) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else if (seconds < 100 * 60) {
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof text, "%.0f h", seconds / 3600);
  }
  return text;
}

}  // namespace oj::terminal
