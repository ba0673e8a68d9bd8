// KeyedChooser: decisions by what they are about: the how-manieth of a site for an entity. So they
// keep their meaning when others before them fall away, as when a failure is reduced, or when one
// fault is put into a run. All that are not named are 0.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "explore/chooser.h"

namespace oj::sim {

struct KeyedDecision {
  std::string site;
  SiteClass kind;
  std::uint32_t entity;
  std::uint32_t ordinal;  // among those of that site and entity, from 0
  std::uint32_t n;        // as it was
  std::uint32_t choice;
};

// What a chooser has decided, in order. `all`: also the defaults.
std::vector<KeyedDecision> KeyedOf(const Chooser& chooser, bool all);

class KeyedChooser final : public Chooser {
 public:
  explicit KeyedChooser(const std::vector<KeyedDecision>& decisions);

 private:
  // The decisions of one site for one entity: how many were made, and those that are not 0.
  struct Track {
    std::uint32_t made = 0;
    std::size_t next = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> choices;  // ordinal, choice; ascending
  };

  std::uint32_t Draw(const Site& site, std::uint32_t index, std::uint32_t entity,
                     std::uint32_t n) override;
  void OnNewSite(const Site& site) override;

  std::unordered_map<std::string, std::uint32_t> numbers_;  // of the sites that are named
  std::unordered_map<std::uint64_t, Track> tracks_;         // by such a number and entity
  std::vector<std::uint32_t> number_of_;                    // by the index in site_names()
};

}  // namespace oj::sim
