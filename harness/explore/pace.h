// How far many runs have got.
#pragma once

#include <cstdint>
#include <functional>

#include "oj/deadline.h"

namespace oj::sim {

struct Pace {
  std::uint64_t done = 0;   // runs
  std::uint64_t total = 0;  // that there will be; 0: unknown
  std::uint64_t found = 0;  // runs that broke a law; of a reduction: decisions that are left
  Duration real{};          // so far
};
// Called after each run: cheap, or it costs runs.
using TellPace = std::function<void(const Pace&)>;

}  // namespace oj::sim
