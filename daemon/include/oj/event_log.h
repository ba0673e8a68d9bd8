// EventLog: what the core tells of itself: for logs, the flight recorder and the simulation's
// trace. Structured and cheap; recording never waits and never fails.
#pragma once

#include <cstdint>
#include <string_view>

namespace oj {

enum class EventKind : std::uint8_t {
  kConnectionOpened,  // connection; value: peer's pid
  kConnectionClosed,  // connection
  kRequestBegun,      // connection, request; text: type; value: client's pid
  kRequestJoined,     // connection, request: the flight that it joined; text: type
  kRequestLatched,    // request; text: cancel reason
  kRequestEnded,      // request; text: reply's type or error code
  kLeaseWaiting,      // request; text: key; value: 1 exclusive, 0 shared
  kLeaseGranted,      // request; text: key; value: 1 exclusive, 0 shared
  kLeaseReleased,     // request; text: key
  kKeyQuarantined,    // request that held it; text: key; value: pid or 0
  kKeyFreed,          // request; text: key
  kProcessStarted,    // request; text: argv, with a NUL between; value: pid
  kProcessEnded,      // request; text: likewise; value: pid
  kReadyToServe,
  kDraining,  // value: limit in ms
  kStopped,
  kUnsettled,  // text: what was begun and could not be finished or undone, and why
  kDefect,     // request, if of one; text: what; a bug of ours
  kDumped,     // by itself; text: the path, or why not; value: 0, or 1 if not
  // What a replay needs beside all that; for the flight recorder only.
  kRequestReceived,  // connection; text: the payload; not of what only looks at the daemon
  kReplied,          // connection; text: reply's type or error code; value: bytes; nor to that
  kClientLeft,       // connection, request: it was owed an answer
  kProcessResult,    // request; text: how it ended, what it said; value: pid
};
inline bool IsForReplayOnly(EventKind kind) { return kind > EventKind::kDumped; }

// Ids are 0 where they do not apply. `text` is valid during Record() only.
struct LogEvent {
  EventKind kind;
  std::uint64_t connection = 0;
  std::uint64_t request = 0;
  std::int64_t value = 0;
  std::string_view text;
};

// Implementations: SpdlogEventLog (os), TraceEventLog (simulation); Recorder (core) before them.
class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual void Record(const LogEvent& event) = 0;
};

}  // namespace oj
