// Scenarios as text: what ParseScenario reads as the same scenario.
#pragma once

#include <string>
#include <string_view>

#include "scenario/scenario.h"

namespace oj::sim {

std::string WriteScenario(const Scenario& scenario);

// Of TOML, in double quotes.
std::string Quoted(std::string_view text);
// The keys of a rule, a line each: a [[tool]] here, a [[rule]] of the fakes.
std::string RuleLines(const ToolRule& rule);
// Whole milliseconds.
std::string MillisText(Duration time);

}  // namespace oj::sim
