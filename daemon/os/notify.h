// The service manager's protocols: readiness (NOTIFY_SOCKET) and socket activation (LISTEN_FDS).
#pragma once

#include <optional>
#include <string_view>

#include "oj/error.h"
#include "os/unique_fd.h"

namespace oj {

// Sends `state`, such as "READY=1" or "STOPPING=1", to $NOTIFY_SOCKET. False: there is none, or it
// could not be sent; never blocks.
bool Notify(std::string_view state);

// The listening socket that was passed to this process, if one was; takes LISTEN_FDS and LISTEN_PID
// out of the environment, so that no child believes it was meant. At start, before any thread.
// Error (kInvalidRequest): what was passed is not one listening Unix stream socket.
Result<std::optional<UniqueFd>> TakeInheritedListener();

}  // namespace oj
