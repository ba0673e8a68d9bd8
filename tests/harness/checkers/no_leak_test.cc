#include "trace_maker.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPeek = "tmux capture-pane -t =a: -p";

auto Check(const TraceMaker& made, const Facts& facts = {}) { return Of(CheckNoLeak, made, facts); }
TraceMaker Begun() { return TraceMaker().Begun(1, "PeekSession"); }

TEST(NoLeak, WhatHasEndedAndWasReapedKeepsTheLaw) {
  auto made = Begun().Starts(2, 10, kPeek).Dies(3, 10).Ended(4);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(NoLeak, ALiveProcessBreaksIt) {
  EXPECT_THAT(Check(Begun().Starts(2, 10, kPeek).Ended(4)),
              ElementsAre(HasSubstr("is still alive")));
}

TEST(NoLeak, AZombieBreaksIt) {
  EXPECT_THAT(Check(Begun().Starts(2, 10, kPeek).Dies(3, 10, false).Ended(4)),
              ElementsAre(HasSubstr("was never reaped")));
}

TEST(NoLeak, ARequestThatHasNotEndedBreaksIt) {
  EXPECT_THAT(Check(Begun().Until(5)), ElementsAre(HasSubstr("r1 has not ended")));
}

TEST(NoLeak, AHeldLeaseBreaksIt) {
  auto made = Begun().Lease(2, EventKind::kLeaseGranted, 1, "session:a").Ended(3);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("still holds session:a")));
}

TEST(NoLeak, AQuarantinedLeaseIsAccountedFor) {
  auto made = Begun().Lease(2, EventKind::kLeaseGranted, 1, "session:a").Ended(3);
  made.Lease(3, EventKind::kKeyQuarantined, 1, "session:a");
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(NoLeak, WhatTheWorldCountsBreaksIt) {
  Facts facts;
  facts.left = {{"zombies", 0}, {"open descriptors", 2}, {"armed timers", -1}};
  EXPECT_THAT(Check(TraceMaker(), facts), ElementsAre("2 open descriptors left over"));
}

TEST(NoLeak, NothingIsSaidOfATraceThatEndsBeforeItIsQuiet) {
  Facts facts;
  facts.at_rest = false;
  EXPECT_THAT(Check(Begun().Starts(2, 10, kPeek), facts), IsEmpty());
}

TEST(NoLeak, WhatIsLeftByAKilledDaemonIsForTheNext) {
  auto made = Begun().Starts(2, 10, kPeek).Add(3, TraceKind::kDaemonDied, 1, 0, 1, "");
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(NoLeak, WhatIsLeftByADaemonThatEndsBreaksIt) {
  auto made = Begun().Starts(2, 10, kPeek).Add(3, TraceKind::kDaemonDied, 1, 0, 0, "");
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("process 10")));
}

}  // namespace
}  // namespace oj::sim
