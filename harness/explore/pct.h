// Pct: probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010): strands run by
// random priorities, which change at depth - 1 random steps. A bug that needs `depth` things in an
// order is found in a run with a probability of at least 1 / (strands * steps^(depth - 1)).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace oj::sim {

class Pct {
 public:
  // Of a run's decisions among strands, the first so many may be points of change.
  static constexpr std::uint32_t kSteps = 400;

  Pct(std::uint64_t seed, unsigned depth);

  // The index of the strand that runs.
  std::uint32_t Pick(std::span<const std::uint32_t> strands);
  std::size_t strands() const { return priorities_.size(); }
  std::uint32_t steps() const { return step_; }

 private:
  std::uint64_t Next();

  std::uint64_t state_;
  std::vector<std::uint32_t> changes_;  // steps
  std::unordered_map<std::uint32_t, std::uint64_t> priorities_;
  std::uint32_t step_ = 0;
};

}  // namespace oj::sim
