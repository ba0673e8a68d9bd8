#include "explore/replay_chooser.h"

namespace oj::sim {
namespace {

std::string Show(std::string_view site, std::uint32_t entity, std::uint32_t n) {
  return std::string(site) + " of " + std::to_string(entity) + " among " + std::to_string(n);
}

}  // namespace

std::uint32_t ReplayChooser::Draw(const Site& site, std::uint32_t, std::uint32_t entity,
                                  std::uint32_t n) {
  if (!misfit_.empty()) return 0;
  const std::uint64_t number = tape_.size();
  if (number >= recorded_.total) {
    misfit_ = "the run makes more than the " + std::to_string(recorded_.total) +
              " recorded decisions: " + Show(site.name, entity, n);
    return 0;
  }
  if (next_ == recorded_.decisions.size() || recorded_.decisions[next_].index != number) return 0;
  const TapeEntry& entry = recorded_.decisions[next_++];
  if (entry.site == site.name && entry.entity == entity && entry.n == n) return entry.choice;
  misfit_ = "decision " + std::to_string(number) + " is " + Show(site.name, entity, n) +
            ", but was " + Show(entry.site, entry.entity, entry.n);
  return 0;
}

std::string ReplayChooser::Misfit() const {
  if (!misfit_.empty()) return misfit_;
  if (tape_.size() != recorded_.total) {
    return "the run makes " + std::to_string(tape_.size()) + " decisions, but made " +
           std::to_string(recorded_.total);
  }
  if (TapeOf(*this).checksum != recorded_.checksum) {
    return "its decisions are about other things than those that were recorded";
  }
  return "";
}

}  // namespace oj::sim
