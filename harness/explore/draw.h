// Draw: scripted scenarios from a generated workload: what the mix asks for, at times of a coarse
// grid and with tools that misbehave by rule, so that the same can be run in all worlds.
#pragma once

#include <cstdint>

#include "scenario/scenario.h"

namespace oj::sim {

// A number from a seed, the same on every machine (splitmix64).
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  // Below n, which is not 0.
  std::uint32_t Below(std::uint32_t n) {
    return static_cast<std::uint32_t>((Next() >> 32) * n >> 32);
  }
  bool OneIn(std::uint32_t n) { return Below(n) == 0; }
  template <class List>
  const auto& Of(const List& list) {
    return list[Below(static_cast<std::uint32_t>(std::size(list)))];
  }

 private:
  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

// For the simulation and that other world. The same scenario for the same seed; its path is the
// mix's with "#seed".
Scenario DrawScenario(const Scenario& mix, std::uint64_t seed, World other);

}  // namespace oj::sim
