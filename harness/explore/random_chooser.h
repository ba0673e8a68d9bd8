// RandomChooser: decisions from a seed. Half of the seeds are swarm runs: each class of faults is
// on or off, with a random part of its sites, at a random multiple of their rates; in the other
// half everything is on as the sites say. Workload and schedule are always on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "explore/chooser.h"
#include "explore/pct.h"

namespace oj::sim {

// How decisions are drawn.
struct Way {
  std::uint32_t without = 0;  // classes that stay at the default; the others choose as with them
  bool swarm = true;          // half of the seeds; false: everything is always on
  unsigned pct = 0;           // strands by priorities, for bugs of that depth; 0: at random
};

class RandomChooser final : public Chooser {
 public:
  explicit RandomChooser(std::uint64_t seed, const Way& way = {});

  bool AsksWho() const override { return pct_.has_value(); }
  void Among(std::span<const std::uint32_t> strands) override { who_ = strands; }
  const std::optional<Pct>& pct() const { return pct_; }

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
  Way way_;
  std::optional<Pct> pct_;
  std::span<const std::uint32_t> who_;  // of the next choice among strands
  bool swarm_;
  std::array<Class, kSiteClasses> classes_;
  std::vector<std::uint64_t> thresholds_;  // by site: of 2^32; kUniform: all choices alike
};

}  // namespace oj::sim
