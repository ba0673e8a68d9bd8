// Report: what a run or an exploration came to, as text and as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "explore/explore.h"
#include "explore/shrink.h"

namespace oj::sim {

// A run in any of the worlds.
struct RunReport {
  const Scenario& scenario;
  World world;
  const Trace& trace;
  const std::vector<Verdict>& verdicts;
  Duration took{};  // virtual in the simulation
  std::uint64_t steps = 0;
  std::uint64_t seed = 0;  // of the simulation
  std::string about{};     // the chooser's settings
};

std::string AsText(const RunReport& report, int width, bool color);
boost::json::object AsJson(const RunReport& report);

// The smallest story that breaks the law.
std::string AsText(const Shrunk& shrunk, const std::string& law, int width, bool color);

// `replay`: the line that runs the first failure again, or empty.
std::string AsText(const ExploreReport& report, const ExploreOptions& options,
                   const std::string& replay);
boost::json::object AsJson(const ExploreReport& report, const ExploreOptions& options,
                           const std::string& replay);

}  // namespace oj::sim
