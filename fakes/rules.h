// The rules file of the fakes, and which of its rules a call follows.
#pragma once

#include <string>
#include <vector>

#include "behaviour.h"

namespace oj::fakes {

struct Rule {
  std::string tool;
  std::string match;       // a substring of the arguments joined by blanks; empty: all
  long long nth = 0;       // only the n-th call that `match` fits, from 1; 0: every
  double probability = 1;  // of the calls that are left; drawn from `seed` and the call's number
  long long seed = 0;      // also of what is drawn for a delay
  Behaviour behaviour;

  bool Draws() const {
    return probability < 1 || behaviour.delay_to.count() > 0 || behaviour.delay_mean.count() > 0;
  }
};

// False: `*error` says "file:line: key: what is wrong". An empty path has no rules.
bool LoadRules(const std::string& path, std::vector<Rule>* rules, std::string* error);

// The behaviour of the first rule that fits this call, its delay drawn. All rules of the tool whose
// `match` fits count the call in the state directory. False: `*error` says why.
bool Choose(const std::string& tool, const Args& args, Behaviour* behaviour, std::string* error);

}  // namespace oj::fakes
