// The rules file of the fakes.
#pragma once

#include <string>
#include <vector>

#include "behaviour.h"

namespace oj::fakes {

struct Rule {
  std::string tool;
  std::string match;  // a substring of the arguments joined by blanks; empty: all
  long long nth = 0;  // only the n-th call that `match` fits, from 1; 0: every
  Behaviour behaviour;
};

// False: `*error` says "file:line: key: what is wrong". An empty path has no rules.
bool LoadRules(const std::string& path, std::vector<Rule>* rules, std::string* error);

}  // namespace oj::fakes
