// ReplayChooser: the decisions of a tape once more. A tape that does not fit the run (another site,
// entity or n at a decision, too few or too many of them) is found out, never bent to fit.
#pragma once

#include <string>

#include "explore/chooser.h"
#include "explore/tape.h"

namespace oj::sim {

class ReplayChooser final : public Chooser {
 public:
  // `tape` must outlive it.
  explicit ReplayChooser(const Tape& tape) : recorded_(tape) {}

  // After the run: why the tape does not fit it; empty if it does. What the run showed is worth
  // nothing then: from the first misfit on all choices were 0.
  std::string Misfit() const;

 private:
  std::uint32_t Draw(const Site& site, std::uint32_t index, std::uint32_t entity,
                     std::uint32_t n) override;

  const Tape& recorded_;
  std::size_t next_ = 0;  // of the recorded decisions
  std::string misfit_;
};

}  // namespace oj::sim
