// Flights: who joins, who leaves, what ends them and what they answer.
#include "core/flight.h"

#include <stdexcept>

#include "core_test_support.h"

namespace oj {
namespace {

// Waits for `go` under a bound of its own choosing; the handler's steps are logged.
Task<Reply> Wait(Log& log, Event& go, std::string name) {
  log.push_back(name + " runs");
  auto wait = go.WaitSet();
  co_await std::move(wait);
  co_return name + " reply";
}
Task<Reply> Throw() {
  co_await Yield();
  throw std::runtime_error("index out of range");
}
// Ends what it began even when cancelled, and says so.
Task<Reply> EndNevertheless(Clock& clock) {
  auto sleep = Shield(clock, Deadline::After(clock.Now(), 1s), Sleep(clock, 50ms));
  co_await std::move(sleep);
  co_return std::string("done");
}

// One client's interest.
struct Party {
  explicit Party(Deadline until = Deadline::Never()) : waiter(until) {}
  Waiter waiter;
  std::shared_ptr<Flight> flight;
};

class FlightTest : public ::testing::Test {
 protected:
  FlightTest() { table.emplace(loop, events, root); }
  Flight& Join(Party& party, std::string key, FlightTable::Handler handler) {
    FlightTable::Launch launch{"Peek", std::move(key), 42, 1, std::move(handler), {}, {}};
    party.flight = table->Join(std::move(launch), party.waiter);
    return *party.flight;
  }
  Flight& JoinWait(Party& party, std::string key = "k") {
    return Join(party, std::move(key),
                [this](Flight& flight) { return Wait(log, go, RequestName(flight.id)); });
  }
  void Leave(Party& party, CancelReason reason = CancelReason::kDisconnected) {
    table->Leave(*party.flight, party.waiter, reason);
  }
  Deadline In(Duration duration) const { return Deadline::After(loop.Now(), duration); }
  static std::string Answer(const Party& party) {
    if (!party.flight->ended()) return "none";
    const Reply& reply = party.flight->reply();
    return reply ? *reply : std::string(Name(reply.error().code));
  }

  TestLoop loop;
  RecordingLog events;
  Log log;
  Event go;
  std::optional<FlightTable> table;
  Nursery root{loop, nullptr};
};

TEST_F(FlightTest, IdenticalRequestsShareOneRunAndOneReply) {
  Party a, b;
  JoinWait(a);
  loop.RunReady();
  JoinWait(b);
  EXPECT_EQ(a.flight, b.flight);
  EXPECT_EQ(a.flight->waiters(), 2U);
  go.Set();
  loop.RunReady();
  EXPECT_TRUE(a.waiter.settled && b.waiter.settled);
  EXPECT_EQ(Answer(a), "r1 reply");
  EXPECT_EQ(log, Log{"r1 runs"});
  EXPECT_TRUE(table->all().empty());
}

TEST_F(FlightTest, OtherKeysAndNoKeyAreNotJoined) {
  Party a, b, c, d;
  JoinWait(a, "a");
  JoinWait(b, "b");
  JoinWait(c, "");
  JoinWait(d, "");
  EXPECT_EQ(table->all().size(), 4U);
  EXPECT_EQ(table->begun(), 4U);
  go.Set();
  loop.RunReady();
}

TEST_F(FlightTest, LatchedFlightIsNotJoinedAndARetryRunsAfresh) {
  Party a, b;
  JoinWait(a);
  loop.RunReady();
  a.flight->Latch(CancelReason::kOperator);
  JoinWait(b);
  EXPECT_NE(a.flight, b.flight);
  go.Set();
  loop.RunReady();
  EXPECT_EQ(Answer(a), "cancelled");
  EXPECT_EQ(Answer(b), "r2 reply");
}

TEST_F(FlightTest, LastWaiterThatLeavesCancels) {
  Party a, b;
  JoinWait(a);
  JoinWait(b);
  loop.RunReady();
  Leave(a);
  EXPECT_EQ(a.flight->latched(), CancelReason::kNone);
  Leave(b);
  EXPECT_EQ(a.flight->latched(), CancelReason::kDisconnected);
  loop.RunReady();
  EXPECT_TRUE(table->all().empty());
  EXPECT_FALSE(a.waiter.settled) << "who has left is not told";
}

TEST_F(FlightTest, FirstWaiterThatLeavesEarlyDoesNotDisturbTheOther) {
  Party a, b;
  JoinWait(a);
  JoinWait(b);
  loop.RunReady();
  Leave(a);
  go.Set();
  loop.RunReady();
  EXPECT_EQ(Answer(b), "r1 reply");
}

TEST_F(FlightTest, DeadlineIsTheLatestOfThoseWhoStillWait) {
  Party a(In(100ms)), b(In(300ms)), c(In(200ms));
  JoinWait(a);
  EXPECT_EQ(a.flight->deadline(), In(100ms));
  JoinWait(b);
  JoinWait(c);
  EXPECT_EQ(a.flight->deadline(), In(300ms));
  Leave(b);
  EXPECT_EQ(a.flight->deadline(), In(200ms));
  loop.Advance(199ms);
  EXPECT_EQ(a.flight->latched(), CancelReason::kNone);
  loop.Advance(1ms);
  EXPECT_EQ(Answer(c), "deadline_exceeded");
  EXPECT_NE(c.flight->reply().error().message.find("Peek (r1)"), std::string::npos);
  EXPECT_NE(c.flight->reply().error().detail.find("\"elapsed_ms\":200"), std::string::npos);
}

TEST_F(FlightTest, FirstReasonWins) {
  Party a(In(10ms));
  JoinWait(a);
  loop.RunReady();
  a.flight->Latch(CancelReason::kShutdown);
  a.flight->Latch(CancelReason::kOperator);
  loop.Advance(20ms);
  EXPECT_EQ(a.flight->latched(), CancelReason::kShutdown);
  EXPECT_EQ(Answer(a), "cancelled");
  EXPECT_NE(a.flight->reply().error().message.find("shutting down"), std::string::npos);
  EXPECT_EQ(events.Count(EventKind::kRequestLatched), 1U);
}

TEST_F(FlightTest, LatchBeforeTheFirstTurnStopsTheHandlerAtItsFirstWait) {
  Party a;
  JoinWait(a);
  a.flight->Latch(CancelReason::kOperator);
  loop.RunReady();
  EXPECT_EQ(Answer(a), "cancelled");
}

TEST_F(FlightTest, DefectOfAHandlerIsAnsweredAsInternalAndLogged) {
  Party a, b;
  Join(a, "x", [](Flight&) { return Throw(); });
  JoinWait(b);
  loop.RunReady();
  EXPECT_EQ(Answer(a), "internal");
  EXPECT_NE(a.flight->reply().error().message.find("index out of range"), std::string::npos);
  EXPECT_EQ(events.Count(EventKind::kDefect), 1U);
  go.Set();
  loop.RunReady();
  EXPECT_EQ(Answer(b), "r2 reply") << "one flight's defect is not its neighbour's";
}

TEST_F(FlightTest, HandlerThatCompletesAlthoughCancelledKeepsItsReply) {
  Party a;
  Join(a, "x", [this](Flight&) { return EndNevertheless(loop); });
  loop.RunReady();
  a.flight->Latch(CancelReason::kShutdown);
  loop.Advance(50ms);
  EXPECT_EQ(Answer(a), "done");
}

TEST_F(FlightTest, LatchAllCancelsEachAndEmptyWaitsForTheLast) {
  Party a, b;
  Join(a, "a", [this](Flight&) { return EndNevertheless(loop); });
  JoinWait(b);
  root.Start(Watch(log, "empty", table->Empty()));
  loop.RunReady();
  table->LatchAll(CancelReason::kShutdown);
  loop.Advance(49ms);
  EXPECT_EQ(Answer(b), "cancelled");
  EXPECT_EQ(log.back(), "r2 runs");
  loop.Advance(1ms);
  EXPECT_EQ(log.back(), "empty done");
}

TEST_F(FlightTest, FindKnowsThoseInFlightOnly) {
  Party a;
  JoinWait(a);
  EXPECT_EQ(table->Find(1), a.flight);
  EXPECT_EQ(table->Find(2), nullptr);
  go.Set();
  loop.RunReady();
  EXPECT_EQ(table->Find(1), nullptr);
  Leave(a);  // after the end: nothing to cancel
  EXPECT_EQ(events.Count(EventKind::kRequestLatched), 0U);
}

TEST_F(FlightTest, EndedFlightLeavesNoTimer) {
  Party a(In(100ms));
  JoinWait(a);
  go.Set();
  loop.RunReady();
  EXPECT_FALSE(loop.has_timers());
}

// A waiter that leaves an ended flight has nothing to rearm: the other one may be a slow reader.
TEST_F(FlightTest, LeavingAnEndedFlightArmsNoTimer) {
  Party a(In(100ms)), b(In(200ms));
  JoinWait(a);
  JoinWait(b);
  go.Set();
  loop.RunReady();
  Leave(a);
  EXPECT_FALSE(loop.has_timers());
}

TEST(RequestName, RoundTripsAndRefusesOtherNames) {
  EXPECT_EQ(RequestName(17), "r17");
  EXPECT_EQ(RequestNumber("r17"), 17U);
  for (const char* name : {"", "r", "17", "r-1", "r1x", "R1", "r99999999999999999999"}) {
    EXPECT_EQ(RequestNumber(name), 0U) << name;
  }
}

}  // namespace
}  // namespace oj
