#include "explore/odometer.h"

namespace oj::sim {

bool Odometer::Advance() {
  while (!wheels_.empty() && wheels_.back().choice + 1 == wheels_.back().n) wheels_.pop_back();
  if (wheels_.empty()) return false;
  ++wheels_.back().choice;
  return true;
}

std::uint32_t OdometerChooser::Draw(const Site& site, std::uint32_t, std::uint32_t,
                                    std::uint32_t n) {
  if (site.kind != SiteClass::kSchedule || next_ == odometer_.most_) return 0;
  if (next_ == odometer_.wheels_.size()) odometer_.wheels_.push_back({n, 0});
  return odometer_.wheels_[next_++].choice;
}

}  // namespace oj::sim
