// What the daemon's store says of what a scenario sets up, in every world.
#pragma once

#include <string>
#include <vector>

#include "oj/store.h"
#include "scenario/scenario.h"

namespace oj::sim {

// `root`: what the scenario's own "/" is, so to speak: empty in simulation.
std::string WorkspacePath(const std::string& root, const std::string& id);
std::vector<Change> RecordsOf(const WorkspaceSetup& setup, const std::string& root, WallMillis now);
std::vector<Change> RecordsOf(const AgentSetup& setup, const std::string& root, WallMillis now);

}  // namespace oj::sim
