// Core: what all handlers share, built once the daemon's state is loaded, and how a handler gets at
// the outside.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/config.h"
#include "core/flight.h"
#include "core/git_client.h"
#include "core/lock_table.h"
#include "core/protocol.h"
#include "core/recorder.h"
#include "core/state.h"
#include "core/tmux_client.h"
#include "core/tools.h"
#include "oj/event_log.h"
#include "oj/file_system.h"
#include "oj/process_runner.h"
#include "oj/random.h"
#include "oj/store.h"
#include "oj/transport.h"

namespace oj {

// Everything outside of the core. All must outlive the server.
struct Seams {
  Clock& clock;
  ProcessRunner& runner;
  Listener& listener;
  Store& store;
  FileSystem& files;
  Random& random;
  EventLog& log;
};

struct Identity {
  int pid = 0;
  unsigned uid = 0;             // only this one and root are served
  std::string state_directory;  // absolute: workspaces are below it
  std::string lease_prefix;     // of the tags of processes, the same in all lives of this daemon
  // What a daemon that was killed has left behind and nobody can end, in words, while it may still
  // be at work: "process 7". Empty, or absent: nothing.
  std::function<std::string()> stray{};
};

// How the daemon is told to stop, and how far that has got.
struct Lifecycle {
  Event draining;                         // no new requests
  Event hurried;                          // what is in flight is cancelled
  Deadline patience = Deadline::Never();  // then it is, too
  CancelScope intake{nullptr};            // accepting, and waiting for the next request

  // A running drain can only be shortened: a request to stop that ends during one is no second
  // signal.
  void Drain(Deadline until) {
    patience = patience.Earlier(until);
    draining.Set();
    intake.Cancel(CancelReason::kShutdown);
  }
};

struct Core {
  Core(const Seams& outside, const Config& settings, Identity self, Lifecycle& life, State& known,
       Recorder& kept, std::string instance, Nursery& behind, Nursery& under_way,
       Nursery& in_flight)
      : seams(outside),
        config(settings),
        identity(self),
        lifecycle(life),
        state(known),
        recorder(kept),
        started(outside.clock.Now()),
        started_at_ms(outside.clock.WallNow()),
        tools(outside.clock, outside.runner, outside.log, settings, std::move(instance)),
        tmux(outside.clock, tools, outside.log, settings),
        git(tools, settings, outside.clock, outside.files),
        background(behind),
        units(under_way),
        locks(outside.clock, outside.log, behind),
        flights(outside.clock, outside.log, in_flight) {}

  // The wall clock as it was when the daemon started, going on evenly: for what has an age that
  // counts, which must not change when somebody sets the clock.
  WallMillis EvenNow() const { return started_at_ms + Millis(seams.clock.Now() - started); }

  // Error kBusy: a process of a dead daemon may be at work on anything, and no key is given out.
  Status Alone() const;
  // Leases for a handler, as `oj requests` shows. Error kBusy. Throws Cancelled.
  Task<Result<Lease>> Acquire(Flight& flight, std::vector<LockRequest> wanted);
  // The session's. Error kBusy. Throws Cancelled.
  Task<Result<SessionLease>> Lock(Flight& flight, std::string session, LockMode mode);

  const Seams seams;
  const Config& config;
  const Identity identity;
  Lifecycle& lifecycle;
  State& state;
  Recorder& recorder;
  std::map<std::string, Deadline> next_dumps;  // by reason: by itself, not before
  const Instant started;
  const WallMillis started_at_ms;
  Tools tools;
  TmuxClient tmux;
  GitClient git;
  Nursery& background;  // what goes on when requests end; cancelled when the daemon stops
  Nursery& units;       // likewise; may end first
  Bell trash;           // there is something to delete
  LockTable locks;
  FlightTable flights;
  std::size_t connections = 0;
  std::map<std::string_view, std::uint64_t> counters;  // by static names
};

}  // namespace oj
