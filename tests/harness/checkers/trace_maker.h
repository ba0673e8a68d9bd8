// Traces by hand, for the tests of the checkers: one line an event, times in milliseconds.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "checkers/checker.h"

namespace oj::sim {

class TraceMaker {
 public:
  static Instant Ms(double ms) { return Instant(Duration(static_cast<Duration::rep>(ms * 1e6))); }

  // Client 1 on connection 1 sends its call number `call`.
  TraceMaker& Sends(double at, std::string_view type, std::uint64_t call = 1,
                    std::uint64_t client = 1, std::uint64_t connection = 1) {
    return Add(at, TraceKind::kClientSent, client, call, static_cast<std::int64_t>(connection),
               type);
  }
  TraceMaker& Receives(double at, std::string_view reply, std::uint64_t call = 1,
                       std::uint64_t client = 1) {
    return Add(at, TraceKind::kClientReceived, client, call, 0, reply);
  }
  TraceMaker& GivesUp(double at, std::uint64_t call = 1, std::uint64_t client = 1) {
    return Add(at, TraceKind::kClientGaveUp, client, call, 0, "");
  }
  TraceMaker& Closes(double at, std::uint64_t client = 1, std::int64_t connection = 1) {
    return Add(at, TraceKind::kClientClosed, client, 0, connection, "");
  }
  TraceMaker& HalfCloses(double at, std::uint64_t client = 1, std::int64_t connection = 1) {
    return Add(at, TraceKind::kClientHalfClosed, client, 0, connection, "");
  }

  TraceMaker& Begun(double at, std::string_view type, std::uint64_t request = 1,
                    std::uint64_t connection = 1) {
    return Daemon(at, EventKind::kRequestBegun, connection, request, 0, type);
  }
  TraceMaker& Joined(double at, std::uint64_t request, std::uint64_t connection) {
    return Daemon(at, EventKind::kRequestJoined, connection, request, 0, "");
  }
  TraceMaker& Latched(double at, std::uint64_t request = 1) {
    return Daemon(at, EventKind::kRequestLatched, 0, request, 0, "disconnected");
  }
  TraceMaker& Ended(double at, std::uint64_t request = 1) {
    return Daemon(at, EventKind::kRequestEnded, 0, request, 0, "cancelled");
  }
  TraceMaker& Lease(double at, EventKind what, std::uint64_t request, std::string_view key,
                    bool exclusive = true) {
    return Daemon(at, what, 0, request, exclusive ? 1 : 0, key);
  }

  TraceMaker& Starts(double at, std::uint64_t pid, std::string_view argv, std::uint64_t request = 1,
                     std::uint64_t group = 0) {
    return Add(at, TraceKind::kProcessStarted, pid, request,
               static_cast<std::int64_t>(group == 0 ? pid : group), argv);
  }
  TraceMaker& Signal(double at, std::uint64_t pid, int signal = 9) {
    return Add(at, TraceKind::kProcessSignaled, pid, 0, signal, "");
  }
  TraceMaker& Dies(double at, std::uint64_t pid, bool reaped = true) {
    Add(at, TraceKind::kProcessEnded, pid, 0, 0, "");
    return reaped ? Add(at, TraceKind::kProcessReaped, pid, 0, 0, "") : *this;
  }

  TraceMaker& Add(double at, TraceKind kind, std::uint64_t subject, std::uint64_t object,
                  std::int64_t value, std::string_view text) {
    trace_.Add(Ms(at), kind, subject, object, value, text);
    return *this;
  }
  TraceMaker& Daemon(double at, EventKind kind, std::uint64_t connection, std::uint64_t request,
                     std::int64_t value, std::string_view text) {
    trace_.AddDaemon(Ms(at), {kind, connection, request, value, text});
    return *this;
  }
  // Nothing of note: the trace goes on until then.
  TraceMaker& Until(double at) { return Add(at, TraceKind::kFaultEnded, 99, 0, 0, ""); }

  const Trace& trace() const { return trace_; }

 private:
  Trace trace_;
};

// The messages of a verdict.
inline std::vector<std::string> Of(Verdict (*check)(const Story&, const Facts&),
                                   const TraceMaker& made, const Facts& facts = {}) {
  std::vector<std::string> messages;
  const Story story(made.trace());
  for (const Violation& each : check(story, facts).violations) {
    messages.push_back(each.message);
    for (const std::size_t event : each.events) EXPECT_LT(event, made.trace().events().size());
  }
  return messages;
}

}  // namespace oj::sim
