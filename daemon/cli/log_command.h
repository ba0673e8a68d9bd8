// oj daemon logs
#pragma once

#include "cli/command.h"

namespace oj::cli {

void AddLogCommand(CLI::App& daemon, Invocation& invocation);

}  // namespace oj::cli
