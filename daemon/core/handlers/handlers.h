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
// Kills every session of this daemon, all at once, then lets the daemon stop, whatever came of it.
Task<Reply> ShutdownKill(Core& core, Flight& flight, Duration drain);

// A request that needs no subprocess. It is carried out whole, whoever is still there to hear.
Reply AnswerAtOnce(Core& core, const RequestBody& body);

}  // namespace oj
