// The command line of oj-harness. What each command prints and returns is in explore/commands.h.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace oj::sim {

// What a command line asks for; returns the exit status.
using Chosen = std::function<int()>;

// The grammar of `oj-harness`; parsing sets `chosen`, which must outlive it, and does nothing else.
// `lab_command`: see lab/lab_cli.h.
std::unique_ptr<CLI::App> MakeHarnessApp(Chosen& chosen,
                                         const std::vector<std::string>& lab_command = {});

}  // namespace oj::sim
