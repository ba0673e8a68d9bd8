// Story: a trace sorted by who it is about: processes, requests, leases, calls. What all checkers
// need is found once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/touch.h"
#include "oj/deadline.h"
#include "trace/trace.h"

namespace oj::sim {

// Something that happened, and where in the trace.
struct Moment {
  Instant at;
  std::size_t event = 0;
};

struct ProcessLife {
  std::uint64_t pid = 0;
  std::uint64_t request = 0;  // 0: not known, or the daemon's own
  std::uint64_t group = 0;    // the pid of the group's leader; 0: not known
  std::uint32_t life = 0;     // of the daemon that started it, from 1; 0: not known
  bool announced = false;     // the daemon knew of it
  std::string_view argv;
  std::string_view session;  // that it names, or empty
  Touches touches;
  Moment began;
  std::optional<Moment> ended;
  std::optional<Moment> reaped;
  std::optional<Moment> killed;    // the first SIGKILL
  std::optional<Moment> orphaned;  // its daemon died

  // Started by the daemon, not forked by something that it had started.
  bool leader() const { return group == 0 || group == pid; }
  bool starts_session() const { return CommandOf(argv) == "new-session"; }
  // When the daemon had done with it what it can: it is dead, or has been sent SIGKILL (how long
  // it takes to die of that is not the daemon's), or the daemon itself was dead.
  std::optional<Moment> Settled() const;
};

struct LeaseLife {
  std::string_view key;
  bool exclusive = false;
  std::optional<Moment> waiting;
  std::optional<Moment> granted;
  std::optional<Moment> released;  // or its daemon died
  std::optional<Moment> quarantined;
};

struct RequestLife {
  std::uint64_t id = 0;
  std::string_view type;
  Moment began;
  std::optional<Moment> latched;
  std::optional<Moment> ended;  // or its daemon died
  struct Waiter {
    std::uint64_t connection = 0;
    Moment since;
  };
  std::vector<Waiter> waiters;
  std::vector<std::size_t> processes;  // indexes into Story::processes
  std::vector<LeaseLife> leases;
};

struct CallLife {
  std::uint64_t call = 0;
  std::uint64_t client = 0;
  std::uint64_t connection = 0;
  std::string_view type;
  Moment sent;
  bool queued = false;  // an earlier call of the connection was open
  // At most one of these comes first; after it the call is over.
  std::optional<Moment> answered;
  std::optional<Moment> gave_up;
  std::optional<Moment> left;       // its client has closed
  std::optional<Moment> half_left;  // its client has closed its sending side
  std::optional<Moment> dropped;    // the daemon has closed

  bool over() const { return answered || gave_up || left || dropped; }
};

// A connection that its client has left, and how.
struct Departure {
  std::uint64_t connection = 0;
  Moment when;
  bool half = false;
};

// Refers to the trace, which must outlive it.
struct Story {
  explicit Story(const Trace& trace);

  const Trace& trace;
  Instant end;                 // of the trace
  bool daemon_speaks = false;  // there are events of the daemon's own
  std::vector<ProcessLife> processes;
  std::vector<RequestLife> requests;
  std::vector<LeaseLife> own_leases;  // of the daemon itself: what it does for no request
  std::vector<CallLife> calls;
  std::vector<Departure> departures;

  // It left a tree of the daemon's own on purpose, as a tmux server does: nobody is to end it.
  bool Stranger(const ProcessLife& process) const {
    return daemon_speaks && process.request == 0 && !process.announced && process.starts_session();
  }
  // The connection's last call before the waiter's request began; null if there is none.
  const CallLife* CallOf(const RequestLife::Waiter& waiter) const;
  // The moment from which on the connection's client waits for nothing, if ever.
  std::optional<Moment> LeftBy(std::uint64_t connection, bool half_close_counts) const;
};

}  // namespace oj::sim
