// The configuration as a process starts with it: defaults, overlaid by config.toml, overlaid by
// the environment. Command-line flags come on top, with SetConfig.
#pragma once

#include <string>

#include "core/config.h"
#include "oj/error.h"

namespace oj {

// `file`: must exist if given; "" means config.toml in $XDG_CONFIG_HOME/oj, else $HOME/.config/oj,
// if there is one. Error (kInvalidRequest): names the file and line or the variable, the key, and
// what the value must be.
Result<Config> LoadConfig(const std::string& file);

}  // namespace oj
