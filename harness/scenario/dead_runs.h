// What a run on real processes has started and made, when it has ended or was killed.
#pragma once

#include <string>

#include "os/unique_fd.h"

namespace oj::sim {

// Kills all that was started with a state directory in there: tools, also those that have left
// their group or that nobody knows of, daemons, the real tmux server and what runs in it. Waits
// for their end, some seconds at most; then removes it. False: something is left, and its lock.
bool EndAndRemove(const std::string& directory, const UniqueFd& opened);

// Ends and removes what is left of this user's runs whose process was killed: nobody holds their
// directory.
void RemoveDeadRuns();

}  // namespace oj::sim
