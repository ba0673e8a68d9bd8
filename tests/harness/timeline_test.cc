// Golden pictures of timelines.
#include "trace/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>

#include "trace/lanes.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;

Instant At(int ms) { return Instant(std::chrono::milliseconds(ms)); }

// A client gives up at 5 s on a tool that ignores TERM; another is served at 8 s.
Trace HungPeek() {
  Trace trace;
  trace.Add(At(0), TraceKind::kFaultBegan, 1, 0, 0, "tmux hangs");
  trace.Add(At(10), TraceKind::kClientSent, 1, 1, 1, "PeekSession");
  trace.AddDaemon(At(11), {EventKind::kRequestBegun, 1, 1, 1, "PeekSession"});
  trace.AddDaemon(At(12), {EventKind::kLeaseWaiting, 0, 1, 0, "session:work"});
  trace.AddDaemon(At(12), {EventKind::kLeaseGranted, 0, 1, 0, "session:work"});
  trace.Add(At(20), TraceKind::kProcessStarted, 77, 1, 77, "tmux capture-pane -t =work: -p");
  trace.Add(At(1000), TraceKind::kClientSent, 2, 2, 2, "SessionKill");
  trace.AddDaemon(At(1001), {EventKind::kRequestBegun, 2, 2, 1, "SessionKill"});
  trace.AddDaemon(At(1002), {EventKind::kLeaseWaiting, 0, 2, 1, "session:work"});
  trace.Add(At(5000), TraceKind::kClientGaveUp, 1, 1, 0, "");
  trace.AddDaemon(At(5001), {EventKind::kRequestLatched, 0, 1, 0, "disconnected"});
  trace.Add(At(5002), TraceKind::kProcessSignaled, 77, 0, 15, "");
  trace.Add(At(5500), TraceKind::kProcessSignaled, 77, 0, 9, "");
  trace.Add(At(5501), TraceKind::kProcessEnded, 77, 0, -9, "");
  trace.Add(At(5501), TraceKind::kProcessReaped, 77, 0, 0, "");
  trace.AddDaemon(At(5502), {EventKind::kLeaseReleased, 0, 1, 0, "session:work"});
  trace.AddDaemon(At(5502), {EventKind::kRequestEnded, 1, 1, 0, "cancelled"});
  trace.AddDaemon(At(5502), {EventKind::kLeaseGranted, 0, 2, 1, "session:work"});
  trace.Add(At(6000), TraceKind::kFaultEnded, 1, 0, 0, "");
  trace.Add(At(8000), TraceKind::kClientReceived, 2, 2, 0, "Ok");
  return trace;
}

TEST(Timeline, ShowsWhereTheCancelStruckInEveryLane) {
  EXPECT_EQ("\n" + RenderTimeline(HungPeek(), 100, false), R"(
                               0 ms      1600       3200       4800       6400
                               +---------+----------+----------+----------+-----------
fault 1 tmux hangs             [########################################]
client 1                       [=================================! gave up
client 2                              [==============================================] Ok
r1 PeekSession                 [=================================X~~] cancelled
r2 SessionKill                        [==============================================>
r1 holds session:work          [====================================]
r2 holds session:work                 ..............................[================>
pid 77 r1 tmux capture-pane .. [=================================T==K signal 9
[==] from begin to end  .. waits  X cancel struck  ~ unwinds  ! gave up  > goes on
T SIGTERM  K SIGKILL  h half-close  x client closed  c daemon closed  ? torn reply
)");
}

TEST(Timeline, AClientHasItsNameAndTheLastMomentRoomForHowItEnded) {
  Trace trace;
  trace.NameClient(1, "alice");
  trace.Add(At(0), TraceKind::kClientSent, 1, 1, 4, "PeekSession");
  trace.Add(At(100), TraceKind::kClientReceived, 1, 1, 0, "deadline_exceeded");
  EXPECT_THAT(RenderTimeline(trace, 100, false),
              testing::ContainsRegex("client 1 alice +\\[=+\\] deadline_exceeded\n"));
}

// Of a lane, by its label.
std::string LineOf(const Trace& trace, const std::string& label) {
  std::istringstream lines(RenderTimeline(trace, 100, false));
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(label + " ")) all += line.substr(31) + "\n";
  }
  return all;
}

// The first holds a key; the second waits for it.
Trace Waiting() {
  Trace trace;
  for (const std::uint64_t request : {1u, 2u}) {
    trace.AddDaemon(At(0), {EventKind::kRequestBegun, request, request, 1, "SessionKill"});
    trace.AddDaemon(At(0), {EventKind::kLeaseWaiting, 0, request, 1, "session:work"});
    if (request == 1) trace.AddDaemon(At(0), {EventKind::kLeaseGranted, 0, 1, 1, "session:work"});
  }
  return trace;
}

TEST(Timeline, AWaiterThatIsCancelledWaitsNoLongerThanItsRequest) {
  Trace trace = Waiting();
  trace.AddDaemon(At(5000), {EventKind::kRequestLatched, 0, 2, 0, "disconnected"});
  trace.AddDaemon(At(5000), {EventKind::kRequestEnded, 0, 2, 0, "cancelled"});
  trace.AddDaemon(At(9000), {EventKind::kLeaseReleased, 0, 1, 0, "session:work"});
  trace.AddDaemon(At(10000), {EventKind::kRequestEnded, 0, 1, 0, "SessionKill"});
  EXPECT_EQ(LineOf(trace, "r1 holds session:work"),
            "[================================================]\n");
  EXPECT_EQ(LineOf(trace, "r2 holds session:work"), "...........................]\n");
}

TEST(Timeline, AQuarantineIsDrawnAndEndsTheWaitForItsKey) {
  Trace trace = Waiting();
  trace.AddDaemon(At(5000), {EventKind::kKeyQuarantined, 0, 1, 77, "session:work"});
  trace.AddDaemon(At(9000), {EventKind::kKeyFreed, 0, 1, 0, "session:work"});
  trace.AddDaemon(At(9000), {EventKind::kLeaseReleased, 0, 1, 0, "session:work"});
  trace.AddDaemon(At(10000), {EventKind::kRequestEnded, 0, 1, 0, "internal"});
  EXPECT_EQ(LineOf(trace, "r1 holds session:work"),
            "[==========================%%%%%%%%%%%%%%%%%%%%%%]\n");
  EXPECT_EQ(LineOf(trace, "r2 holds session:work"), "...........................]\n");
  EXPECT_THAT(RenderTimeline(trace, 100, false), HasSubstr("\n% in quarantine\n"));
}

TEST(Timeline, WhatADaemonTellsOfItselfIsMarkedInItsLane) {
  Trace trace;
  trace.Add(At(0), TraceKind::kDaemonStarted, 1, 0, 0, "");
  trace.AddDaemon(At(2000), {EventKind::kUnsettled, 0, 0, 0, ""});
  trace.AddDaemon(At(4000), {EventKind::kDefect, 0, 0, 0, ""});
  trace.AddDaemon(At(6000), {EventKind::kDraining, 0, 0, 5000, ""});
  trace.Add(At(10000), TraceKind::kDaemonDied, 1, 0, 0, "");
  EXPECT_EQ(LineOf(trace, "daemon 1"),
            "[==========U==========D=========d=====================] exited\n");
  EXPECT_THAT(RenderTimeline(trace, 100, false), HasSubstr("\nd drains  U unsettled  D defect\n"));
}

TEST(Timeline, EachLifeOfTheDaemonHasRequestsOfItsOwn) {
  Trace trace;
  for (const int life : {0, 1}) {
    const int begin = life * 5000;
    trace.Add(At(begin), TraceKind::kDaemonStarted, static_cast<std::uint64_t>(life) + 1, 0, 0, "");
    trace.AddDaemon(At(begin), {EventKind::kRequestBegun, 1, 1, 1, "Peek"});
    trace.AddDaemon(At(begin), {EventKind::kLeaseGranted, 0, 1, 1, "session:work"});
    trace.Add(At(begin + 4000), TraceKind::kDaemonDied, static_cast<std::uint64_t>(life) + 1, 0, 1,
              "");
  }
  EXPECT_EQ(LineOf(trace, "r1 Peek"),
            "[=======================] daemon died\n"
            "                              [=======================] daemon died\n");
  EXPECT_EQ(LineOf(trace, "r1 holds session:work"),
            "[=======================]\n"
            "                              [=======================]\n");
  std::vector<std::uint64_t> requests;
  for (const Lane& lane : LanesOf(trace)) {
    if (lane.request != 0) requests.push_back(lane.request);
  }
  EXPECT_THAT(requests, testing::ElementsAre(1, kRequestsOfALife + 1, 1, kRequestsOfALife + 1));
}

TEST(Timeline, CallsBehindOthersHaveLanesOfTheirOwn) {
  Trace trace;
  trace.Add(At(0), TraceKind::kClientSent, 1, 1, 1, "Peek");
  trace.Add(At(1000), TraceKind::kClientSent, 2, 3, 2, "Ping");
  trace.Add(At(2000), TraceKind::kClientReceived, 2, 3, 2, "Pong");
  trace.Add(At(2000), TraceKind::kClientSent, 1, 2, 1, "Ping");
  trace.Add(At(4000), TraceKind::kClientReceived, 1, 1, 1, "Peek");
  trace.Add(At(6000), TraceKind::kClientSent, 1, 4, 1, "Ping");
  trace.Add(At(8000), TraceKind::kClientReceived, 1, 2, 1, "Pong");
  trace.Add(At(10000), TraceKind::kClientClosed, 1, 0, 1, "");
  EXPECT_THAT(RenderTimeline(trace, 100, false), HasSubstr(R"(
client 1                       [=====================] Peek    [=====================x
client 1 (2)                              [===============================] Pong
client 2                            [=====] Pong
)"));
}

TEST(Timeline, StaysWithinItsWidth) {
  for (const int width : {20, 60, 80, 100, 200}) {
    std::istringstream lines(RenderTimeline(HungPeek(), width, false));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), static_cast<std::size_t>(std::max(width, 90))) << line;
    }
  }
}

TEST(Timeline, ColorOnlyAddsEscapes) {
  std::string text = RenderTimeline(HungPeek(), 100, true);
  EXPECT_THAT(text, HasSubstr("\033[1;31mX\033[0m"));
  for (std::size_t at; (at = text.find('\033')) != std::string::npos;) {
    text.erase(at, text.find('m', at) + 1 - at);
  }
  EXPECT_EQ(text, RenderTimeline(HungPeek(), 100, false));
}

TEST(Timeline, OneMomentIsEnoughToDraw) {
  Trace trace;
  EXPECT_EQ(RenderTimeline(trace, 100, false), "nothing happened\n");
  trace.Add(At(7), TraceKind::kProcessStarted, 5, 0, 5, "tmux\nls");
  EXPECT_THAT(RenderTimeline(trace, 100, false), HasSubstr("pid 5 tmux?ls"));
}

TEST(Timeline, AReusedPidHasALaneOfItsOwn) {
  Trace trace;
  for (const int begin : {0, 100}) {
    trace.Add(At(begin), TraceKind::kProcessStarted, 5, 0, 5, begin == 0 ? "first" : "second");
    trace.Add(At(begin + 10), TraceKind::kProcessEnded, 5, 0, 0, "");
    trace.Add(At(begin + 10), TraceKind::kProcessReaped, 5, 0, 0, "");
  }
  const std::string text = RenderTimeline(trace, 100, false);
  EXPECT_THAT(text, HasSubstr("pid 5 first"));
  EXPECT_THAT(text, HasSubstr("pid 5 second"));
}

TEST(Timeline, EventsAreListedWithTheirTimes) {
  const std::string text = RenderEvents(HungPeek());
  EXPECT_THAT(text, HasSubstr("    5001.000  request latched           0      1        0  "
                              "disconnected\n"));
  EXPECT_THAT(text, HasSubstr("    5501.000  process ended            77      0       -9\n"));
}

}  // namespace
}  // namespace oj::sim
