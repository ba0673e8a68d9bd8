// Random: the core's only source of chance (names of things; never decisions that a test cannot
// repeat). Implementations: SystemRandom (os), SimRandom (from the run's seed).
#pragma once

#include <cstdint>

namespace oj {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t Next() = 0;
};

}  // namespace oj
