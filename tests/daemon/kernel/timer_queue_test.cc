#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "oj/clock.h"

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PlainTimer final : public Timer {
 public:
  void OnDue() noexcept override {}
};

Instant At(Duration since_start) { return Instant(since_start); }

TEST(TimerQueueTest, TimersOfOneInstantFireInTheOrderOfArming) {
  PlainTimer a, b, c;
  TimerQueue queue;
  queue.Arm(a, At(5ms));
  queue.Arm(b, At(5ms));
  queue.Arm(c, At(3ms));
  EXPECT_EQ(queue.PopDue(At(5ms)), &c);
  EXPECT_EQ(queue.PopDue(At(5ms)), &a);
  EXPECT_EQ(queue.PopDue(At(5ms)), &b);
  EXPECT_EQ(queue.PopDue(At(5ms)), nullptr);
}

TEST(TimerQueueTest, TimerOfALaterInstantIsNotDue) {
  PlainTimer a;
  TimerQueue queue;
  queue.Arm(a, At(5ms));
  EXPECT_EQ(queue.PopDue(At(5ms) - Duration(1)), nullptr);
  EXPECT_TRUE(a.armed());
}

TEST(TimerQueueTest, ArmingAgainMovesTheTimerBehindItsEquals) {
  PlainTimer a, b;
  TimerQueue queue;
  queue.Arm(a, At(5ms));
  queue.Arm(b, At(5ms));
  queue.Arm(a, At(5ms));
  EXPECT_EQ(queue.PopDue(At(5ms)), &b);
  EXPECT_EQ(queue.PopDue(At(5ms)), &a);
}

TEST(TimerQueueTest, ArmingInAnotherQueueLeavesTheFirst) {
  PlainTimer a;
  TimerQueue first;
  TimerQueue second;
  first.Arm(a, At(5ms));
  second.Arm(a, At(7ms));
  EXPECT_EQ(first.Earliest(), nullptr);
  EXPECT_EQ(second.Earliest(), &a);
}

TEST(TimerQueueTest, DestroyedTimerLeavesTheQueue) {
  TimerQueue queue;
  std::optional<PlainTimer> a(std::in_place);
  queue.Arm(*a, At(5ms));
  a.reset();
  EXPECT_EQ(queue.Earliest(), nullptr);
}

TEST(TimerQueueTest, DestroyedQueueDisarmsItsTimers) {
  PlainTimer a;
  {
    TimerQueue queue;
    queue.Arm(a, At(5ms));
  }
  EXPECT_FALSE(a.armed());
  a.Disarm();
}

TEST(TimerQueueTest, DueAppendsInTheOrderOfFiring) {
  PlainTimer a, b, c;
  TimerQueue queue;
  queue.Arm(a, At(5ms));
  queue.Arm(b, At(3ms));
  queue.Arm(c, At(9ms));
  std::vector<Timer*> due;
  queue.Due(At(5ms), due);
  EXPECT_THAT(due, ElementsAre(&b, &a));
  queue.Due(At(2ms), due);
  EXPECT_THAT(due, ElementsAre(&b, &a));
}

// The queue beside a sorted list. Few instants, so that equal ones are common.
class Model {
 public:
  static constexpr std::size_t kTimers = 24;

  void Step() {
    const auto which = *rc::gen::inRange<std::size_t>(0, kTimers);
    const Instant instant = At(std::chrono::milliseconds(*rc::gen::inRange(0, 12)));
    switch (*rc::gen::weightedElement<int>({{6, 0}, {2, 1}, {2, 2}, {1, 3}})) {
      case 0:
        queue_.Arm(timers_[which], instant);
        Forget(which);
        Insert(which, instant);
        break;
      case 1:
        timers_[which].Disarm();
        Forget(which);
        break;
      case 2:
        CheckPop(instant);
        break;
      default:
        CheckDue(instant);
    }
    for (std::size_t i = 0; i < kTimers; ++i) RC_ASSERT(timers_[i].armed() == Has(i));
  }
  void CheckDrain() {
    while (!sorted_.empty()) CheckPop(Instant::max());
    RC_ASSERT(queue_.Earliest() == nullptr);
  }

 private:
  struct Entry {
    Instant due;
    std::size_t which;
  };
  bool Has(std::size_t which) const {
    return std::any_of(sorted_.begin(), sorted_.end(),
                       [=](const Entry& entry) { return entry.which == which; });
  }
  void Forget(std::size_t which) {
    std::erase_if(sorted_, [=](const Entry& entry) { return entry.which == which; });
  }
  void Insert(std::size_t which, Instant due) {
    auto later = [](Instant instant, const Entry& entry) { return instant < entry.due; };
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), due, later), {due, which});
  }
  void CheckPop(Instant now) {
    Timer* popped = queue_.PopDue(now);
    if (sorted_.empty() || sorted_.front().due > now) {
      RC_ASSERT(popped == nullptr);
      return;
    }
    RC_ASSERT(popped == &timers_[sorted_.front().which]);
    sorted_.erase(sorted_.begin());
  }
  void CheckDue(Instant until) {
    std::vector<Timer*> expected;
    for (const Entry& entry : sorted_) {
      if (entry.due <= until) expected.push_back(&timers_[entry.which]);
    }
    std::vector<Timer*> due;
    queue_.Due(until, due);
    RC_ASSERT(due == expected);
  }

  PlainTimer timers_[kTimers];
  TimerQueue queue_;
  std::vector<Entry> sorted_;
};

RC_GTEST_PROP(TimerQueueProperty, BehavesAsASortedList, ()) {
  Model model;
  const int steps = *rc::gen::inRange(1, 150);
  for (int i = 0; i < steps; ++i) model.Step();
  model.CheckDrain();
}

}  // namespace
}  // namespace oj
