// StoryTime: the moments of a dump as those of a scenario, which begins with the first call and in
// which nobody waits long for the next thing to happen.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace oj::sim {

class StoryTime {
 public:
  // `busy`: when something was going on, from and to, in any order. Of what is in between the
  // first seconds stay. All times in ns.
  StoryTime(std::int64_t begin, std::vector<std::pair<std::int64_t, std::int64_t>> busy);

  // Since the scenario's start.
  std::chrono::milliseconds At(std::int64_t time) const;
  bool IsCut(std::int64_t time) const;

  std::size_t cuts() const { return cuts_.size(); }
  std::chrono::seconds all_cut() const;

 private:
  std::int64_t begin_;
  std::vector<std::pair<std::int64_t, std::int64_t>> cuts_;  // from and to, in order
};

}  // namespace oj::sim
