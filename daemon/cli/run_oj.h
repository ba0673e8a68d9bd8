// RunOj: the whole client behind a function, so that tests can call it.
#pragma once

#include <string>
#include <vector>

#include "cli/environment.h"

namespace oj::cli {

// `arguments` without the program's name. Returns the exit status. Never throws.
int RunOj(std::vector<std::string> arguments, const Environment& environment);

}  // namespace oj::cli
