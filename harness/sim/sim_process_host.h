// SimProcessHost: the ProcessHost of one daemon's life, over the processes of the world.
#pragma once

#include <memory>
#include <string>

#include "oj/process_host.h"
#include "sim/sim_processes.h"

namespace oj::sim {

class SimChild final : public ChildProcess {
 public:
  SimChild(SimProcesses& world, SimTree& tree, std::vector<WorldViolation>& violations);
  ~SimChild() override;

  int pid() const override { return tree_.leader().pid; }
  Task<void> LeaderEnded() override { return ended_.WaitSet(); }
  bool HasEnded() override { return ended_.is_set(); }
  Task<void> EndedOrFlooded() override { return ended_or_flooded_.WaitSet(); }
  bool Flooded() const override { return tree_.flooded; }
  Task<void> OutputClosed() override { return output_closed_.WaitSet(); }
  std::string TakeOut() override { return std::move(tree_.out); }
  std::string TakeErr() override { return std::move(tree_.err); }
  void Send(Signal signal) override;
  Survivors Sweep() override;
  ExitStatus Reap() override;
  std::string State() const override;

  // From the world.
  void OnLeaderEnded();
  void OnFlooded() { ended_or_flooded_.Set(); }
  void OnOutputClosed() { output_closed_.Set(); }

 private:
  void Complain(const char* what);

  SimProcesses& world_;
  SimTree& tree_;
  std::vector<WorldViolation>& violations_;
  bool reaped_ = false;
  Event ended_;
  Event ended_or_flooded_;
  Event output_closed_;
};

class SimProcessHost final : public ProcessHost {
 public:
  SimProcessHost(SimLoop& loop, SimProcesses& world, std::vector<WorldViolation>& violations)
      : loop_(loop), world_(world), violations_(violations) {}
  Task<std::unique_ptr<ChildProcess>> Spawn(const ProcessSpec& spec,
                                            SpawnFailure* failure) override;

 private:
  SimLoop& loop_;
  SimProcesses& world_;
  std::vector<WorldViolation>& violations_;
};

}  // namespace oj::sim
