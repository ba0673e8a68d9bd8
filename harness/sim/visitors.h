// Visitors: clients who come when all others have gone and the faults have stopped.
#pragma once

#include "scenario/scenario.h"
#include "sim/sim_client.h"

namespace oj::sim {

// What a daemon adds to the kill grace for the end of a process that was killed.
inline constexpr Duration kReapLimit = std::chrono::seconds(1);
// For what a bound does not name: delivery, deaths, looks at survivors.
inline constexpr Duration kSlack = std::chrono::milliseconds(100);

// Every scripted call once more, each until it has come to its end (L6).
Task<void> AskAllAgain(ClientWorld& world, SimClient& client, const Scenario& scenario);

// L9: what is broken for ever stays so; all else works again, and a hung tool holds up nobody.
Task<void> CheckLiveness(ClientWorld& world, SimClient& client, const Scenario& scenario);

}  // namespace oj::sim
