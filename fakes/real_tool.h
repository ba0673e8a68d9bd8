// The real tool, run by a fake in its place.
#pragma once

#include "behaviour.h"

namespace oj::fakes {

// The next program of this name on PATH, after the directory of the fake itself; empty: none.
std::string FindReal(const std::string& name);

// Runs it with the same arguments, in the same group, directory and environment, and waits for its
// end; what the fake catches is passed on to it. It dies with the fake (KILL), and is deaf to TERM
// if the behaviour is (by its mask: git and tmux leave that as it is, a shell does not). Its output
// goes where the fake's does, unless the behaviour shapes it: then it is in the outcome.
Outcome RunReal(const std::string& name, const Args& args, const Behaviour& behaviour);

// Makes the behaviour's lock file, if it has one.
void LeaveLock(const Behaviour& behaviour);

}  // namespace oj::fakes
