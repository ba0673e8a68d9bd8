// Attaching this terminal to a session.
#pragma once

#include <string>

#include "cli/command.h"

namespace oj::cli {

// Becomes `tmux attach-session`, or `tmux switch-client` inside tmux; returns only on failure.
Failure Attach(const Invocation& invocation, const std::string& command,
               const std::string& session);

}  // namespace oj::cli
