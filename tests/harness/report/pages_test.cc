// The pages in a browser: what is drawn, and what keys, fragments and laws lead to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>

#include "browser.h"
#include "report/page.h"
#include "report/report_command.h"
#include "report/run_data.h"
#include "story.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

std::ptrdiff_t CountOf(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), regex), {});
}

class PagesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "oj-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
    page_ = dir_ / "page.html";
  }
  void TearDown() override { fs::remove_all(dir_); }

  void Draw(const Trace& trace) {
    boost::json::object data = RunData(trace, Judge(trace, Facts{}));
    data["run"] = {{"scenario", "scenarios/overlap.toml"}, {"world", "fakes"}, {"about", "x"}};
    ASSERT_TRUE(WriteFile(page_.string(), RunPage(data)));
  }
  // Runs behind the page's own script; what it returns is in the attribute data-said of the body.
  void Afterwards(const std::string& script) {
    std::ofstream(page_, std::ios::app)
        << "<script>const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', "
           "{key})); const span = () => view[1] - view[0]; document.body.dataset.said = "
           "String((() => {"
        << script << "})());</script>";
  }
  // Fails where the page wrote to the console.
  std::string DomOf(const std::string& fragment = "") {
    const Opened opened = Open(page_, fragment, dir_);
    EXPECT_EQ(opened.why, "");
    EXPECT_EQ(opened.console, "");
    return opened.dom;
  }

  fs::path dir_;
  fs::path page_;
};

TEST_F(PagesTest, AnErrorOfAScriptWouldBeSeen) {
  Draw(OverlapStory());
  Afterwards("return nothing.of.that;");
  EXPECT_THAT(Open(page_, "", dir_).console, HasSubstr("nothing is not defined"));
}

TEST_F(PagesTest, LanesOfEveryKindAreDrawnWithTheirBarsAndMarks) {
  Draw(OverlapStory());
  const std::string dom = DomOf();
  for (const char* kind : {"fault", "client", "request", "lease", "process", "daemon"}) {
    EXPECT_THAT(dom, HasSubstr("data-kind=\"" + std::string(kind) + "\""));
  }
  EXPECT_EQ(CountOf(dom, "class=\"row lane"), 10);
  EXPECT_EQ(CountOf(dom, "<button class=\"bar[ \"]"), 12);
  EXPECT_EQ(CountOf(dom, "<button class=\"mark term\""), 1);
  EXPECT_EQ(CountOf(dom, "<button class=\"mark kill\""), 1);
  EXPECT_EQ(CountOf(dom, "<button class=\"mark struck\""), 2) << "the cancel, and who gave up";
  EXPECT_THAT(dom, HasSubstr("broken: L3"));
  EXPECT_THAT(dom, HasSubstr("pid 78 r2 tmux send-keys"));
}

TEST_F(PagesTest, ALawInTheFragmentLeadsToTheTwoThatOverlapped) {
  Draw(OverlapStory());
  Afterwards("return document.activeElement.getAttribute('aria-label');");
  const std::string dom = DomOf("#law=L3");
  EXPECT_EQ(CountOf(dom, "class=\"row lane rel hit\""), 2);
  EXPECT_EQ(CountOf(dom, "class=\"bar[a-z ]* hit\""), 2);
  EXPECT_EQ(CountOf(dom, "class=\"band\""), 1);
  EXPECT_THAT(dom, HasSubstr("L3 at 5,320.000 ms"));
  EXPECT_THAT(dom, HasSubstr("data-said=\"pid 78 r2"));
}

TEST_F(PagesTest, AnEventInTheFragmentSelectsItsBarAndWhatBelongsToIt) {
  Draw(OverlapStory());
  const std::string dom = DomOf("#event=7");
  EXPECT_EQ(CountOf(dom, "class=\"bar[a-z ]* chosen\" aria-label=\"pid 77"), 1);
  EXPECT_EQ(CountOf(dom, "class=\"row lane rel\""), 4)
      << "client 1, its request, the lease, the process";
  EXPECT_THAT(dom, HasSubstr("<dt>lasted</dt><dd>5,380.000 ms</dd>"));
  EXPECT_THAT(dom, HasSubstr("process ended \xc2\xb7 pid 77 \xc2\xb7 signal 9"));
}

TEST_F(PagesTest, KeysZoomPanAndFit) {
  Draw(OverlapStory());
  Afterwards(
      "const whole = span(), from = view[0]; press('+'); const closer = span();"
      "press('ArrowRight'); const right = view[0] > from; press('-'); const back = span();"
      "press('0'); return [closer < whole, right, back > closer, span() === whole];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,true,true,true\""));
}

TEST_F(PagesTest, KeysLeadFromLawToEventsAndLanes) {
  Draw(OverlapStory());
  Afterwards(
      "const label = () => document.activeElement.getAttribute('aria-label').split(' ')[0] + "
      "document.activeElement.getAttribute('aria-label').split(' ')[1];"
      "press('v'); const law = location.hash, at = label(); press('ArrowUp'); const up = label();"
      "press('Escape'); const none = location.hash; press('n'); press('n');"
      "return [law, at, up, none, location.hash];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"#law=L3.1,pid78,pid77,,#event=1\""));
}

TEST_F(PagesTest, EnterOnALawGoesToIt) {
  Draw(OverlapStory());
  Afterwards(
      "const law = document.querySelector('[data-law=L3]'); law.focus();"
      "const can = document.activeElement === law; law.click(); return [can, location.hash];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,#law=L3.1\""));
}

TEST_F(PagesTest, EveryBarAndMarkCanBeReachedByTab) {
  Draw(OverlapStory());
  Afterwards("return items.length > 15 && items.every((item) => item.node.tabIndex === 0);");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true\""));
}

TEST_F(PagesTest, AQuestionMarkShowsTheKeys) {
  Draw(OverlapStory());
  Afterwards("press('?'); return document.getElementById('keys').open;");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true\""));
}

TEST_F(PagesTest, WheelDragAndHoverDoWhatTheySay) {
  Draw(OverlapStory());
  Afterwards(
      "const bar = items.find((item) => item.bar), whole = span();"
      "const tell = (type, on, more) => on.dispatchEvent(new (type === 'wheel' ? WheelEvent : "
      "PointerEvent)(type, {bubbles: true, cancelable: true, clientX: 600, clientY: 300, "
      "...more}));"
      "tell('wheel', bar.node, {deltaY: -100}); const closer = span() < whole, from = view[0];"
      "tell('pointerdown', bar.node, {button: 0}); tell('pointermove', document, {clientX: 580});"
      "tell('pointerup', document); const dragged = view[0] > from;"
      "tell('mouseenter', bar.node); const tip = document.getElementById('tip');"
      "return [closer, dragged, !tip.hidden && tip.textContent.includes('tmux hangs')];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,true,true\""));
}

TEST_F(PagesTest, SqueezedTimeKeepsItsOrderAndShowsEverything) {
  Draw(OverlapStory());
  Afterwards(
      "press('s'); const all = events.map((e) => pixel(e[0]));"
      "return [all.every((x, i) => !i || x >= all[i - 1]), all[0] >= 0,"
      " Math.abs(timeAt(position(5e9)) - 5e9) < 1e3];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,true,true\""));
}

TEST_F(PagesTest, TextOfAProcessStaysText) {
  Draw(OverlapStory("tmux send-keys -t =work: </script><img src=x onerror=console.error(1)>"));
  const std::string dom = DomOf("#event=7");
  EXPECT_THAT(dom, Not(HasSubstr("<img")));
  EXPECT_THAT(dom, HasSubstr("&lt;/script&gt;&lt;img src=x"));
}

TEST_F(PagesTest, ARunInWhichNothingHappenedIsAPageToo) {
  Draw(Trace());
  EXPECT_THAT(DomOf("#event=3"), HasSubstr("nothing happened"));
}

TEST_F(PagesTest, ReportDrawsAScenariosRun) {
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

// Explores a scenario in which every run breaks what is expected.
class FailuresTest : public PagesTest {
 protected:
  void SetUp() override {
    PagesTest::SetUp();
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

TEST_F(PagesTest, ReportRefusesWhatItCannotReadOrWrite) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "none.toml").string();
  EXPECT_EQ(ReportCommand(options), 2);
  options.run.file = OJ_SCENARIOS "/fast/hung-tmux-peek.toml";
  options.out = (dir_ / "none" / "page.html").string();
  EXPECT_EQ(ReportCommand(options), 2);
}

TEST_F(PagesTest, ExploreWritesAPageOfItsProbesAndBehaviours) {
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

TEST_F(PagesTest, SweepWritesAPageOfItsPoints) {
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

TEST_F(PagesTest, SweepDrawsTheRunOfItsFirstFailureToo) {
  SweepCommandOptions options;
  options.file = (dir_ / "wrong.toml").string();
  std::ofstream(options.file) << kStillThere;
  options.kinds = {"kill"};
  options.report = page_.string();
  ASSERT_EQ(SweepCommand(options), 1);
  EXPECT_THAT(DomOf(), HasSubstr("<a href=\"page.first.html\">its picture</a>"));
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

TEST_F(PagesTest, PlantedBugsHaveAPage) {
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

TEST_F(PagesTest, WhatIsNoSurveyIsRefused) {
  ReportCommandOptions options;
  options.run.file = (dir_ / "wrong.json").string();
  options.out = page_.string();
  for (const char* wrong : {"{", "{}", "{} []"}) {
    std::ofstream(options.run.file) << wrong;
    EXPECT_EQ(ReportCommand(options), 2) << wrong;
  }
  EXPECT_FALSE(fs::exists(page_));
}

}  // namespace
}  // namespace oj::sim
