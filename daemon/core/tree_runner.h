// TreeRunner: the ProcessRunner: one command from the spawn gate to the reaped tree, over the
// primitives of a ProcessHost. Its order of steps is the order of a cancel, 3 to 7 and 10.
#pragma once

#include <memory>
#include <vector>

#include "oj/clock.h"
#include "oj/process_host.h"
#include "oj/process_runner.h"

namespace oj {

class TreeRunner final : public ProcessRunner {
 public:
  TreeRunner(ProcessHost& host, Clock& clock) : host_(host), clock_(clock) {}

  Task<ProcessResult> Run(ProcessSpec spec) override;
  Task<void> Tend() override;

 private:
  struct Undead {
    std::unique_ptr<ChildProcess> child;
    std::shared_ptr<Quarantine> quarantine;
  };

  // Until the leader has ended by itself, or there is a reason to end it.
  Task<ProcessResult::End> Watch(ChildProcess& child, Deadline deadline);
  // Kills as much of the tree as is alive. False: something is left of it.
  Task<bool> EndTree(ChildProcess& child, const KillPolicy& policy, bool leader_too);
  // Whether leader and members are dead by `until`; sends SIGKILL to survivors if `kill`.
  Task<bool> AllDead(ChildProcess& child, Deadline until, bool kill);
  // Ends the tree, collects the output, reaps or quarantines.
  Task<void> Finish(std::unique_ptr<ChildProcess> child, const ProcessSpec& spec,
                    ProcessResult& result);

  ProcessHost& host_;
  Clock& clock_;
  std::vector<Undead> undead_;
  WaitQueue<bool> idle_;
};

}  // namespace oj
