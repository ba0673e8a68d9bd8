// What a fake writes, and how it spoils it.
#pragma once

#include "behaviour.h"

namespace oj::fakes {

void Flood(long long bytes);
// The outcome's texts, shaped as the behaviour says, to stdout and stderr.
void WriteOutput(const Outcome& outcome, const Behaviour& behaviour);

}  // namespace oj::fakes
