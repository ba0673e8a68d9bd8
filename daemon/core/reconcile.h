// Reconcile: what a daemon does about the past when it starts: finishes or undoes what another one
// had begun, and holds what it recorded of sessions against what tmux says.
#pragma once

#include "core/core.h"

namespace oj {

// Runs beside the first requests, under the same locks. Ends when tmux has answered once; while it
// does not, the sessions are `unknown`, and none is declared dead.
Task<void> Reconcile(Core& core);

}  // namespace oj
