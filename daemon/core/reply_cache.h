// The reply cache: the replies of requests with a request_id, kept for a while, so that a client
// that lost one and asks again has the same, and nothing is done twice.
#pragma once

#include <string>

#include "core/core.h"

namespace oj {

// Whether the reply is older than limits.reply_cache.
bool IsForgotten(const Core& core, const ReplyRecord& record);

// Runs the handler and records its reply, unless a retry might have another one (it was cancelled,
// came too late, found something busy or unavailable).
Task<Reply> HandleAndRemember(Core& core, Flight& flight, FlightTable::Handler handler,
                              std::string request_id, std::string digest);

}  // namespace oj
