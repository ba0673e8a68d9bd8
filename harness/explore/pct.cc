#include "explore/pct.h"

#include <algorithm>

namespace oj::sim {

Pct::Pct(std::uint64_t seed, unsigned depth) : state_(seed ^ 0x3c6ef372fe94f82bu) {
  for (unsigned i = 1; i < depth; ++i) {
    changes_.push_back(static_cast<std::uint32_t>(Next() % kSteps));
  }
}

// splitmix64
std::uint64_t Pct::Next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint32_t Pct::Pick(std::span<const std::uint32_t> strands) {
  std::uint32_t best = 0;
  std::uint64_t highest = 0;
  for (std::uint32_t i = 0; i < strands.size(); ++i) {
    const auto [at, is_new] = priorities_.try_emplace(strands[i], 0);
    // Above all that have been lowered.
    if (is_new) at->second = Next() | std::uint64_t{1} << 63;
    if (at->second > highest) {
      highest = at->second;
      best = i;
    }
  }
  const auto change = std::find(changes_.begin(), changes_.end(), step_++);
  if (change != changes_.end()) {
    priorities_[strands[best]] = static_cast<std::uint64_t>(change - changes_.begin()) + 1;
  }
  return best;
}

}  // namespace oj::sim
