// Trace: what happened in a run, in any of the three worlds: clients, processes, faults, and what
// the daemon told of itself. Checkers, timelines and the digest read it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "oj/deadline.h"
#include "oj/event_log.h"

namespace oj::sim {

// `subject`, `object`, `value`, `text` mean what the comment says; absent ones are 0 and "".
enum class TraceKind : std::uint8_t {
  kClientConnected,   // subject: client; object: connection
  kClientSent,        // subject: client; object: call; value: connection; text: request type
  kClientReceived,    // subject: client; object: call, 0 if none was open; text: reply type or code
  kClientTornReply,   // subject: client; text: what was wrong with the bytes, such as kCutReply
  kClientGaveUp,      // subject: client; object: call: its limit passed, it closes
  kClientHalfClosed,  // subject: client; value: connection
  kClientClosed,      // subject: client; value: connection
  kClientSawClose,    // subject: client; value: connection: the daemon closed it
  kProcessStarted,    // subject: pid; object: request (0: unknown); value: group; text: argv
  kProcessSignaled,   // subject: pid; value: signal number
  kProcessEnded,      // subject: pid; value: exit code, or -signal: it runs no more
  kProcessReaped,     // subject: pid
  kFaultBegan,        // subject: number of the fault; text: what
  kFaultEnded,        // subject: number of the fault
  kDaemonStarted,     // subject: incarnation
  kDaemonDied,        // subject: incarnation; value: 1 killed, 0 exited
  kDaemon,            // daemon: an EventKind; subject: connection; object: request; value, text
};

// A connection's end within a reply.
inline constexpr std::string_view kCutReply = "the connection closed within a reply";

struct TraceEvent {
  Instant at;
  TraceKind kind = TraceKind::kDaemon;
  EventKind daemon = EventKind::kDefect;
  std::uint32_t text = 0;  // an index into the trace's texts
  std::uint64_t subject = 0;
  std::uint64_t object = 0;
  std::int64_t value = 0;
};

// Chained over everything that was recorded and decided; equal for equal runs, on every compiler.
class Digest {
 public:
  void Add(std::uint64_t word) {
    low_ = (low_ ^ word) * 0x9e3779b97f4a7c15u;
    low_ ^= low_ >> 29;
    high_ = (high_ + low_) * 0xc2b2ae3d27d4eb4fu;
    high_ ^= high_ >> 31;
  }
  void Add(std::string_view text);
  std::uint64_t word() const { return low_ ^ high_; }
  std::string Hex() const;  // 32 digits
  friend bool operator==(const Digest&, const Digest&) = default;

 private:
  std::uint64_t low_ = 0x243f6a8885a308d3u;
  std::uint64_t high_ = 0x13198a2e03707344u;
};

class Trace {
 public:
  void Add(Instant at, TraceKind kind, std::uint64_t subject, std::uint64_t object,
           std::int64_t value, std::string_view text);
  void AddDaemon(Instant at, const LogEvent& event);

  // For pictures only: no part of the digest.
  void NameClient(std::uint64_t client, std::string name);
  std::string ClientName(std::uint64_t client) const;  // "client 2 bob", "client 2"

  const std::vector<TraceEvent>& events() const { return events_; }
  std::string_view Text(const TraceEvent& event) const { return texts_[event.text]; }
  Digest& digest() { return digest_; }
  const Digest& digest() const { return digest_; }
  void Clear();

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::uint32_t Intern(std::string_view text);
  void Push(TraceEvent event, std::string_view text);

  std::vector<TraceEvent> events_;
  std::vector<std::string> texts_{""};
  std::vector<std::uint64_t> marks_{0};  // of each text, for the digest
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> index_;
  Digest digest_;
  std::map<std::uint64_t, std::string> clients_;
};

}  // namespace oj::sim
