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

// Of a session that could not be made: whether its program cannot have begun.
bool NothingBegan(const Error& error);

// Eight digits that make an id unlike others. Those of a request with a name are the same each time
// it is asked, so that a retry, also of another daemon, finds what the first one began.
std::string DigitsFor(const Flight& flight);
std::string RandomDigits(Core& core);

// Whether a record of then may be the work of a request that is made now and was made before: as
// long as replies are kept, and the request may have taken.
bool IsRecent(const Core& core, WallMillis created_at);

// No agent (null), or one whose program has ended.
bool IsOver(const AgentRecord* agent);

}  // namespace oj
