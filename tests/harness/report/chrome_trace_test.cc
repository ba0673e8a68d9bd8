// Chrome's trace events: well-formed, in order, and all there.
#include "report/chrome_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <set>
#include <string>

#include "story.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

json::array Events(const Trace& trace) {
  return json::parse(ChromeTrace(trace)).at("traceEvents").as_array();
}

std::string Phase(const json::value& event) { return std::string(event.at("ph").as_string()); }

TEST(ChromeTrace, EveryEventHasWhatTheFormatAsksFor) {
  for (const json::value& event : Events(OverlapStory())) {
    const json::object& object = event.as_object();
    for (const char* key : {"ph", "name", "pid", "tid", "ts"}) {
      EXPECT_TRUE(object.contains(key)) << key << ": " << json::serialize(event);
    }
    if (Phase(event) == "X") {
      EXPECT_GE(object.at("dur").to_number<double>(), 0) << json::serialize(event);
    }
    if (Phase(event) == "i") {
      EXPECT_EQ(object.at("s"), "t");
    }
  }
}

TEST(ChromeTrace, EventsAreInTheOrderOfTheirTimes) {
  double last = 0;
  for (const json::value& event : Events(OverlapStory())) {
    const double now = event.at("ts").to_number<double>();
    EXPECT_GE(now, last) << json::serialize(event);
    last = now;
  }
  EXPECT_EQ(last, 5'320'000) << "the last bar's begin, in microseconds";
}

TEST(ChromeTrace, EveryLaneIsANamedThreadOfItsKindsProcess) {
  std::set<std::pair<std::int64_t, std::int64_t>> named;
  std::set<std::int64_t> kinds;
  const json::array events = Events(OverlapStory());
  for (const json::value& event : events) {
    const auto pid = event.at("pid").as_int64();
    if (event.at("name") == "process_name") kinds.insert(pid);
    if (event.at("name") == "thread_name") named.emplace(pid, event.at("tid").to_number<int>());
  }
  EXPECT_EQ(kinds.size(), 6u);
  for (const json::value& event : events) {
    if (Phase(event) == "M") continue;
    EXPECT_TRUE(named.contains({event.at("pid").as_int64(), event.at("tid").to_number<int>()}))
        << json::serialize(event);
  }
}

TEST(ChromeTrace, AnArrowLeadsFromTheCancelToEachSignal) {
  std::map<std::int64_t, std::string> arrows;
  for (const json::value& event : Events(OverlapStory())) {
    if (Phase(event) != "s" && Phase(event) != "f") continue;
    arrows[event.at("id").to_number<std::int64_t>()] +=
        Phase(event) + std::to_string(event.at("ts").to_number<std::int64_t>()) + " ";
  }
  EXPECT_THAT(arrows, testing::ElementsAre(testing::Pair(1, "s5001000 f5002000 "),
                                           testing::Pair(2, "s5001000 f5300000 ")));
}

TEST(ChromeTrace, ABarTellsHowItBeganAndEnded) {
  for (const json::value& event : Events(OverlapStory("tmux \xff"))) {
    if (Phase(event) != "X" || event.at("args").at("end") != "process ended") continue;
    EXPECT_EQ(event.at("args").at("begin"), "process started: tmux \xef\xbf\xbd");
    EXPECT_EQ(event.at("ts").to_number<double>(), 20'000);
    EXPECT_EQ(event.at("dur").to_number<double>(), 5'380'000);
    return;
  }
  FAIL() << "no bar of a process";
}

TEST(ChromeTrace, ArrowsStayWithinALifeOfTheDaemon) {
  Trace trace;
  trace.AddDaemon(At(0), {EventKind::kRequestBegun, 1, 1, 1, "Peek"});
  trace.AddDaemon(At(1), {EventKind::kRequestLatched, 0, 1, 0, "disconnected"});
  trace.Add(At(2), TraceKind::kDaemonDied, 1, 0, 1, "");
  trace.AddDaemon(At(3), {EventKind::kRequestBegun, 1, 1, 1, "Kill"});
  trace.Add(At(4), TraceKind::kProcessStarted, 7, 1, 7, "tmux kill-session");
  trace.Add(At(5), TraceKind::kProcessSignaled, 7, 0, 15, "");
  for (const json::value& event : Events(trace)) EXPECT_NE(Phase(event), "s");
}

TEST(ChromeTrace, BarsOfOneThreadDoNotOverlap) {
  Trace trace;  // three calls at a time, on two connections
  for (int call = 1; call < 12; ++call) {
    const auto number = static_cast<std::uint64_t>(call);
    trace.Add(At(call * 10), TraceKind::kClientSent, 1, number, 1 + call % 2, "Ping");
    if (call > 3)
      trace.Add(At(call * 10 + 5), TraceKind::kClientReceived, 1, number - 3, 0, "Pong");
  }
  trace.Add(At(200), TraceKind::kClientClosed, 1, 0, 1, "");
  std::map<std::int64_t, double> ends;  // by thread
  std::ptrdiff_t bars = 0;
  for (const json::value& event : Events(trace)) {
    if (Phase(event) != "X") continue;
    ++bars;
    double& end = ends[event.at("tid").to_number<std::int64_t>()];
    const auto begin = event.at("ts").to_number<double>();
    EXPECT_GE(begin, end) << json::serialize(event);
    end = begin + event.at("dur").to_number<double>();
  }
  EXPECT_EQ(bars, 11);
  EXPECT_EQ(ends.size(), 4u);
}

TEST(ChromeTrace, AnEmptyTraceHasNamesOnly) {
  for (const json::value& event : Events(Trace())) EXPECT_EQ(Phase(event), "M");
}

}  // namespace
}  // namespace oj::sim
