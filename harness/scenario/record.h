// Record: the dump of a daemon's flight recorder as a scenario that tells the same story in
// simulation: what existed, the clients with their calls, when they left, and what the tools did.
#pragma once

#include <string>

#include "oj/error.h"

namespace oj::sim {

// The text of a scenario file. `name` is of the dump, for messages. Error (kInvalidRequest): names
// the line that is no dump's. A last line that was cut off is no error.
Result<std::string> ScenarioOf(const std::string& dump, const std::string& name);

}  // namespace oj::sim
