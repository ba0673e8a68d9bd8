// Programs that the harness runs for itself.
#pragma once

#include <boost/process/environment.hpp>
#include <string>
#include <vector>

#include "oj/deadline.h"

namespace oj::sim {

// Runs a program to its end, at most `limit`; then it is killed. Exit code, or -1. What it says on
// stdout goes to `out`, what it says last on stderr to `why`, if they are there.
int RunBounded(const std::vector<std::string>& argv, const boost::process::environment& env,
               Duration limit, std::string* out, std::string* why = nullptr);

// On this program's own PATH; empty if it is not there.
std::string FindTool(const std::string& name);

}  // namespace oj::sim
