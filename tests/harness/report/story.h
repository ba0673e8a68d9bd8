// A story with a lane of every kind in which L3 is broken: the second peek is let in while a kill
// of the first one's process is not over.
#pragma once

#include <chrono>
#include <string>

#include "trace/trace.h"

namespace oj::sim {

inline Instant At(int ms) { return Instant(std::chrono::milliseconds(ms)); }

inline Trace OverlapStory(const std::string& argv = "tmux send-keys -t =work: -l -- ls") {
  Trace trace;
  trace.Add(At(0), TraceKind::kDaemonStarted, 1, 0, 0, "");
  trace.Add(At(0), TraceKind::kFaultBegan, 1, 0, 0, "tmux hangs");
  trace.AddDaemon(At(9), {EventKind::kConnectionOpened, 4, 0, 0, ""});
  trace.Add(At(10), TraceKind::kClientSent, 1, 1, 4, "SessionSend");
  trace.AddDaemon(At(11), {EventKind::kRequestBegun, 4, 1, 1, "SessionSend"});
  trace.AddDaemon(At(12), {EventKind::kLeaseWaiting, 0, 1, 1, "session:work"});
  trace.AddDaemon(At(14), {EventKind::kLeaseGranted, 0, 1, 1, "session:work"});
  trace.Add(At(20), TraceKind::kProcessStarted, 77, 1, 77, argv);
  trace.Add(At(5000), TraceKind::kClientGaveUp, 1, 1, 0, "");
  trace.AddDaemon(At(5001), {EventKind::kRequestLatched, 0, 1, 0, "disconnected"});
  trace.Add(At(5002), TraceKind::kProcessSignaled, 77, 0, 15, "");
  trace.Add(At(5300), TraceKind::kProcessSignaled, 77, 0, 9, "");
  trace.AddDaemon(At(5301), {EventKind::kLeaseReleased, 0, 1, 0, "session:work"});
  trace.AddDaemon(At(5302), {EventKind::kRequestEnded, 4, 1, 0, "cancelled"});
  trace.Add(At(5310), TraceKind::kClientSent, 2, 2, 5, "SessionSend");
  trace.AddDaemon(At(5311), {EventKind::kRequestBegun, 5, 2, 1, "SessionSend"});
  trace.AddDaemon(At(5312), {EventKind::kLeaseGranted, 0, 2, 1, "session:work"});
  trace.Add(At(5320), TraceKind::kProcessStarted, 78, 2, 78, "tmux send-keys -t =work: -l -- pwd");
  trace.Add(At(5400), TraceKind::kProcessEnded, 77, 0, -9, "");
  trace.Add(At(5400), TraceKind::kProcessReaped, 77, 0, 0, "");
  trace.Add(At(5500), TraceKind::kProcessEnded, 78, 0, 0, "");
  trace.Add(At(5500), TraceKind::kProcessReaped, 78, 0, 0, "");
  trace.AddDaemon(At(5501), {EventKind::kLeaseReleased, 0, 2, 0, "session:work"});
  trace.Add(At(5502), TraceKind::kClientReceived, 2, 2, 0, "SessionSend");
  trace.Add(At(6000), TraceKind::kFaultEnded, 1, 0, 0, "");
  return trace;
}

}  // namespace oj::sim
