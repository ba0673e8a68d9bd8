#include "scenario/dead_runs.h"

#include <chrono>

#include "os/strays.h"
#include "scenario/held_directory.h"
#include "scenario/twin_world.h"

namespace oj::sim {
namespace {

constexpr std::chrono::seconds kLimit(5);

}  // namespace

bool EndAndRemove(const std::string& directory, const UniqueFd& opened) {
  const bool ended = EndStrays(directory + "/", kLimit, "OJ_STATE_DIR").empty();
  return ended && RemoveHeld(directory, opened);
}

void RemoveDeadRuns() { CleanUpDead(kRunName, EndAndRemove); }

}  // namespace oj::sim
