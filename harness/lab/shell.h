// The shell of a lab: its environment, and a prompt that says where one is.
#pragma once

#include <string>
#include <vector>

#include "oj/error.h"

namespace oj::sim {

// NAME=VALUE: set; NAME: not set.
using Variables = std::vector<std::string>;

// Of this process; empty: it is not set.
std::string OwnVariable(const char* name);
// What turns this process's environment into `wanted`.
Variables Difference(const std::vector<std::string>& wanted);
// Replaces the file in one step.
Status SaveVariables(const Variables& variables, const std::string& file);
// Empty: it cannot be read.
Variables LoadVariables(const std::string& file);

// $SHELL, with a prompt that begins with "(lab)" where the shell is bash, zsh, fish or reads PS1.
// Writes what it must read at its start to the lab's directory; Become() has its variables. Error
// (kUnavailable): what cannot be written.
struct Shell {
  std::vector<std::string> argv;
  Variables variables;
};
Result<Shell> UserShell(const std::string& directory);
// This process becomes it, with these variables and its own; returns only if that fails: errno.
int Become(const Shell& shell, const Variables& variables);

}  // namespace oj::sim
