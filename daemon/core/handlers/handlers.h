// The handlers: what each request does. Those that run tools are flights: they end when what they
// began is dead or done. The others answer at once.
#pragma once

#include "core/core.h"
#include "core/protocol.h"

namespace oj {

Task<Reply> PeekSession(Core& core, Flight& flight, PeekSessionRequest request);
Task<Reply> SessionNew(Core& core, Flight& flight, SessionNewRequest request);
Task<Reply> SessionSend(Core& core, Flight& flight, SessionSendRequest request);
Task<Reply> SessionKill(Core& core, Flight& flight, SessionKillRequest request);
Task<Reply> SessionPrune(Core& core, Flight& flight, SessionPruneRequest request);
Task<Reply> AgentRun(Core& core, Flight& flight, AgentRunRequest request);
Task<Reply> AgentSend(Core& core, Flight& flight, AgentSendRequest request);
Task<Reply> AgentResume(Core& core, Flight& flight, AgentResumeRequest request);
Task<Reply> WorkspaceAdd(Core& core, Flight& flight, WorkspaceAddRequest request);
// Of several workspaces each is a unit: done, or as it was with the reason why. kConflict,
// kNotFound where one was named.
Task<Reply> WorkspaceDrop(Core& core, Flight& flight, WorkspaceDropRequest request);
Task<Reply> WorkspaceDropFailed(Core& core, Flight& flight, WorkspaceDropFailedRequest request);
Task<Reply> WorkspaceDropAll(Core& core, Flight& flight, WorkspaceDropAllRequest request);
Task<Reply> WorkspacePrune(Core& core, Flight& flight, WorkspacePruneRequest request);
// Kills every session of this daemon, all at once, then lets the daemon stop, whatever came of it.
Task<Reply> ShutdownKill(Core& core, Flight& flight, Duration drain);
// Writes the flight recorder into the state directory; kUnavailable where that cannot be done.
Task<Reply> DebugDump(Core& core, Flight& flight, DebugDumpRequest request);
// The same without being asked; at most once a minute.
void DumpByItself(Core& core, std::string_view reason);

// `{"session":{...}}` and so on: a line for each of what is known.
std::string StateLines(const Core& core);

// A request that needs no subprocess. It is carried out whole, whoever is still there to hear.
Reply AnswerAtOnce(Core& core, const RequestBody& body);

}  // namespace oj
