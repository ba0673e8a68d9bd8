#include "explore/keyed_chooser.h"

#include <algorithm>
#include <utility>

namespace oj::sim {
namespace {

constexpr std::uint32_t kNotNamed = ~std::uint32_t{0};

std::uint64_t KeyOf(std::uint32_t site, std::uint32_t entity) {
  return std::uint64_t{site} << 32 | entity;
}

}  // namespace

std::vector<KeyedDecision> KeyedOf(const Chooser& chooser, bool all) {
  std::unordered_map<std::uint64_t, std::uint32_t> made;
  std::vector<KeyedDecision> keyed;
  for (const Decision& each : chooser.tape()) {
    const std::uint32_t ordinal = made[KeyOf(each.site, each.entity)]++;
    if (each.choice == 0 && !all) continue;
    keyed.push_back({chooser.site_names()[each.site], chooser.site_kinds()[each.site], each.entity,
                     ordinal, each.n, each.choice});
  }
  return keyed;
}

KeyedChooser::KeyedChooser(const std::vector<KeyedDecision>& decisions) {
  for (const KeyedDecision& each : decisions) {
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    const std::uint32_t number = numbers_.try_emplace(each.site, next).first->second;
    tracks_[KeyOf(number, each.entity)].choices.emplace_back(each.ordinal, each.choice);
  }
}

void KeyedChooser::OnNewSite(const Site& site) {
  const auto named = numbers_.find(std::string(site.name));
  number_of_.push_back(named == numbers_.end() ? kNotNamed : named->second);
}

std::uint32_t KeyedChooser::Draw(const Site&, std::uint32_t index, std::uint32_t entity,
                                 std::uint32_t n) {
  if (number_of_[index] == kNotNamed) return 0;
  const auto found = tracks_.find(KeyOf(number_of_[index], entity));
  if (found == tracks_.end()) return 0;
  Track& track = found->second;
  const std::uint32_t ordinal = track.made++;
  if (track.next == track.choices.size() || track.choices[track.next].first != ordinal) return 0;
  // Where fewer ways are left than there were, the last stands for those that are gone.
  return std::min(track.choices[track.next++].second, n - 1);
}

}  // namespace oj::sim
