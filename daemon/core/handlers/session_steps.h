// What the handlers of sessions, agents and workspaces have in common.
#pragma once

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

}  // namespace oj
