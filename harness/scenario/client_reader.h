// Reads a [[client]] of a scenario file. For scenario.cc only: toml++ is slow to compile.
#pragma once

#include <cstddef>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/toml_reader.h"

namespace oj::sim {

// All its copies. `steps`: those of the clients before it, as there is a limit for all together.
// Throws WrongFile.
std::vector<ClientScript> ReadClients(const TomlReader& read, const toml::table& table,
                                      std::size_t steps);

}  // namespace oj::sim
