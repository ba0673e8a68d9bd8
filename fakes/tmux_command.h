// A tmux command line, taken apart as tmux does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "behaviour.h"

namespace oj::fakes {

// One command of a sequence, its options parsed.
struct Command {
  std::string name;
  std::multimap<char, std::string> options;
  Args rest;

  bool Has(char option) const { return options.contains(option); }
  std::string Get(char option) const {
    const auto at = options.find(option);
    return at == options.end() ? "" : at->second;
  }
};

// The commands that `args` are. Returns what tmux says of what it does not understand, or "".
std::string ParseCommands(const Args& args, std::vector<Command>* to);

}  // namespace oj::fakes
