#include "scenario/story_time.h"

#include <algorithm>

namespace oj::sim {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kIdle = 3000 * kMillisecond;

}  // namespace

StoryTime::StoryTime(std::int64_t begin, std::vector<std::pair<std::int64_t, std::int64_t>> busy)
    : begin_(begin) {
  std::sort(busy.begin(), busy.end());
  std::int64_t idle_since = begin;
  for (const auto& [from, to] : busy) {
    if (from - idle_since > kIdle) cuts_.emplace_back(idle_since + kIdle, from);
    idle_since = std::max(idle_since, to);
  }
}

std::chrono::milliseconds StoryTime::At(std::int64_t time) const {
  std::int64_t at = time - begin_;
  for (const auto& [from, to] : cuts_) {
    if (from < time) at -= std::min(to, time) - from;
  }
  return std::chrono::milliseconds(at / kMillisecond);
}

bool StoryTime::IsCut(std::int64_t time) const {
  return std::any_of(cuts_.begin(), cuts_.end(),
                     [time](const auto& cut) { return cut.first < time && time < cut.second; });
}

std::chrono::seconds StoryTime::all_cut() const {
  std::int64_t all = 0;
  for (const auto& [from, to] : cuts_) all += to - from;
  return std::chrono::seconds(all / kMillisecond / 1000);
}

}  // namespace oj::sim
