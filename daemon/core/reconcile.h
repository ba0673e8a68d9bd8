// Reconcile: what a daemon does about the past when it starts: finishes or undoes what another one
// had begun. What it recorded of sessions is in doubt, and WatchSessions asks tmux.
#pragma once

#include "core/core.h"

namespace oj {

// Runs beside the first requests, under the same locks. What cannot be settled now stays: the next
// request for that workspace tries again, and tells.
Task<void> Reconcile(Core& core);

}  // namespace oj
