// ProgressMeter: how far a request has got, on stderr: a bar on a terminal, which also tells what
// is under way, else a line a step.
#pragma once

#include <string>

#include "cli/environment.h"
#include "cli/question.h"

namespace oj::cli {

// "pruning [#####-----] 5/10 ws-abc", at most `columns` wide (0: unknown).
std::string BarOf(const std::string& title, const Progress& progress, int columns, bool color);

class ProgressMeter {
 public:
  ProgressMeter(const Environment& environment, std::string title);
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;
  ~ProgressMeter() { Clear(); }

  // One thing alone is not shown.
  void Show(const Progress& progress);
  // Takes the bar off the screen; lines stay.
  void Clear();
  // What was shown last; a total of 0: nothing yet.
  const Progress& last() const { return last_; }

 private:
  const Environment& environment_;
  const std::string title_;
  const bool bar_;
  bool drawn_ = false;
  Progress last_;
};

}  // namespace oj::cli
