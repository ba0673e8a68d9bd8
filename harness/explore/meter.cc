#include "explore/meter.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

namespace oj::sim {
namespace {

constexpr Duration kFirstLook = std::chrono::seconds(1);
constexpr Duration kLookAgain = std::chrono::milliseconds(100);

double Seconds(Duration time) { return static_cast<double>(time.count()) / 1e9; }

}  // namespace

Meter::Meter(std::string name, std::string found, Duration budget,
             terminal::StatusLine::Screen screen)
    : name_(std::move(name)), found_(std::move(found)), budget_(budget), line_(std::move(screen)) {}

TellPace Meter::Tell() {
  if (!line_.redraws()) return {};
  return [this](const Pace& pace) { Show(pace); };
}

void Meter::Show(const Pace& pace) {
  if (line_.Due()) line_.Show(Line(pace));
}

std::string Meter::Line(const Pace& pace) const {
  const auto done = static_cast<double>(pace.done);
  std::string line = name_ + ": " + std::to_string(pace.done);
  if (pace.total > 0) line += " of " + std::to_string(pace.total);
  line += " runs";
  if (pace.real >= kLookAgain) {
    char rate[48];
    std::snprintf(rate, sizeof rate, ", %.0f a second", done / Seconds(pace.real));
    line += rate;
  }
  line += ", " + std::to_string(pace.found) + " " + found_;
  // Whatever comes first: all runs, or the end of the time.
  double fraction = pace.total > 0 ? done / static_cast<double>(pace.total) : 0;
  if (budget_ > Duration::zero())
    fraction = std::max(fraction, Seconds(pace.real) / Seconds(budget_));
  const std::string left = terminal::TimeLeft(fraction, 1, pace.real);
  return left.empty() ? line : line + ", " + left + " left";
}

Waiting::Waiting(std::string what) {
  terminal::StatusLine::Screen screen = terminal::StandardError();
  if (!screen.redraws) return;
  thread_ = std::jthread([what = std::move(what), screen](std::stop_token stop) {
    terminal::StatusLine line(screen);
    const Instant begun = screen.now();
    std::mutex mutex;
    std::condition_variable_any bell;
    std::unique_lock lock(mutex);
    bell.wait_for(lock, stop, kFirstLook, [] { return false; });
    while (!stop.stop_requested()) {
      char seconds[32];
      std::snprintf(seconds, sizeof seconds, ", %.1f s", Seconds(screen.now() - begun));
      line.Show(what + seconds);
      bell.wait_for(lock, stop, kLookAgain, [] { return false; });
    }
  });
}

}  // namespace oj::sim
