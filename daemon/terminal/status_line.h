// StatusLine: one line of a terminal that is drawn over while something goes on, and gone when it
// has ended.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "oj/deadline.h"

namespace oj::terminal {

class StatusLine {
 public:
  struct Screen {
    std::function<void(std::string_view)> write;
    std::function<int()> columns;  // 0: unknown
    std::function<Instant()> now;
    bool redraws = false;  // else nothing is written at all
    // Whether the terminal is this process's own now: a job in the background does not draw over
    // what is in front. Absent: always.
    std::function<bool()> in_front{};
  };

  explicit StatusLine(Screen screen) : screen_(std::move(screen)) {}
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  ~StatusLine() { Clear(); }

  bool redraws() const { return screen_.redraws; }
  int columns() const { return screen_.columns(); }
  // Whether a line would be drawn now: not more than ten a second are.
  bool Due() const;
  // Draws the line, cut to the terminal; within a tenth of a second after the last, it is kept for
  // Flush().
  void Show(std::string_view line);
  // The same, of a line that fits already; it may have colours.
  void ShowFitted(std::string line);
  // Draws what was kept, once it is time.
  void Flush();
  void Clear();

 private:
  bool InFront() const { return !screen_.in_front || screen_.in_front(); }

  Screen screen_;
  std::string kept_;
  bool drawn_ = false;
  Instant last_ = Instant::min();
};

// Of the terminal that is standard error, if it is one.
bool InForeground();

// One on this process's standard error.
StatusLine::Screen StandardError();

// "12.3 s", "4 min", for what is left of something, at the pace so far; "" if nobody knows.
std::string TimeLeft(double done, double total, Duration so_far);

}  // namespace oj::terminal
