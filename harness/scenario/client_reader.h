// Reads a [[client]] of a scenario file. For scenario.cc only: toml++ is slow to compile.
#pragma once

#include <cstddef>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/toml_reader.h"

namespace oj::sim {

// For the clients of one file, with their copies.
struct ClientRoom {
  static constexpr std::size_t kSteps = 100'000, kMebibytes = 64;
  std::size_t steps = kSteps;
  std::size_t bytes = kMebibytes << 20;  // of what they send
};

// All its copies, out of `room`. `outside`: also on real processes, whose repositories are below
// /repos. Throws WrongFile.
std::vector<ClientScript> ReadClients(const TomlReader& read, const toml::table& table,
                                      bool outside, ClientRoom& room);

}  // namespace oj::sim
