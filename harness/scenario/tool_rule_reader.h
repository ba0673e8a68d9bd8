// Reads a [[tool]] of a scenario file. For scenario.cc only: toml++ is slow to compile.
#pragma once

#include <string>

#include "scenario/toml_reader.h"
#include "scenario/tool_rule.h"

namespace oj::sim {

// `fakes_only`: the scenario is for no other world. Throws WrongFile.
ToolRule ReadToolRule(const TomlReader& read, const toml::table& table, bool fakes_only);
// "tmux" or "git".
std::string ReadToolName(const TomlReader& read, const toml::node& at);

}  // namespace oj::sim
