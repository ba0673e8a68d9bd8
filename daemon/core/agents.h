// Agents: a program in a tmux session, mostly on a workspace of its own. Starting one and resuming
// one are units: a cancel leaves it as it was or as it was to be, never in between.
#pragma once

#include <memory>
#include <string>

#include "core/core.h"
#include "core/unit.h"

namespace oj {

using SharedSessionLease = std::shared_ptr<SessionLease>;

// The agent, and its session.
Task<Result<SharedSessionLease>> LockAgent(Core& core, Flight& flight, std::string agent,
                                           std::string session);

// The intent of an agent that is being started. It goes when the agent is recorded as running.
std::string RunIntentId(const std::string& agent);
Task<Status> RecordRunning(Core& core, SessionRecord session, AgentRecord agent);

// Starts the agent's program in its session and records both. Error: nothing of it is left, or the
// record says `unknown` and the next look at tmux decides.
Task<Status> StartAgent(Core& core, Flight& flight, SharedSessionLease lease, AgentRecord agent,
                        std::string cwd, std::vector<std::string> command);

// Ends what is left of the agent's session and starts its program anew, with `--resume`. Runs as a
// unit; holds the lease.
Task<Result<Ok>> ResumeAgent(Core& core, SharedSessionLease lease, AgentRecord agent,
                             std::string cwd);

// Learns which programs of agents have ended, and what became of sessions that are in doubt; runs
// until it is cancelled. While tmux does not
// answer nothing is known, and nothing changes.
Task<void> WatchSessions(Core& core);

}  // namespace oj
