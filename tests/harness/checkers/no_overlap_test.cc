#include "trace_maker.h"

namespace oj::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

auto Check(const TraceMaker& made) { return Of(CheckNoOverlap, made); }

// Two commands, the second of which starts while the first is at work.
TraceMaker Overlap(const char* first, const char* second) {
  TraceMaker made;
  made.Starts(1, 10, first, 1).Starts(5, 11, second, 2).Dies(8, 10).Dies(9, 11);
  return made;
}

TEST(NoOverlap, OneAfterTheOtherKeepsTheLaw) {
  TraceMaker made;
  made.Starts(1, 10, "tmux kill-session -t =a", 1).Dies(5, 10);
  made.Starts(5, 11, "tmux new-session -d -s a -c / -- sh", 2).Dies(6, 11);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(NoOverlap, TwoChangesOfOneSessionBreakIt) {
  EXPECT_THAT(Check(Overlap("tmux kill-session -t =a", "tmux new-session -d -s a -c / -- sh")),
              ElementsAre(HasSubstr("at work on session a")));
}

TEST(NoOverlap, AChangeDuringALookBreaksIt) {
  EXPECT_FALSE(Check(Overlap("tmux capture-pane -t =a: -p", "tmux kill-session -t =a")).empty());
  EXPECT_FALSE(Check(Overlap("tmux kill-session -t =a", "tmux has-session -t =a")).empty());
}

TEST(NoOverlap, LooksMayOverlap) {
  EXPECT_THAT(Check(Overlap("tmux capture-pane -t =a: -p", "tmux capture-pane -t =a: -p -e")),
              IsEmpty());
}

TEST(NoOverlap, OtherSessionsAreOtherThings) {
  EXPECT_THAT(Check(Overlap("tmux kill-session -t =a", "tmux kill-session -t =ab")), IsEmpty());
}

TEST(NoOverlap, AMemberOfTheTreeDoesNotOverlapItsLeader) {
  TraceMaker made;
  made.Starts(1, 10, "tmux kill-session -t =a").Starts(2, 11, "tmux kill-session -t =a", 1, 10);
  EXPECT_THAT(Check(made.Dies(5, 11).Dies(6, 10)), IsEmpty());
}

TEST(NoOverlap, AGrandchildThatOutlivesTheLeaseBreaksIt) {
  TraceMaker made;
  made.Starts(1, 10, "tmux kill-session -t =a").Starts(2, 11, "tmux kill-session -t =a", 1, 10);
  made.Dies(5, 10).Starts(6, 12, "tmux has-session -t =a", 2).Dies(7, 12).Dies(9, 11);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("while 11")));
}

TEST(NoOverlap, ALeaseThatIsGrantedWhileAProcessOfTheLastLivesBreaksIt) {
  TraceMaker made;
  made.Begun(0, "SessionKill", 1).Begun(0, "SessionKill", 2);
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a").Starts(2, 10, "tmux kill-session -t =a");
  made.Lease(3, EventKind::kLeaseReleased, 1, "session:a");
  made.Lease(3, EventKind::kLeaseGranted, 2, "session:a").Dies(4, 10);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("was granted to r2 while process 10")));
}

TEST(NoOverlap, TwoHoldersOfAnExclusiveLeaseBreakIt) {
  TraceMaker made;
  made.Begun(0, "SessionKill", 1).Begun(0, "SessionKill", 2);
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a", false);
  made.Lease(2, EventKind::kLeaseGranted, 2, "session:a", true);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("while r1 held it")));
}

TEST(NoOverlap, TwoSharedHoldersKeepIt) {
  TraceMaker made;
  made.Begun(0, "PeekSession", 1).Begun(0, "PeekSession", 2);
  made.Lease(1, EventKind::kLeaseGranted, 1, "session:a", false);
  made.Lease(2, EventKind::kLeaseGranted, 2, "session:a", false);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(NoOverlap, TheSessionIsReadFromTheCommandLine) {
  EXPECT_EQ(SessionOf("tmux new-session -d -s a -c / -e K=V -- sh -t =b"), "a");
  EXPECT_EQ(SessionOf("/usr/bin/tmux capture-pane -t =a: -p -S -40"), "a");
  EXPECT_EQ(SessionOf("tmux send-keys -l -- -t =b"), "");
  EXPECT_EQ(SessionOf("tmux list-sessions -F #{session_name}"), "");
  EXPECT_EQ(SessionOf(""), "");
}

}  // namespace
}  // namespace oj::sim
