// Report: what a run or an exploration came to, as text, as JSON and as a page.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "explore/explore.h"
#include "explore/shrink.h"

namespace oj::sim {

// A run in any of the worlds.
struct RunReport {
  Scenario scenario{};
  World world = World::kSim;
  Trace trace{};
  std::vector<Verdict> verdicts{};
  Duration took{};  // virtual in the simulation
  std::uint64_t steps = 0;
  std::uint64_t seed = 0;  // of the simulation
  std::string about{};     // the chooser's settings
};

std::string AsText(const RunReport& report, int width, bool color);
boost::json::object AsJson(const RunReport& report);
std::string AsPage(const RunReport& report);  // of HTML

// The smallest story that breaks the law.
std::string AsText(const Shrunk& shrunk, const std::string& law, int width, bool color);

// The first failure of an exploration.
struct FailureStory {
  std::string law;
  std::string message;           // of its first violation, in the smallest run that was found
  std::optional<Shrunk> shrunk;  // absent: it was not reduced
  std::string replay;            // the line that runs it again, for a shell
};

// `first`: what is told of the first failure; null if there was none.
std::string AsText(const ExploreReport& report, const ExploreOptions& options,
                   const FailureStory* first, bool color = false);
boost::json::object AsJson(const ExploreReport& report, const ExploreOptions& options,
                           const FailureStory* first);

}  // namespace oj::sim
