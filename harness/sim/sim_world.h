// SimWorld: one simulated world: tools, network, disk, clients, and the lives of the daemon.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/server.h"
#include "core/tree_runner.h"
#include "oj/nursery.h"
#include "sim/memory_store.h"
#include "sim/sim_client.h"
#include "sim/sim_file_system.h"
#include "sim/sim_process_host.h"
#include "sim/sim_run.h"
#include "sim/sim_seams.h"
#include "sim/sim_users.h"
#include "sim/strikes.h"

namespace oj::sim {

class SimWorld {
 public:
  SimWorld(const Scenario& scenario, Chooser& chooser, const SimOptions& options,
           SimResult& result);
  ~SimWorld();

  // The whole run.
  void Run();

 private:
  // From one start of the daemon to its end. Its tasks go first.
  struct Life {
    Life(SimWorld& world, std::uint32_t number);
    ~Life();

    const std::uint32_t number;
    TraceEventLog log;
    SimListener listener;
    MemoryStore store;
    SimFileSystem files;
    SimRandom random;
    SimProcessHost host;
    TreeRunner runner;
    Server server;
    bool serves = false;
    Event ended;
    Nursery tasks;
  };

  void StartLife();
  Task<void> Live(Life& life);
  Task<void> EndStrays();
  void Kill();
  // Also the machine under it.
  void LosePower(bool unsynced);
  void Restart() { StartLife(); }
  void RestartSoon();

  // The run's course, as a task of the world.
  Task<void> Direct();
  Task<void> PlayClients(Nursery& clients);
  Task<void> PlayOne(SimClient& client, const ClientScript* script);
  // Waits until no key is held or quarantined, and nothing is in the trash; for a while, since a
  // tool may be hung for ever.
  Task<void> Settle();
  // Until a daemon serves, if one is to come.
  Task<void> AwaitDaemon();
  Task<void> StopDaemon();
  // What a daemon may take to end.
  Duration LongestEnd() const;
  Task<void> StopIfAsked();
  Task<void> AwaitEnd();

  void DoStrike(const Strike& strike);
  Task<void> StrikeWhenDue(Blow blow);
  Task<void> CancelLast();

  void RunToRest();
  void Violate(const char* law, std::string what);
  void CountLeases();
  bool IsSettled();
  void Finish();

  const Scenario& scenario_;
  const SimOptions options_;
  SimResult& result_;
  Decisions decisions_;
  SimLoop loop_;
  SimTmux tmux_;
  SimDisk disk_;
  SimGit git_{disk_};
  StateSnapshot durable_;
  Instant disk_full_until_;
  SimUsers users_;
  SimProcesses processes_;
  SimNetwork network_;
  ClientWorld clients_world_;
  std::deque<SimClient> clients_;
  std::unique_ptr<Life> life_;
  std::uint32_t lives_ = 0;
  Event serving_;
  std::vector<std::string> untrue_;  // L5, once all had settled
  std::size_t counted_ = 0;          // events of the trace, for leases
  Strikes strikes_;
  bool stopping_ = false;   // for good
  bool returning_ = false;  // it is to end and start again
  bool calm_ = false;       // faults have stopped
  bool crash_ = false;      // it is to be killed before the next step
  bool directed_ = false;   // Direct() has ended
  const char* phase_ = "start";
  WorldTimer<SimWorld, &SimWorld::Restart> restart_{*this};
  Nursery tasks_;
  Nursery blows_;  // of the scenario
};

}  // namespace oj::sim
