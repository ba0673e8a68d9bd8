#include "scenario/dead_runs.h"

#include <chrono>
#include <filesystem>

#include "os/strays.h"
#include "scenario/held_directory.h"
#include "scenario/twin_world.h"

namespace oj::sim {
namespace {

constexpr std::chrono::seconds kLimit(5);

bool EndAndRemove(const std::string& directory, const UniqueFd&) {
  EndAllIn(directory);
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  return !error;
}

}  // namespace

void EndAllIn(const std::string& directory) { EndStrays(directory + "/", kLimit, "OJ_STATE_DIR"); }

void RemoveDeadRuns() { CleanUpDead(kRunName, EndAndRemove); }

}  // namespace oj::sim
