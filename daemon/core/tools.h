// Tools: runs tmux and git for a flight: within the limit on children, under a limit of its own,
// seen by `oj requests`, with an environment that cannot send the tool elsewhere.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/flight.h"
#include "oj/clock.h"
#include "oj/event_log.h"
#include "oj/process_runner.h"

namespace oj {

struct ToolCommand {
  std::string tool;               // for messages: "tmux"
  std::vector<std::string> argv;  // argv[0]: the configured tool
  Duration timeout{};             // of this one command
  KillPolicy kill;
  // False: what leaves the process group is not ours to kill, and inherits nothing of ours (a tmux
  // server, from which all sessions have their environment).
  bool tagged = true;
  bool (*keep)(std::string_view record) = nullptr;  // as ProcessSpec has it
};

// What a command left behind, however its run was left.
struct Aftermath {
  bool started = false;                // a process has run
  bool cut_off = false;                // it did not end by itself, or not well: a signal ended it
  std::shared_ptr<Quarantine> undead;  // not null: something of its tree may be alive
};

class Tools {
 public:
  // `instance` tells this daemon's processes from those of another life.
  Tools(Clock& clock, ProcessRunner& runner, EventLog& log, const Config& config,
        std::string instance)
      : clock_(clock),
        runner_(runner),
        log_(log),
        config_(config),
        instance_(std::move(instance)) {}

  // Runs the command. An Error where it did not come to an end of its own: kBusy (too many
  // children; nothing has run), kToolMissing, kToolTimeout, kTooLarge (its output). The tree is
  // dead then, or `after.undead` is set. Throws Cancelled likewise. An exit code other than 0 is a
  // value: what it means is the caller's to say.
  Task<Result<ProcessResult>> Run(Flight& flight, ToolCommand command, Aftermath& after);

  std::size_t children() const { return children_; }
  // Those of the daemon's own work.
  const std::list<Flight::Child>& own() const { return own_; }

 private:
  class Observer;
  Result<ProcessResult> Judge(const ToolCommand& command, ProcessResult result) const;

  Clock& clock_;
  ProcessRunner& runner_;
  EventLog& log_;
  const Config& config_;
  std::string instance_;
  std::size_t children_ = 0;
  std::list<Flight::Child> own_;
};

// Nothing more may run under a lease while one of these is alive: Error kBusy, naming it.
Status AllGone(const std::vector<std::shared_ptr<Quarantine>>& undead);
// Ends when each of them is dead.
Task<void> AllDead(std::vector<std::shared_ptr<Quarantine>> undead);

// `tool_failed`, with the tool's name, what it was doing, its exit code and what it said.
Error ToolFailed(std::string_view tool, std::string_view doing, const ProcessResult& result);

}  // namespace oj
