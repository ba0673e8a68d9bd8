// What the handlers of sessions, agents and workspaces have in common.
#pragma once

#include <algorithm>
#include <string>

#include "core/core.h"

namespace oj {

// What is not young any more, unless all are wanted: by the record's age.
inline constexpr WallMillis kPruneAge = WallMillis{12} * 60 * 60 * 1000;

// kNotFound: no directory is there.
Task<Status> CheckDirectory(Core& core, std::string path);

// Kills the session and sees it gone; records that. One that is gone already is Ok if the daemon
// knows it, else kNotFound.
Task<Status> KillUnderLease(Core& core, Flight& flight, SessionLease& lease, std::string id);

// No agent (null), or one whose program has ended.
bool IsOver(const AgentRecord* agent);

// The id that `given` means: itself, or the only one that it is the beginning of. Error kAmbiguous:
// it begins several. One that nothing begins with is given back: whoever looks for it says so.
template <class Record>
Result<std::string> ResolveId(const State& state, const std::string& given) {
  const auto& all = state.All<Record>();
  if (all.contains(given)) return given;
  std::string matches;
  std::size_t count = 0;
  std::string found = given;
  for (auto at = all.lower_bound(given); at != all.end() && at->first.starts_with(given); ++at) {
    if (++count == 1) found = at->first;
    matches += (count == 1 ? "" : ", ") + at->first;
  }
  if (count <= 1) return found;
  return Error{ErrorCode::kAmbiguous, "'" + given + "' begins several ids: " + matches, ""};
}

}  // namespace oj
