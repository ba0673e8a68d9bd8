#include "oj/wait_queue.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <list>
#include <random>
#include <string>
#include <vector>

#include "test_loop.h"

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using EventTest = KernelTest;

// A lock on a WaitQueue, as small as can be.
struct Baton {
  WaitQueue<int> queue;
  bool held = false;
};
class Hold {
 public:
  explicit Hold(Baton& baton) : baton_(baton) { baton_.held = true; }
  Hold(const Hold&) = delete;
  ~Hold() {
    baton_.held = false;
    if (baton_.queue.empty()) return;
    baton_.held = true;  // of the next in the queue from now on
    baton_.queue.WakeFront();
  }

 private:
  Baton& baton_;
};

class WaitQueueTest : public KernelTest {
 protected:
  static Task<void> Use(WaitQueueTest& test, int id) {
    if (test.baton.held) co_await test.baton.queue.Enter(id);
    Hold hold(test.baton);
    test.log.push_back("has it: " + std::to_string(id));
    co_await SleepFor(test.loop, 10ms);
  }
  std::vector<int> Waiting() {
    std::vector<int> ids;
    baton.queue.ForEach([&](int id) { ids.push_back(id); });
    return ids;
  }
  Baton baton;
};

TEST_F(WaitQueueTest, WaitersAreServedInTheOrderOfTheirCalls) {
  for (int id = 1; id <= 3; ++id) root.Start(Use(*this, id));
  loop.RunReady();
  EXPECT_THAT(Waiting(), ElementsAre(2, 3));
  EXPECT_EQ(baton.queue.front(), 2);
  loop.Run();
  EXPECT_THAT(log, ElementsAre("has it: 1", "has it: 2", "has it: 3"));
  EXPECT_FALSE(baton.held);
}

TEST_F(WaitQueueTest, CancelledWaiterLeavesTheQueueAtOnce) {
  CancelScope scope(nullptr);
  root.Start(Use(*this, 1));
  StartIn(scope, "second", Use(*this, 2));
  root.Start(Use(*this, 3));
  loop.RunReady();
  scope.Cancel(CancelReason::kDisconnected);
  EXPECT_THAT(Waiting(), ElementsAre(3));
  loop.Run();
  EXPECT_THAT(log, ElementsAre("has it: 1", "second cancelled: disconnected", "has it: 3"));
}

TEST_F(WaitQueueTest, WaiterCancelledAfterTheHandOffOwnsItAndPassesItOn) {
  CancelScope scope(nullptr);
  root.Start(Use(*this, 1));
  StartIn(scope, "second", Use(*this, 2));
  root.Start(Use(*this, 3));
  loop.RunReady();
  loop.Stall(10ms);
  ASSERT_TRUE(loop.RunTurn());  // the first ends and hands on to the second
  ASSERT_THAT(Waiting(), ElementsAre(3));

  scope.Cancel(CancelReason::kDisconnected);
  loop.RunReady();
  EXPECT_THAT(log,
              ElementsAre("has it: 1", "has it: 2", "second cancelled: disconnected", "has it: 3"));
  loop.Run();
  EXPECT_FALSE(baton.held);
}

TEST_F(WaitQueueTest, NewcomerDoesNotOvertakeOneThatWasWoken) {
  root.Start(Use(*this, 1));
  root.Start(Use(*this, 2));
  loop.RunReady();
  loop.Stall(10ms);
  root.Start(Use(*this, 3));
  ASSERT_TRUE(loop.RunTurn());  // the first hands on
  EXPECT_TRUE(baton.held);
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("has it: 1", "has it: 2"));
  EXPECT_THAT(Waiting(), ElementsAre(3));
}

// Whatever the order of strands and whoever is cancelled: never two holders, never a lost baton.
class Contention {
 public:
  explicit Contention(std::uint64_t seed) : loop_(seed), random_(seed), root_(loop_, nullptr) {
    for (int i = 0; i < 8; ++i) root_.Start(RunIn(scopes_.emplace_back(nullptr), Contend(*this)));
  }
  void Run() {
    while (!root_.empty()) {
      if (random_() % 8 == 0) Pick().Cancel(CancelReason::kOperator);
      if (!loop_.RunTurn()) loop_.Stall(1ms);
    }
  }
  int most_holders() const { return most_holders_; }
  int turns_had() const { return turns_had_; }
  bool at_rest() const { return !baton_.held && baton_.queue.empty() && !loop_.has_timers(); }

 private:
  static Task<void> Contend(Contention& self) {
    for (int i = 0; i < 4; ++i) {
      if (self.baton_.held) co_await self.baton_.queue.Enter(i);
      Hold hold(self.baton_);
      Inside inside(self);
      co_await Yield();
      co_await SleepFor(self.loop_, 1ms);
    }
  }
  struct Inside {
    explicit Inside(Contention& contention) : self(contention) {
      self.most_holders_ = std::max(self.most_holders_, ++self.holders_);
      ++self.turns_had_;
    }
    ~Inside() { --self.holders_; }
    Contention& self;
  };
  CancelScope& Pick() {
    auto scope = scopes_.begin();
    std::advance(scope, random_() % scopes_.size());
    return *scope;
  }

  TestLoop loop_;
  std::mt19937_64 random_;
  Baton baton_;
  std::list<CancelScope> scopes_;
  int holders_ = 0;
  int most_holders_ = 0;
  int turns_had_ = 0;
  Nursery root_;
};

TEST(WaitQueueScheduleTest, NoOrderAndNoCancelLosesOrDoublesTheHandOff) {
  int turns = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Contention contention(seed);
    contention.Run();
    ASSERT_EQ(contention.most_holders(), 1) << "seed " << seed;
    ASSERT_TRUE(contention.at_rest()) << "seed " << seed;
    turns += contention.turns_had();
  }
  EXPECT_GT(turns, 500);  // not vacuous
}

Task<void> WaitFor(Event& event) { co_await event.WaitSet(); }

TEST_F(EventTest, SetWakesAllWaitersInTheirOrder) {
  Event event;
  Start("a", WaitFor(event));
  Start("b", WaitFor(event));
  loop.RunReady();
  EXPECT_THAT(log, IsEmpty());
  event.Set();
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a done", "b done"));
}

TEST_F(EventTest, SetEventIsNotWaitedFor) {
  Event event;
  event.Set();
  event.Set();
  Start("a", WaitFor(event));
  ASSERT_TRUE(loop.RunTurn());
  EXPECT_THAT(log, ElementsAre("a done"));
}

TEST_F(EventTest, CancelledWaiterIsNotWokenBySet) {
  CancelScope scope(nullptr);
  Event event;
  StartIn(scope, "a", WaitFor(event));
  loop.RunReady();
  scope.Cancel(CancelReason::kDeadline);
  event.Set();
  loop.RunReady();
  EXPECT_THAT(log, ElementsAre("a cancelled: deadline"));
}

}  // namespace
}  // namespace oj
