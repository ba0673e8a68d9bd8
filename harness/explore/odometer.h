// Odometer: all orders of a run, one after the other: the first so many decisions of the schedule
// take every choice that they have, the last one first. All else is as it should be.
#pragma once

#include <cstdint>
#include <vector>

#include "explore/chooser.h"

namespace oj::sim {

class Odometer {
 public:
  explicit Odometer(std::uint32_t most) : most_(most) {}
  // To the next order; false: all have been.
  bool Advance();

 private:
  friend class OdometerChooser;
  struct Wheel {
    std::uint32_t n;
    std::uint32_t choice;
  };
  std::uint32_t most_;         // decisions
  std::vector<Wheel> wheels_;  // of the run at hand
};

// For one run.
class OdometerChooser final : public Chooser {
 public:
  explicit OdometerChooser(Odometer& odometer) : odometer_(odometer) {}

 private:
  std::uint32_t Draw(const Site& site, std::uint32_t index, std::uint32_t entity,
                     std::uint32_t n) override;

  Odometer& odometer_;
  std::size_t next_ = 0;
};

}  // namespace oj::sim
