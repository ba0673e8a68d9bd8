// What a simulated tool answers.
#pragma once

#include <string>

namespace oj::sim {

struct ToolAnswer {
  int exit = 0;
  std::string out;
  std::string err;
};

}  // namespace oj::sim
