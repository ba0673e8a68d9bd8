// Waiting, and the signals that a fake catches meanwhile.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "behaviour.h"

namespace oj::fakes {

void Sleep(std::chrono::nanoseconds time);
bool Exists(const std::string& path);

// TERM, INT and HUP are journalled and strike as the behaviour says. Between these two they wait.
void HoldSignals();
void LetSignals();
void CatchSignals(const Behaviour& behaviour);
// What is caught from now on is passed on to the real tool; 0: it strikes the fake again.
void PassSignalsTo(pid_t real);
bool HasPassedSignal();

// As long as the state directory says that the tool's server hangs.
bool IsHung(const std::string& tool);
void AwaitServer(const std::string& tool);
// CatchSignals() for who waits so: as the clients of that server do.
void CatchSignalsOfClient(const std::string& tool, const Behaviour& behaviour);

// Delay and hang, till released; or till a signal has been passed on.
void Wait(const Behaviour& behaviour);

}  // namespace oj::fakes
