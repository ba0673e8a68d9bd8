// ProgressMeter: how far a request has got, on stderr: a bar on a terminal, which also tells what
// is under way, else a line a step. On a terminal also how long there has been nothing to tell.
#pragma once

#include <string>

#include "cli/environment.h"
#include "cli/question.h"
#include "terminal/status_line.h"

namespace oj::cli {

// "pruning [#####-----] 5/10 ws-abc", at most `columns` wide (0: unknown).
std::string BarOf(const std::string& title, const Progress& progress, int columns, bool color);

class ProgressMeter {
 public:
  ProgressMeter(const Environment& environment, std::string title);

  // One thing alone is not shown.
  void Show(const Progress& progress);
  // Shows what there was no time for, or that it takes more than a second; to be called now and
  // then.
  void Tick();
  // Takes the bar off the screen; lines stay.
  void Clear() { line_.Clear(); }
  // What was shown last; a total of 0: nothing yet.
  const Progress& last() const { return last_; }
  // Whether this is a terminal.
  bool bar() const { return line_.redraws(); }

 private:
  const Environment& environment_;
  const std::string title_;
  terminal::StatusLine line_;
  const Instant begun_;
  Progress last_;
};

}  // namespace oj::cli
