// What goes into the page of a run.
#include "report/run_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "report/page.h"
#include "story.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace json = boost::json;

json::object DataOf(const Trace& trace) { return RunData(trace, Judge(trace, Facts{})); }

const json::object* LaneOf(const json::object& data, std::string_view label) {
  for (const json::value& lane : data.at("lanes").as_array()) {
    if (lane.at("label").as_string() == label) return &lane.as_object();
  }
  return nullptr;
}

// What an event is called, and its text.
std::string Words(const json::object& data, std::size_t index) {
  const json::array& event = data.at("events").as_array().at(index).as_array();
  const auto kind = event.at(1).to_number<std::size_t>();
  const json::value& name = data.at("kinds").as_array().at(kind).at("name");
  return std::string(name.as_string()) + ": " + std::string(event.at(5).as_string());
}

TEST(RunData, EveryKindOfLaneIsThere) {
  const json::object data = DataOf(OverlapStory());
  std::set<std::string> kinds;
  for (const json::value& lane : data.at("lanes").as_array()) {
    kinds.insert(std::string(lane.at("kind").as_string()));
  }
  EXPECT_THAT(kinds, ElementsAre("client", "daemon", "fault", "lease", "process", "request"));
}

TEST(RunData, ABarNamesTheEventsOfItsBeginAndEnd) {
  const json::object data = DataOf(OverlapStory());
  const json::object* lane = LaneOf(data, "pid 78 r2 tmux send-keys -t =work: -l -- pwd");
  ASSERT_NE(lane, nullptr) << json::serialize(data.at("lanes"));
  EXPECT_EQ(lane->at("request"), 2);
  const json::array& bar = lane->at("bars").as_array().at(0).as_array();
  EXPECT_EQ(bar.at(0), 5'320'000'000);
  EXPECT_EQ(bar.at(1), 5'500'000'000);
  EXPECT_EQ(Words(data, bar.at(3).to_number<std::size_t>()),
            "process started: tmux send-keys -t =work: -l -- pwd");
  EXPECT_EQ(Words(data, bar.at(4).to_number<std::size_t>()), "process ended: ");
}

TEST(RunData, WaitingAndUnwindingAreBarsOfTheirOwn) {
  const json::object data = DataOf(OverlapStory());
  const auto fills = [&](const char* label) {
    std::string all;
    for (const json::value& bar : LaneOf(data, label)->at("bars").as_array()) {
      all += bar.at(2).as_string();
    }
    return all;
  };
  EXPECT_EQ(fills("r1 holds session:work"), ".=");
  EXPECT_EQ(fills("r1 SessionSend"), "=~");
}

TEST(RunData, ARequestsNumberIsThePidOfItsClient) {
  const json::object data = DataOf(OverlapStory());
  const json::array& kinds = data.at("kinds").as_array();
  EXPECT_EQ(std::count_if(kinds.begin(), kinds.end(),
                          [](const json::value& kind) {
                            return kind.at("name") == "request begun" &&
                                   kind.at("value") == "client pid";
                          }),
            1);
}

TEST(RunData, WhatGoesOnHasNoEndingEvent) {
  const json::object data = DataOf(OverlapStory());
  const json::object* lane = LaneOf(data, "r2 SessionSend");
  ASSERT_NE(lane, nullptr);
  EXPECT_EQ(lane->at("bars").as_array().at(0).at(4), -1);
}

TEST(RunData, AViolationNamesTheTwoEventsThatOverlapped) {
  const json::object data = DataOf(OverlapStory());
  for (const json::value& law : data.at("laws").as_array()) {
    if (law.at("law") != "L3") continue;
    const json::value& violation = law.at("violations").as_array().at(0);
    const json::array& events = violation.at("events").as_array();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(violation.at("at"), 5'320'000'000);
    EXPECT_EQ(Words(data, events[0].to_number<std::size_t>()),
              "process started: tmux send-keys -t =work: -l -- ls");
    EXPECT_EQ(Words(data, events[1].to_number<std::size_t>()),
              "process started: tmux send-keys -t =work: -l -- pwd");
    return;
  }
  FAIL() << "L3 is not there";
}

TEST(RunData, NoTextEndsTheScriptThatItIsIn) {
  json::object data = DataOf(OverlapStory("sh -c </script><!-- <script>"));
  const std::string text = ForScript(data);
  EXPECT_THAT(text, Not(HasSubstr("<")));
  EXPECT_THAT(json::serialize(json::parse(text)), HasSubstr("sh -c </script><!-- <script>"));
}

TEST(RunData, BytesThatAreNoTextAreReplaced) {
  const std::string text = ForScript(DataOf(OverlapStory("sh \xff\xfe \xc3\xa9")));
  EXPECT_THAT(json::serialize(json::parse(text)), HasSubstr("sh \xef\xbf\xbd"));
  EXPECT_THAT(text, HasSubstr("\xc3\xa9"));
}

TEST(RunData, AnEmptyTraceIsDataToo) {
  const json::object data = DataOf(Trace());
  EXPECT_TRUE(data.at("lanes").as_array().empty());
  EXPECT_TRUE(data.at("events").as_array().empty());
}

TEST(Page, SeedsAreTextSinceAScriptsNumbersAreNotExact) {
  const std::uint64_t seed = 18446744073709551557u;
  const std::string page = SurveyPage({{"seed", seed}, {"first_seeds", {{"L3", seed}}}});
  EXPECT_THAT(page, HasSubstr(R"({"seed":"18446744073709551557","first_seeds":{"L3":"184467)"));
}

TEST(Page, NeedsNoOtherFileAndNoNetwork) {
  for (const std::string& page : {RunPage(DataOf(OverlapStory())), SurveyPage({})}) {
    EXPECT_THAT(page, Not(HasSubstr("/*{")));
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr(" src=")));
    EXPECT_THAT(page, Not(HasSubstr("@import")));
  }
}

}  // namespace
}  // namespace oj::sim
