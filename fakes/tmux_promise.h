// What clients have asked of a tmux server that did not answer: a file of `<state>/promises` each,
// locked as long as its client lives.
#pragma once

#include "behaviour.h"

namespace oj::fakes {

// The server will do it, whatever becomes of this client; see Behaviour::late.
void Promise(const Args& args, const Behaviour& behaviour);
// This client does its work itself now.
void Keep();
// What dead clients have asked for, oldest first, that is due and whose hang has been released.
std::vector<Args> TakeBroken();

}  // namespace oj::fakes
