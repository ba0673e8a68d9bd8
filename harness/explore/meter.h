// Meters on standard error, if that is a terminal: one line, gone when its meter is.
#pragma once

#include <string>
#include <thread>

#include "explore/pace.h"
#include "terminal/status_line.h"

namespace oj::sim {

// "explore: 300 of 1000 runs, 120 a second, 2 broke a law, 6 s left".
class Meter {
 public:
  // `found`: what is found, in words. `budget`: of real time; zero: none.
  Meter(std::string name, std::string found, Duration budget = {},
        terminal::StatusLine::Screen screen = terminal::StandardError());

  // For what is to be told; must not outlive this. Empty where nothing would be shown.
  TellPace Tell();
  void Show(const Pace& pace);

 private:
  std::string Line(const Pace& pace) const;

  const std::string name_;
  const std::string found_;
  const Duration budget_;
  terminal::StatusLine line_;
};

// "run: on real processes, 3.2 s", while something goes on that tells nothing.
class Waiting {
 public:
  explicit Waiting(std::string what);

 private:
  std::jthread thread_;
};

}  // namespace oj::sim
