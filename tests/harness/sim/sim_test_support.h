// What the simulation's tests share: a chooser that takes what a test plans, and a small world.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/tree_runner.h"
#include "explore/chooser.h"
#include "oj/nursery.h"
#include "sim/sim_process_host.h"

namespace oj::sim {

// Benign but for what is planned: the next choices at a site, in order.
class PlannedChooser final : public Chooser {
 public:
  void Plan(const Site& site, std::deque<std::uint32_t> choices) {
    planned_[site.name] = std::move(choices);
  }

 private:
  std::uint32_t Draw(const Site& site, std::uint32_t, std::uint32_t, std::uint32_t n) override {
    std::deque<std::uint32_t>& choices = planned_[site.name];
    if (choices.empty()) return 0;
    const std::uint32_t choice = choices.front();
    choices.pop_front();
    EXPECT_LT(choice, n) << site.name;
    return choice;
  }
  std::map<std::string_view, std::deque<std::uint32_t>> planned_;
};

// A loop, and tasks on it.
class LoopTest : public ::testing::Test {
 protected:
  void RunToRest() {
    while (loop.Step()) {
    }
    EXPECT_FALSE(loop.exhausted());
  }
  void RunFor(Duration time) {
    bool over = false;
    alarms_.Start(Alarm(time, over));
    while (!over && loop.Step()) {
    }
  }
  Duration elapsed() const { return loop.Now().time_since_epoch(); }

  Trace trace;
  PlannedChooser chooser;
  Decisions decisions{chooser, trace.digest(), kAllFaults};
  SimLoop loop{decisions, trace.digest(), 100'000, std::chrono::hours(1)};
  Nursery tasks{loop, nullptr};

 private:
  Task<void> Alarm(Duration time, bool& over) {
    auto pause = SleepFor(loop, time);
    co_await pause;
    over = true;
  }
  Nursery alarms_{loop, nullptr};  // a test may cancel its tasks, but not its time
};

}  // namespace oj::sim
