// The pages that commands write, in a browser, and what `report` refuses.
#include "report/report_command.h"

#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <map>

#include "page_fixture.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;

using ReportCommandTest = PageTest;

TEST_F(ReportCommandTest, DrawsAScenariosRun) {
  ReportCommandOptions options;
  options.run.file = OJ_SCENARIOS "/fast/hung-tmux-peek.toml";
  options.run.seed = 7;
  options.out = page_.string();
  options.chrome_trace = (dir_ / "trace.json").string();
  ASSERT_EQ(ReportCommand(options), 0);
  const std::string dom = DomOf();
  EXPECT_THAT(dom, HasSubstr("all laws hold"));
  EXPECT_THAT(dom, HasSubstr("fault 1 tmux hangs"));
  EXPECT_GT(fs::file_size(dir_ / "trace.json"), 1000u);
}

TEST_F(ReportCommandTest, ThreadsOfAScenariosChromeTraceHaveBarsThatDoNotOverlap) {
  ReportCommandOptions options;
  options.run.file = OJ_SCENARIOS "/fast/pipelined-then-gone.toml";
  options.chrome_trace = (dir_ / "trace.json").string();
  ASSERT_EQ(ReportCommand(options), 0);
  std::ifstream in(options.chrome_trace);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  std::map<std::int64_t, double> ends;  // by thread
  int peeks = 0;
  const boost::json::value trace = boost::json::parse(text);
  for (const boost::json::value& event : trace.at("traceEvents").as_array()) {
    if (event.at("ph") != "X") continue;
    double& end = ends[event.at("tid").to_number<std::int64_t>()];
    const auto begin = event.at("ts").to_number<double>();
    EXPECT_GE(begin, end) << boost::json::serialize(event);
    end = begin + event.at("dur").to_number<double>();
    peeks += event.at("pid") == 2 && event.at("name") == "PeekSession" ? 1 : 0;
  }
  EXPECT_GE(peeks, 3) << "alice's two, and bob's";
}

// Explores a scenario in which every run breaks what is expected.
class FailuresTest : public ReportCommandTest {
 protected:
  void SetUp() override {
    PageTest::SetUp();
    const fs::path scenario = dir_ / "x.toml";
    std::ofstream(scenario) << "[[client]]\nname = \"alice\"\n"
                               "steps = [{ call = { type = \"Ping\" }, expect = \"Ok\" }]\n";
    ExploreCommandOptions explore;
    explore.file = scenario.string();
    explore.runs = 2;
    explore.seed = 5;
    explore.failures = dir_.string();
    explore.report = page_.string();
    ASSERT_EQ(ExploreCommand(explore), 1);
  }
};

TEST_F(FailuresTest, ExploreTellsWhichLawsAreBrokenAndByWhichSeedFirst) {
  EXPECT_THAT(DomOf(), HasSubstr("<td>expect</td><td class=\"n\">2</td>"
                                 "<td class=\"n\">5</td>"));
}

TEST_F(FailuresTest, ReportDrawsARecordedFailure) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "x-expect-5.txt").string();
  options.out = page_.string();
  ASSERT_EQ(ReportCommand(options), 0);
  EXPECT_THAT(DomOf("#law=expect"), HasSubstr("replayed; it broke expect"));
}

TEST_F(ReportCommandTest, ReportRefusesWhatItCannotReadOrWrite) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "none.toml").string();
  EXPECT_EQ(ReportCommand(options), 2);
  options.run.file = OJ_SCENARIOS "/fast/hung-tmux-peek.toml";
  options.out = (dir_ / "none" / "page.html").string();
  EXPECT_EQ(ReportCommand(options), 2);
}

TEST_F(ReportCommandTest, ExploreWritesAPageOfItsProbesAndBehaviours) {
  ExploreCommandOptions options;
  options.file = OJ_SCENARIOS "/fast/hung-tmux-peek.toml";
  options.runs = 20;
  options.report = page_.string();
  ASSERT_EQ(ExploreCommand(options), 0);
  const std::string dom = DomOf();
  EXPECT_THAT(dom, HasSubstr("all laws hold"));
  EXPECT_THAT(dom, HasSubstr("cancelled by disconnect"));
  EXPECT_THAT(dom, HasSubstr("Behaviours over runs"));
  EXPECT_THAT(dom, HasSubstr("class=\"never\""));
}

TEST_F(ReportCommandTest, SweepWritesAPageOfItsPoints) {
  SweepCommandOptions options;
  options.file = OJ_SCENARIOS "/fast/hung-tmux-peek.toml";
  options.kinds = {"disconnect", "kill"};
  options.report = page_.string();
  ASSERT_EQ(SweepCommand(options), 0);
  const std::string dom = DomOf();
  EXPECT_THAT(dom, HasSubstr(">disconnect</td>"));
  EXPECT_THAT(dom, HasSubstr(">kill</td>"));
}

// Nobody ends the session.
constexpr const char* kStillThere = R"(
about = "Ends otherwise than it says"
gone = ["tmux has work"]
[[session]]
id = "work"
[[client]]
name = "a"
steps = [{ call = { type = "Ping" } }]
)";

TEST_F(ReportCommandTest, SweepDrawsTheRunOfItsFirstFailureToo) {
  SweepCommandOptions options;
  options.file = (dir_ / "wrong.toml").string();
  std::ofstream(options.file) << kStillThere;
  options.kinds = {"kill"};
  options.report = page_.string();
  ASSERT_EQ(SweepCommand(options), 1);
  EXPECT_THAT(DomOf(), HasSubstr("<a href=\"./page.first.html\">its picture</a>"));
  page_ = dir_ / "page.first.html";
  const std::string dom = DomOf();
  EXPECT_THAT(dom, HasSubstr("broken: expect"));
  EXPECT_THAT(dom, HasSubstr("undisturbed"));
}

// As ci/mutants writes it.
constexpr const char* kMutants = R"({
  "about": "Small defects", "failed": true, "mutants": [
    {"name": "15-shared", "about": "Locked shared <b>", "breaks": "L3", "found_by": "L3",
     "runs": 6, "operations": 2, "decisions": 2, "ms": 27, "fifo": "not found"},
    {"name": "16-lost", "about": "", "breaks": "L6", "found_by": "not found",
     "runs": null, "operations": null, "decisions": null, "ms": null, "fifo": "not found"}]})";

TEST_F(ReportCommandTest, ASurveyCanBeReadInBothModes) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "mutants.json").string();
  std::ofstream(options.run.file) << kMutants;
  options.out = page_.string();
  ASSERT_EQ(ReportCommand(options), 0);
  Afterwards(kContrast);
  EXPECT_THAT(DomOf("", Mode::kLight), HasSubstr(Said("0", "false")));
  EXPECT_THAT(DomOf("", Mode::kDark), HasSubstr(Said("0", "true")));
}

TEST_F(ReportCommandTest, PlantedBugsHaveAPage) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "mutants.json").string();
  std::ofstream(options.run.file) << kMutants;
  options.out = page_.string();
  ASSERT_EQ(ReportCommand(options), 0);
  const std::string dom = DomOf();
  EXPECT_THAT(dom, HasSubstr("not all found"));
  EXPECT_THAT(dom, HasSubstr("15-shared<div class=\"meta\">Locked shared &lt;b&gt;"));
  EXPECT_EQ(CountOf(dom, "<tr class=\"bad\">"), 2) << "what was not found, and its law";
}

// As ci/mutants hunts: name, law, found by, runs, operations, decisions, ms, in FIFO order, story.
TEST_F(ReportCommandTest, LinesOfAHuntBecomeAPage) {
  std::ofstream(dir_ / "about") << "15-shared\tLocked shared\n16-lost\tForgotten\n";
  std::ofstream(dir_ / "lines") << "15-shared\tL3\tL3\t6\tscript\t2\t27\tnot found\tthe story\n"
                                << "16-lost\tL6\tnot found\t-\t-\t-\t-\trun 3\t\n";
  ReportCommandOptions options;
  options.run.file = (dir_ / "mutants.json").string();
  options.out = page_.string();
  const std::string jq = "jq -Rn --argjson failed 1 -f " OJ_SCENARIOS "/../ci/mutants.jq --rawfile";
  const std::string dir = dir_.string() + "/";
  const std::string command = jq + " about " + dir + "about <" + dir + "lines >" + options.run.file;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  ASSERT_EQ(ReportCommand(options), 0);
  const std::string dom = DomOf();
  EXPECT_THAT(dom, HasSubstr("not all found"));
  EXPECT_THAT(dom, HasSubstr("15-shared<div class=\"meta\">Locked shared"));
  EXPECT_THAT(dom, HasSubstr("<td class=\"n\">script</td>"));
  EXPECT_EQ(CountOf(dom, "<tr class=\"bad\">"), 2) << "what was not found, and its law";
}

TEST_F(ReportCommandTest, WhatIsNoSurveyIsRefused) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "wrong.json").string();
  options.out = page_.string();
  for (const char* wrong :
       {"{", "{}", "{} []", R"({"about": "x"})", R"({"about": "x", "mutants": 1})"}) {
    std::ofstream(options.run.file) << wrong;
    EXPECT_EQ(ReportCommand(options), 2) << wrong;
  }
  EXPECT_FALSE(fs::exists(page_));
}

// What the command says to standard error.
std::string Refused(const ReportCommandOptions& options) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(ReportCommand(options), 2);
  return testing::internal::GetCapturedStderr();
}

TEST_F(ReportCommandTest, APageThatStandardOutputDoesNotTakeIsRefused) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "mutants.json").string();
  std::ofstream(options.run.file) << kMutants;
  std::cout.setstate(std::ios::badbit);
  EXPECT_THAT(Refused(options), HasSubstr("standard output: cannot be written"));
  std::cout.clear();
}

TEST_F(ReportCommandTest, ADumpIsToBeMadeAScenarioFirst) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "story.jsonl").string();
  std::ofstream(options.run.file) << "{\"dump\":1,\"ojd\":\"1\"}\n{\"at\":1}\n";
  EXPECT_THAT(Refused(options), HasSubstr("oj-harness record --from " + options.run.file));
}

TEST_F(FailuresTest, OptionsOfARunAreRefusedForWhatHasBeenRun) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "x-expect-5.txt").string();
  options.run.seed = 7;
  EXPECT_THAT(Refused(options), HasSubstr("--seed: of a scenario only"));
  options.run.file = (dir_ / "mutants.json").string();
  std::ofstream(options.run.file) << kMutants;
  options.run.scale = 2;
  options.run.world = "fakes";
  EXPECT_THAT(Refused(options), HasSubstr("--world, --seed, --scale: of a scenario only"));
}

}  // namespace
}  // namespace oj::sim
