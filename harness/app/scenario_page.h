// The generated parts of oj-scenario(5).
#pragma once

#include <map>
#include <string>

namespace oj::sim {

std::map<std::string, std::string> ScenarioParts();

}  // namespace oj::sim
