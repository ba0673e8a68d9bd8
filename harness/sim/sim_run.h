// RunSim: one run of the daemon's core in the simulated world, from its start to its end: seeded,
// on one thread, in virtual time, without a system call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "explore/chooser.h"
#include "scenario/scenario.h"
#include "trace/trace.h"

namespace oj::sim {

// Something done to the world at one step of a run. The sweep names one; in explored runs the
// chooser has some in store for each life of the daemon.
struct Strike {
  enum class Kind : std::uint8_t {
    kDisconnect,  // the client closes
    kHalfClose,   // the client ends what it sends
    kOperator,    // somebody asks to cancel the last request that began
    kShutdown,    // SIGTERM
    kRestart,     // SIGTERM, and the daemon starts again when it has ended
    kDaemonKill,  // SIGKILL; the daemon starts again on what was durable
    kPowerLoss,   // everything stops; the daemon starts again on what was durable
    kSuspend,     // the machine sleeps for `time`
    kWallJump,    // the wall clock is set by `time`
  };
  Kind kind = Kind::kDisconnect;
  std::uint64_t step = 0;    // after so many steps of the loop
  std::uint64_t client = 0;  // for kDisconnect and kHalfClose; 0: all of them
  bool unsynced = false;     // for kPowerLoss: the disk has lost what was not synced
  bool hurried = false;      // for kRestart: a second signal follows at once
  Duration time{};
};

struct SimOptions {
  std::uint64_t seed = 1;  // of the core's Random; all else is the chooser's
  // Classes of faults, bits by SiteClass; absent: what the scenario's mix names. Schedule and
  // workload are always on.
  std::optional<std::uint32_t> faults;
  std::vector<Strike> strikes;  // ascending by step
  // What scripted clients send as timeout_ms where they send none; zero: nothing.
  Duration call_timeout{};
  // When the clients have gone and the faults have stopped, somebody makes every scripted call
  // once more, and again while the answer is that it did not come to its end.
  bool retry = false;
  // Afterwards somebody asks for this and that, to see that it is answered; in passing that settles
  // what was left half done.
  bool liveness = true;
  bool portrait = false;  // of the world at the end, into the result; also what is left
  std::uint64_t max_steps = 200'000;
  Duration max_time = std::chrono::minutes(20);
};

// What the world itself found to be wrong, without a checker.
struct WorldViolation {
  std::string law;  // "L9"
  std::string what;
};

struct ClientOutcome {
  std::string client;
  int line = 0;          // of the step
  std::size_t step = 0;  // which of the client's
  std::string outcome;
  bool expected = true;
  Duration took{};
};

// A process that has not come to its end when the run has.
struct LeftProcess {
  int pid = 0;
  bool zombie = false;
  bool of_tool = true;  // false: it left a tree that was not tagged, as a tmux server does
};

// L7: work of a user's that is nowhere any more.
struct LostWork {
  std::string what;
  std::size_t bytes = 0;
};

// What a client of a mix has asked for: its script is known only when it has been drawn.
struct MixCall {
  std::uint64_t call = 0;  // as in the trace
  std::string session;     // that it names, or empty
  Duration timeout{};      // timeout_ms; zero: not sent
  std::string request_id;  // or empty
};

struct SimResult {
  Trace trace;
  Instant ended;
  std::uint64_t steps = 0;
  Duration stalled{};  // added by `stall`: belongs to every bound on duration
  std::vector<ClientOutcome> outcomes;
  std::vector<MixCall> mix_calls;
  Duration call_timeout{};  // as in the options
  std::vector<WorldViolation> violations;
  // At rest, after the daemon has ended:
  std::vector<LeftProcess> processes;
  std::size_t leases_held = 0;         // granted and not released, by the events of the last daemon
  std::size_t keys_quarantined = 0;    // and not freed
  std::size_t open_connections = 0;    // daemon's ends
  std::size_t armed_timers = 0;        // of the daemon
  std::vector<SessionSetup> sessions;  // tmux's, with what is on their screens
  std::vector<std::uint64_t> misanswered;  // pids of what answers otherwise than its tool
  std::uint32_t daemons = 0;               // incarnations
  std::size_t struck = 0;                  // strikes whose step came
  std::uint64_t clients_gone = 0;          // the step at which the last scripted client had gone
  std::vector<LostWork> lost;
  std::vector<std::string> portrait;  // the world at the end, without times
  std::vector<std::string> left;      // "session s1", "workspace w1", "branch oj/w1", ...; sorted

  bool AllExpected() const {
    for (const ClientOutcome& each : outcomes) {
      if (!each.expected) return false;
    }
    return true;
  }
};

SimResult RunSim(const Scenario& scenario, Chooser& chooser, const SimOptions& options);
// The same, into a result whose buffers are used again: for many runs, one after the other.
void RunSim(const Scenario& scenario, Chooser& chooser, const SimOptions& options,
            SimResult& result);

}  // namespace oj::sim
