#include "explore/chooser.h"

#include <algorithm>

namespace oj::sim {

std::string_view Name(SiteClass kind) {
  constexpr std::string_view kNames[] = {"workload", "schedule", "process", "transport",
                                         "store",    "clock",    "daemon"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::uint32_t Chooser::Register(const Site& site) {
  const auto found = std::find(names_.begin(), names_.end(), site.name);
  const auto index = static_cast<std::uint32_t>(found - names_.begin());
  if (found == names_.end()) {
    names_.emplace_back(site.name);
    kinds_.push_back(site.kind);
    OnNewSite(site);
  }
  return index;
}

}  // namespace oj::sim
