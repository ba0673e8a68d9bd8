// Lab: a daemon with tools that misbehave to order, for a person with a shell.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lab/faults.h"
#include "lab/guard.h"
#include "lab/shell.h"
#include "scenario/recorder.h"
#include "scenario/scenario.h"
#include "scenario/twin_world.h"

namespace oj::sim {

// Of a lab's directory: where it takes orders; the environment of its shells.
std::string OrdersOf(const std::string& lab);
std::string VariablesOf(const std::string& lab);

class Lab {
 public:
  // `programs` holds oj, ojd and oj-harness; `fakes` the tools of World::kFakes.
  Lab(Scenario scenario, World world, std::string programs, std::string fakes);
  // Leaves.
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  // Directory, guardian, tools, daemon. Error (kUnavailable): what could not be started.
  Status SetUp();
  // `oj WORDS…` in the lab. Error: what it says.
  Status Oj(const std::vector<std::string>& words) const;
  // Runs it in the terminal and takes orders, till it has ended or this process has TERM or HUP.
  // The status for exit().
  int Run(const Shell& shell);
  // Ends and removes everything. False: something is left.
  bool Leave();

  std::string dir() const { return dir_; }

 private:
  boost::process::environment Environment() const;
  Status Enter();
  Status Listen();
  int Wait(pid_t shell, int signals);
  void Serve();

  const Scenario scenario_;
  World world_;
  std::string programs_;
  Recorder recorder_;  // of hangs of the scenario, which nobody begins here
  TwinWorld twin_;
  std::string dir_;
  std::string temporary_;  // TMPDIR as it was; of this process it is the lab's own
  std::unique_ptr<Guard> guard_;
  std::unique_ptr<Faults> faults_;
  Variables variables_;
  UniqueFd orders_;
};

}  // namespace oj::sim
