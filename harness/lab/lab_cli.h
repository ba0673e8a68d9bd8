// `lab`, `lab join` and `fault` on the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace oj::sim {

// Parsing one of them sets `chosen`, which returns the exit status and must outlive the app.
// `command`: what the lab runs in place of a shell; empty: a shell.
void AddLabCommands(CLI::App& app, std::function<int()>& chosen,
                    const std::vector<std::string>& command);

// Cuts off what is behind `--` of `lab`: words that no parser of options may read.
std::vector<std::string> TakeLabCommand(int& argc, const char* const* argv);

}  // namespace oj::sim
