// Faults: what misbehaves in a running lab, and since when.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <ios>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/order.h"
#include "os/unique_fd.h"
#include "scenario/twin_world.h"

namespace oj::sim {

// The rule as the fakes get it: those that wait are let go when the fault is turned off.
ToolRule Releasable(ToolRule rule, const std::string& release);

// Answers are lines for a person.
class Faults {
 public:
  // Takes over the scenario's [[tool]] rules: they can be turned off like others. After the world's
  // SetUp().
  Faults(const Scenario& scenario, World world, TwinWorld& twin);
  Status SetUp();

  // In force for calls that start after it, in place of the one with this name. Error: all is as
  // before; kInvalidRequest, not in this world, or the fakes do not understand it; kNotFound, there
  // is nothing that could be stopped; kUnavailable, the rules cannot be written.
  Result<std::string> On(const Fault& fault);
  // Calls that are held go on. Error: kNotFound, no such fault is on; kUnavailable, as in On();
  // those named before are off.
  Result<std::string> Off(const std::vector<std::string>& words);
  // The daemon, or the server of tmux.
  Result<std::string> Kill(const std::string& target);
  std::string List();

  // Turns off what has lasted long enough; until the next one is due.
  std::optional<std::chrono::milliseconds> Expire();

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Active {
    Fault fault;
    Time since;
    std::string match;     // the rule's, as it is in this place
    std::string release;   // of the fakes: the file that ends what they wait for
    UniqueFd stopped;      // pidfd of what has SIGSTOP
    long seen = 0;         // calls that it is for, but for --nth
    long calls = 0;        // that it has met
    std::set<pid_t> held;  // those of them that have not said that they end
  };
  Active Begun(const Fault& fault);
  Result<UniqueFd> Daemon() const;
  Result<UniqueFd> RealServer() const;
  std::size_t Find(const std::string& name) const;
  Result<UniqueFd> ToStop(const Fault& fault);
  Status Stop(const Fault& fault);
  Status Misbehave(const Fault& fault);
  Status WriteRules() const;
  void CountAnew(const Active& active);
  Status Check(const Active& active) const;
  Status LetGo(const Active& ended) const;
  Result<std::string> End(std::size_t index);
  Result<std::string> KillFakeTmux() const;
  void ReadJournal();
  bool MayLeaveProcesses() const;
  void OnLine(const std::string& line);

  World world_;
  TwinWorld& twin_;
  std::vector<Active> active_;  // the newest first: the first that fits a call counts
  int number_ = 0;
  std::streamoff read_ = 0;  // of the journal
  std::set<pid_t> met_;      // in it
  Time begun_ = std::chrono::steady_clock::now();
};

}  // namespace oj::sim
