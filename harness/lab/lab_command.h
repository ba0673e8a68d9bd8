// The commands `oj-harness lab` and `oj-harness fault`.
#pragma once

#include <string>
#include <vector>

namespace oj::sim {

struct LabCommandOptions {
  std::string file{};                  // a scenario; empty: one session, "work"
  bool real = false;                   // the real tools
  std::vector<std::string> command{};  // in place of a shell
};
// The shell's status; 2: there is no lab. Says what is wrong on stderr.
int LabCommand(const LabCommandOptions& options);

// A second shell in a running lab: the only one, or that of the directory. Has no options but that.
int JoinCommand(const std::string& lab, const LabCommandOptions& options);

// An order (lab/order.h) to a running lab. 0: done; 1: it cannot be done; 2: the words are wrong,
// or no lab answers.
int FaultCommand(const std::vector<std::string>& words);

}  // namespace oj::sim
