#include "trace_maker.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

auto Check(const TraceMaker& made) { return Of(CheckProgress, made); }

// r1 has the key from 1 until 100; r2 waits for it from 2 on.
TraceMaker Waiting() {
  TraceMaker made;
  made.Begun(0, "SessionKill", 1).Begun(0, "SessionKill", 2);
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a");
  made.Lease(2, EventKind::kLeaseWaiting, 2, "session:a");
  return made.Lease(100, EventKind::kLeaseReleased, 1, "session:a");
}

TEST(Progress, AKeyThatIsHandedOnKeepsTheLaw) {
  EXPECT_THAT(Check(Waiting().Lease(100, EventKind::kLeaseGranted, 2, "session:a").Until(9000)),
              IsEmpty());
}

TEST(Progress, AWaiterForAKeyThatNobodyHoldsBreaksIt) {
  EXPECT_THAT(Check(Waiting().Latched(3000, 2).Until(9000)),
              ElementsAre(HasSubstr("r2 still waited for session:a")));
  EXPECT_FALSE(Check(Waiting().Lease(500, EventKind::kLeaseGranted, 2, "session:a")).empty());
}

TEST(Progress, AWaiterThatIsCancelledWaitsNoMore) {
  EXPECT_THAT(Check(Waiting().Latched(120, 2).Until(9000)), IsEmpty());
}

TEST(Progress, OfADrainingDaemonOwnWorkMayEndOrGoOn) {
  TraceMaker made;
  made.Begun(0, "SessionKill", 1);
  made.Lease(1, EventKind::kLeaseGranted, 1, "repo:a");
  made.Lease(2, EventKind::kLeaseWaiting, 0, "repo:a")
      .Lease(3, EventKind::kLeaseWaiting, 2, "repo:a");
  TraceMaker ends = made;
  ends.Lease(9, EventKind::kDraining, 0, "").Lease(10, EventKind::kLeaseReleased, 1, "repo:a");
  TraceMaker goes_on = ends;
  ends.Lease(10, EventKind::kLeaseGranted, 2, "repo:a");
  EXPECT_THAT(Check(ends), IsEmpty());
  goes_on.Lease(10, EventKind::kLeaseGranted, 0, "repo:a");
  EXPECT_THAT(Check(goes_on), IsEmpty());
  made.Lease(10, EventKind::kLeaseReleased, 1, "repo:a");
  EXPECT_FALSE(Check(made.Lease(10, EventKind::kLeaseGranted, 2, "repo:a")).empty());
}

TEST(Progress, AKeyThatOthersHoldMayBeWaitedFor) {
  TraceMaker made;
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a", false);
  made.Lease(1, EventKind::kLeaseGranted, 3, "session:a", false);
  made.Lease(2, EventKind::kLeaseWaiting, 2, "session:a");
  made.Lease(100, EventKind::kLeaseReleased, 1, "session:a", false);
  EXPECT_THAT(Check(made.Until(9000)), IsEmpty());
}

TEST(Progress, SharedWaitersBehindOneThatWasCancelledAreLetIn) {
  TraceMaker made;
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a", false);
  made.Lease(2, EventKind::kLeaseWaiting, 2, "session:a");
  made.Lease(3, EventKind::kLeaseWaiting, 3, "session:a", false);
  EXPECT_THAT(Check(made.Latched(50, 2).Until(9000)),
              ElementsAre(HasSubstr("r3 still waited for session:a")));
}

TEST(Progress, WhoComesLaterIsNotLetInBefore) {
  TraceMaker made;
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a", false);
  made.Lease(2, EventKind::kLeaseWaiting, 2, "session:a");
  made.Lease(3, EventKind::kLeaseGranted, 3, "session:a", false);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("r3 got session:a before r2")));
}

}  // namespace
}  // namespace oj::sim
