// RandomChooser: decisions from a seed. Half of the seeds are swarm runs: each class of faults is
// on or off, with a random part of its sites, at a random multiple of their rates; in the other
// half everything is on as the sites say. Workload and schedule are always on.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "explore/chooser.h"

namespace oj::sim {

class RandomChooser final : public Chooser {
 public:
  // `without`: classes that stay at the default; the others choose as they would with them.
  explicit RandomChooser(std::uint64_t seed, std::uint32_t without = 0);

  bool swarm() const { return swarm_; }
  bool on(SiteClass kind) const { return classes_[static_cast<std::size_t>(kind)].on; }
  // For people: "swarm: process x1/2, transport off, ...".
  std::string About() const;

 private:
  // splitmix64: one stream for each class, and one for the settings of the run.
  struct Stream {
    std::uint64_t state = 0;
    std::uint64_t Next() {
      std::uint64_t z = state += 0x9e3779b97f4a7c15u;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      return z ^ (z >> 31);
    }
  };
  struct Class {
    Stream stream;
    bool on = true;
    unsigned quarters = 4;  // the rates' multiple, in quarters
  };

  std::uint32_t Draw(const Site& site, std::uint32_t index, std::uint32_t entity,
                     std::uint32_t n) override;
  void OnNewSite(const Site& site) override;

  std::uint64_t seed_;
  std::uint32_t without_;
  bool swarm_;
  std::array<Class, kSiteClasses> classes_;
  std::vector<std::uint64_t> thresholds_;  // by site: of 2^32; kUniform: all choices alike
};

}  // namespace oj::sim
