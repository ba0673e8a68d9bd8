// Starting ojd in the background, and finding out which process it is.
#pragma once

#include <string>

#include "cli/environment.h"
#include "cli/options.h"
#include "cli/outcome.h"

namespace oj::cli {

struct Started {
  int pid = 0;         // of the ojd that answers
  bool fresh = false;  // false: it was running already
};

// Sees to it that an ojd answers on the socket: if none does, starts one in a session of its own,
// detached, its output appended to the log, and waits until it answers Ping, at most for
// settings.connect. What has been started is not stopped when the wait is given up.
// Failure: kExitTimedOut, kExitInterrupted, or kExitError with the end of what ojd wrote.
Outcome<Started> EnsureDaemon(const Settings& settings, const Environment& environment);

// The live process that holds the pid file open, 0 if there is none. Takes no lock: it never gets
// in the way of a daemon that starts.
int PidFileHolder(const std::string& pid_file);

}  // namespace oj::cli
