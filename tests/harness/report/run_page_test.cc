// The page of a run in a browser: what is drawn, and what keys, fragments and laws lead to.
#include <boost/json.hpp>
#include <fstream>

#include "page_fixture.h"
#include "report/page.h"
#include "report/run_data.h"
#include "story.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunPageTest : public PageTest {
 protected:
  void Draw(const Trace& trace) {
    boost::json::object data = RunData(trace, Judge(trace, Facts{}));
    data["run"] = {{"scenario", "scenarios/overlap.toml"}, {"world", "fakes"}, {"about", "x"}};
    ASSERT_TRUE(WriteFile(page_.string(), RunPage(data)));
  }
};

TEST_F(RunPageTest, AnErrorOfAScriptWouldBeSeen) {
  Draw(OverlapStory());
  Afterwards("return nothing.of.that;");
  EXPECT_THAT(Open(page_, "", dir_).console, HasSubstr("nothing is not defined"));
}

TEST_F(RunPageTest, LanesOfEveryKindAreDrawnWithTheirBarsAndMarks) {
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

TEST_F(RunPageTest, ALawInTheFragmentLeadsToTheTwoThatOverlapped) {
  Draw(OverlapStory());
  Afterwards("return document.activeElement.getAttribute('aria-label');");
  const std::string dom = DomOf("#law=L3");
  EXPECT_EQ(CountOf(dom, "class=\"row lane rel hit\""), 2);
  EXPECT_EQ(CountOf(dom, "class=\"bar[a-z ]* hit\""), 2);
  EXPECT_EQ(CountOf(dom, "class=\"band\""), 1);
  EXPECT_THAT(dom, HasSubstr("L3 at 5,320.000 ms"));
  EXPECT_THAT(dom, HasSubstr("data-said=\"pid 78 r2"));
}

TEST_F(RunPageTest, AnEventInTheFragmentSelectsItsBarAndWhatBelongsToIt) {
  Draw(OverlapStory());
  const std::string dom = DomOf("#event=7");
  EXPECT_EQ(CountOf(dom, "class=\"bar[a-z ]* chosen\" aria-label=\"pid 77"), 1);
  EXPECT_EQ(CountOf(dom, "class=\"row lane rel\""), 4)
      << "client 1, its request, the lease, the process";
  EXPECT_THAT(dom, HasSubstr("<dt>lasted</dt><dd>5,380.000 ms</dd>"));
  EXPECT_THAT(dom, HasSubstr("process ended \xc2\xb7 pid 77 \xc2\xb7 signal 9"));
}

TEST_F(RunPageTest, KeysZoomPanAndFit) {
  Draw(OverlapStory());
  Afterwards(
      "const whole = span(), from = view[0]; press('+'); const closer = span();"
      "press(']'); const right = view[0] > from; press('-'); const back = span();"
      "press('0'); return [closer < whole, right, back > closer, span() === whole];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,true,true,true\""));
}

TEST_F(RunPageTest, KeysLeadFromLawToEventsAndLanes) {
  Draw(OverlapStory());
  Afterwards(
      "const label = () => document.activeElement.getAttribute('aria-label').split(' ')[0] + "
      "document.activeElement.getAttribute('aria-label').split(' ')[1];"
      "press('v'); const law = location.hash, at = label(); press('ArrowUp'); const up = label();"
      "press('Escape'); const none = location.hash; press('n'); press('n');"
      "return [law, at, up, none, location.hash];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"#law=L3.1,pid78,pid77,,#event=1\""));
}

TEST_F(RunPageTest, EnterOnALawGoesToIt) {
  Draw(OverlapStory());
  Afterwards(
      "const law = document.querySelector('[data-law=L3]'); law.focus();"
      "const can = document.activeElement === law; law.click(); return [can, location.hash];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,#law=L3.1\""));
}

TEST_F(RunPageTest, TabStopsAtOneItemAndTheArrowsReachAllOthers) {
  Draw(OverlapStory());
  Afterwards(
      "const stops = () => items.filter((item) => item.node.tabIndex === 0);"
      "view = [5.9e9, 6e9]; paint(); const one = stops(); one[0].node.focus();"  // out of view
      "const can = document.activeElement === one[0].node && inView(one[0]);"
      "const seen = new Set(), at = () => document.activeElement;"
      "for (let lane = 0; lane < 99; ++lane) {"
      "  for (let i = 0; i < 9; ++i) press('ArrowLeft');"
      "  for (let i = 0; i < 9; ++i) { seen.add(at()); press('ArrowRight'); }"
      "  seen.add(at()); press('ArrowDown');"
      "}"
      "const last = at().closest('.lane'); for (let i = 0; i < 99; ++i) press('ArrowUp');"
      "return [one.length, can, items.length > 15 && items.every((item) => seen.has(item.node)),"
      " stops().length, last === lanes[lanes.length - 1].row,"
      " at().closest('.lane') === lanes[0].row];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"1,true,true,1,true,true\""));
}

TEST_F(RunPageTest, TabStopsWhereSomethingIsShown) {
  Draw(OverlapStory());
  Afterwards(
      "const first = document.querySelector('.kind > button'); first.click(); paint();"
      "const node = document.querySelector('.track [tabindex=\"0\"]'); node.focus();"
      "return [document.activeElement === node, node.closest('.kind').dataset.kind];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,client\""));
}

TEST_F(RunPageTest, ArrowsAreThePagesOwnOutsideTheTimeline) {
  Draw(OverlapStory());
  Afterwards(
      "const taken = (at, key) => !at.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: "
      "true, cancelable: true}));"
      "return ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].flatMap((key) =>"
      " [taken(document.getElementById('detail'), key), taken(items[0].node, key)]);");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"false,true,false,true,false,true,false,true\""));
}

constexpr const char* kShown =
    "const shown = () => lanes.filter((lane) => lane.row.offsetParent).length;";

TEST_F(RunPageTest, OnlyRelatedHidesNothingWhileNothingIsSelected) {
  Draw(OverlapStory());
  Afterwards(std::string(kShown) +
             "press('o'); const none = shown(); go('event=7'); const some = shown();"
             "press('Escape'); const again = shown(); press('o'); return [none, some, again];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"10,4,10\""));
}

TEST_F(RunPageTest, LanesThatWereBroughtTogetherForALawComeApartAfterIt) {
  Draw(OverlapStory());
  Afterwards(std::string(kShown) +
             "document.getElementById('scroll').style.cssText = 'flex: none; min-height: 0; "
             "height: 90px'; violations[1] = {...violations[0], events: [], number: 2};"
             "press('v'); const near = shown(); press('v'); const all = shown(), at = law.number;"
             "press('o'); return [near < 10, at, all, shown()];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,2,10,10\""));
}

TEST_F(RunPageTest, ZoomAndPanStayWhereSomethingIs) {
  Draw(OverlapStory());
  Afterwards(
      "go('event=7'); view = [3e9, 4e9]; for (let i = 0; i < 9; ++i) press('+');"
      "const still = view[0] > 3e9 && view[1] < 4e9;"
      "view = [9e9, 9.1e9]; press('['); const back = view[0] < 6e9;"
      "const track = lanes[0].track; track.scrollLeft = 50;"
      "return [still, back, track.scrollLeft];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,true,0\""));
}

TEST_F(RunPageTest, OnPaperAllLanesAreDrawnToItsWidth) {
  Draw(OverlapStory());
  Afterwards(
      "lanes[9].row.style.marginTop = '2000px'; paint();"  // out of sight
      "const far = lanes[9].items[0].node; far.style.left = '';"
      "dispatchEvent(new Event('beforeprint')); const wide = document.body.clientWidth;"
      "const drawn = far.style.left !== ''; dispatchEvent(new Event('afterprint'));"
      "return [wide, drawn, document.body.clientWidth > wide];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"960,true,true\""));
}

TEST_F(RunPageTest, AFragmentThatIsNoneLeadsNowhere) {
  Draw(OverlapStory());
  EXPECT_THAT(DomOf("#law=%"), HasSubstr("broken: L3"));
}

// Two daemons; a client of each has the first request of its own.
TEST_F(RunPageTest, WhatIsRelatedIsOfOneLifeOfTheDaemon) {
  Trace trace;
  for (const std::uint64_t life : {1u, 2u}) {
    const int begin = static_cast<int>(life) * 1000;
    trace.Add(At(begin), TraceKind::kDaemonStarted, life, 0, 0, "");
    trace.Add(At(begin), TraceKind::kClientSent, life, life, 4, "Ping");
    trace.AddDaemon(At(begin), {EventKind::kRequestBegun, 4, 1, 99, "Ping"});
    trace.Add(At(begin + 500), TraceKind::kDaemonDied, life, 0, 1, "");
    trace.Add(At(begin + 500), TraceKind::kClientSawClose, life, 0, 4, "");
  }
  Draw(trace);
  Afterwards(
      "return lanes.filter((l) => l.row.classList.contains('rel')).map((l) => [l.label, l.began = "
      "l.items[0].from / 1e6]);");
  EXPECT_THAT(DomOf("#event=7"), HasSubstr("data-said=\"client 2,2000,r1 Ping,2000\""));
}

// A key in quarantine, and a defect.
Trace QuarantineStory() {
  Trace trace;
  trace.AddDaemon(At(0), {EventKind::kRequestBegun, 1, 1, 99, "SessionKill"});
  trace.AddDaemon(At(1), {EventKind::kLeaseGranted, 0, 1, 1, "session:work"});
  trace.AddDaemon(At(5000), {EventKind::kKeyQuarantined, 0, 1, 77, "session:work"});
  trace.AddDaemon(At(9000), {EventKind::kDefect, 0, 0, 0, "it was not so"});
  return trace;
}

TEST_F(RunPageTest, AQuarantineIsDrawnAsSuch) {
  Draw(QuarantineStory());
  Afterwards(kContrast);
  EXPECT_THAT(DomOf("", Mode::kLight), HasSubstr(Said("0", "false")));
  EXPECT_THAT(DomOf("", Mode::kDark), HasSubstr(Said("0", "true")));
  const std::string dom = DomOf("#event=2");
  EXPECT_EQ(CountOf(dom, "<button class=\"bar in-quarantine open chosen\""), 1);
  EXPECT_EQ(CountOf(dom, "<button class=\"mark struck\""), 1) << "the defect";
  EXPECT_THAT(dom, HasSubstr("key quarantined \xc2\xb7 request 1 \xc2\xb7 pid 77"));
}

TEST_F(RunPageTest, EveryTextCanBeReadInBothModes) {
  Draw(OverlapStory());
  Afterwards(kContrast);
  for (const auto& [fragment, faded] : {std::pair("#event=7", "6"), std::pair("#law=L3", "2")}) {
    EXPECT_THAT(DomOf(fragment, Mode::kLight), HasSubstr(Said(faded, "false"))) << fragment;
    EXPECT_THAT(DomOf(fragment, Mode::kDark), HasSubstr(Said(faded, "true"))) << fragment;
  }
  Draw(OverlapStory());
  Afterwards(std::string("press('?');") + kContrast);
  EXPECT_THAT(DomOf("", Mode::kLight), HasSubstr(Said("0", "false")));
  EXPECT_THAT(DomOf("", Mode::kDark), HasSubstr(Said("0", "true")));
}

TEST_F(RunPageTest, ThePageIsAPictureInBothModes) {
  Draw(OverlapStory());
  const std::string light = Picture(page_, dir_, Mode::kLight);
  EXPECT_THAT(light, HasSubstr("PNG"));
  EXPECT_GT(light.size(), 40'000u) << "a blank one has some 5000 bytes";
  const std::string dark = Picture(page_, dir_, Mode::kDark);
  EXPECT_GT(dark.size(), 40'000u);
  EXPECT_NE(light, dark);
}

TEST_F(RunPageTest, AQuestionMarkShowsTheKeys) {
  Draw(OverlapStory());
  Afterwards("press('?'); return document.getElementById('keys').open;");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true\""));
}

TEST_F(RunPageTest, WheelDragAndHoverDoWhatTheySay) {
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

TEST_F(RunPageTest, SqueezedTimeKeepsItsOrderAndShowsEverything) {
  Draw(OverlapStory());
  Afterwards(
      "press('s'); const all = events.map((e) => pixel(e[0]));"
      "return [all.every((x, i) => !i || x >= all[i - 1]), all[0] >= 0,"
      " Math.abs(timeAt(position(5e9)) - 5e9) < 1e3];");
  EXPECT_THAT(DomOf(), HasSubstr("data-said=\"true,true,true\""));
}

TEST_F(RunPageTest, TextOfAProcessStaysText) {
  Draw(OverlapStory("tmux send-keys -t =work: </script><img src=x onerror=console.error(1)>"));
  const std::string dom = DomOf("#event=7");
  EXPECT_THAT(dom, Not(HasSubstr("<img")));
  EXPECT_THAT(dom, HasSubstr("&lt;/script&gt;&lt;img src=x"));
}

TEST_F(RunPageTest, ARunInWhichNothingHappenedIsAPageToo) {
  Draw(Trace());
  EXPECT_THAT(DomOf("#event=3"), HasSubstr("nothing happened"));
}

}  // namespace
}  // namespace oj::sim
