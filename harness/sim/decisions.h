// Decisions: the world's way to the chooser: only of classes that are on, and all in the digest.
#pragma once

#include "explore/chooser.h"

namespace oj::sim {

inline constexpr std::uint32_t kAlwaysOn =
    BitOf(SiteClass::kWorkload) | BitOf(SiteClass::kSchedule);
inline constexpr std::uint32_t kAllFaults = (1u << kSiteClasses) - 1;

class Decisions {
 public:
  Decisions(Chooser& chooser, Digest& digest, std::uint32_t classes)
      : chooser_(chooser), digest_(digest), classes_(classes | kAlwaysOn) {}

  // Never two in one expression: their order would be the compiler's.
  std::uint32_t Pick(const Site& site, std::uint64_t entity, std::uint32_t n) {
    if (n <= 1 || (classes_ & BitOf(site.kind)) == 0) return 0;
    const std::uint32_t choice = chooser_.Choose(site, static_cast<std::uint32_t>(entity), n);
    digest_.Add(entity << 32 | choice);
    return choice;
  }
  bool AskWho() const { return chooser_.AsksWho(); }
  void Among(std::span<const std::uint32_t> strands) { chooser_.Among(strands); }
  // Faults stop.
  void Calm() { classes_ = kAlwaysOn; }

 private:
  Chooser& chooser_;
  Digest& digest_;
  std::uint32_t classes_;
};

}  // namespace oj::sim
