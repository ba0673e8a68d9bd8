// Agent runs: starting an agent, with the workspace that is made for it, is one unit: all of it or
// nothing. Its intent is in the store until the agent runs; what was begun and not seen through is
// undone at once, or, while tmux does not answer, as soon as it does.
#pragma once

#include "core/agents.h"
#include "core/protocol.h"

namespace oj {

// Whether the agent, whose id this request would have, is what it started when it was first asked.
bool IsRun(const Core& core, const AgentRecord& agent, const AgentRunRequest& request);

// Makes or finds the place where the agent's program is to run, and starts it there. What an
// earlier request began with the same id is settled first; an agent that it started is the result.
// Error: nothing is left, or TendRuns is at it.
Task<Result<AgentRecord>> RunAgent(Core& core, Flight& flight, AgentRunRequest request,
                                   AgentRecord agent);

// Sees to what no request sees to any more: an agent whose start another daemon began runs on if
// its session is there; every other one is undone. Runs until it is cancelled.
Task<void> TendRuns(Core& core);

}  // namespace oj
