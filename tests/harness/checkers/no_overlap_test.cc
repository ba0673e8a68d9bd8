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

std::string Git(const char* words, const char* in = "/r/.git") {
  std::string line("/usr/bin/git -C ");
  return line.append(in).append(" --no-optional-locks -c gc.auto=0 ").append(words);
}
constexpr const char* kAdd = "worktree add -b oj/w1 /s/workspaces/w1 abc";
constexpr const char* kRemove = "worktree remove --force --force -- /s/workspaces/w2";
constexpr const char* kDelete = "update-ref -d refs/heads/oj/w2 abc";

TEST(NoOverlap, TwoChangesOfOneRepositoryBreakIt) {
  for (const char* second : {kRemove, kDelete, "worktree prune", "branch -D x", "pack-refs"}) {
    EXPECT_THAT(Check(Overlap(Git(kAdd).c_str(), Git(second).c_str())),
                ElementsAre(HasSubstr("at work on repository /r")))
        << second;
  }
  EXPECT_FALSE(Check(Overlap(Git(kAdd).c_str(), Git(kRemove, "/r").c_str())).empty());
}

TEST(NoOverlap, ALookAtARepositoryDuringAChangeBreaksIt) {
  EXPECT_FALSE(Check(Overlap(Git(kAdd).c_str(), Git("worktree list -z").c_str())).empty());
  EXPECT_FALSE(Check(Overlap(Git("rev-list abc --not --all").c_str(), Git(kAdd).c_str())).empty());
}

TEST(NoOverlap, LooksAtARepositoryMayOverlap) {
  EXPECT_THAT(Check(Overlap(Git("worktree list -z").c_str(), Git("rev-list abc").c_str())),
              IsEmpty());
  EXPECT_THAT(Check(Overlap(Git(kAdd).c_str(), Git("rev-parse --git-common-dir").c_str())),
              IsEmpty());
}

TEST(NoOverlap, OtherRepositoriesAreOtherThings) {
  EXPECT_THAT(Check(Overlap(Git(kAdd).c_str(), Git(kRemove, "/r2/.git").c_str())), IsEmpty());
}

TEST(NoOverlap, AChangeOfAWorktreeThatIsLookedAtBreaksIt) {
  const std::string look = Git("status -z", "/s/workspaces/w2");
  EXPECT_THAT(Check(Overlap(look.c_str(), Git(kRemove, "/r2/.git").c_str())),
              ElementsAre(HasSubstr("at work on worktree /s/workspaces/w2")));
  EXPECT_THAT(Check(Overlap(look.c_str(), Git("ls-files -v", "/s/workspaces/w2").c_str())),
              IsEmpty());
}

TEST(NoOverlap, OneHolderMayRemoveSeveralWorktreesAtATime) {
  TraceMaker made;
  made.Begun(0, "WorkspacePrune").Lease(1, EventKind::kLeaseGranted, 1, "repo:/r/.git");
  made.Starts(4, 10, Git(kRemove), 0);
  made.Starts(5, 11, Git("worktree remove --force -- /s/workspaces/w3"), 0).Dies(8, 10).Dies(9, 11);
  EXPECT_THAT(Check(made), IsEmpty());
}

TEST(NoOverlap, TwoHoldersMayNot) {
  TraceMaker made;
  made.Begun(0, "WorkspacePrune", 1).Begun(0, "WorkspaceDrop", 2);
  made.Lease(1, EventKind::kLeaseGranted, 1, "repo:/r/.git", false);
  made.Lease(2, EventKind::kLeaseGranted, 2, "repo:/r/.git", false);
  made.Starts(4, 10, Git(kRemove), 0);
  made.Starts(5, 11, Git("worktree remove --force -- /s/workspaces/w3"), 0).Dies(8, 10).Dies(9, 11);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("at work on repository /r")));
}

TEST(NoOverlap, ARepositoryThatIsGrantedWhileItIsChangedBreaksIt) {
  TraceMaker made;
  made.Begun(0, "WorkspaceAdd", 1).Begun(0, "WorkspaceAdd", 2);
  made.Lease(1, EventKind::kLeaseGranted, 1, "repo:/r/.git").Starts(2, 10, Git(kAdd));
  made.Lease(3, EventKind::kLeaseReleased, 1, "repo:/r/.git");
  made.Lease(3, EventKind::kLeaseGranted, 2, "repo:/r/.git");
  made.Lease(3, EventKind::kLeaseGranted, 2, "workspace:w1").Dies(4, 10);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("repo:/r/.git was granted to r2 while process 10"),
                                       HasSubstr("workspace:w1 was granted to r2")));
}

TEST(NoOverlap, WhatTheDaemonDoesForNoRequestIsJudgedToo) {
  TraceMaker made;
  made.Begun(0, "SessionKill", 1).Lease(1, EventKind::kLeaseGranted, 0, "session:a");
  made.Starts(2, 10, "tmux kill-session -t =a", 0);
  made.Daemon(2, EventKind::kProcessStarted, 0, 0, 10, "");
  made.Lease(3, EventKind::kLeaseGranted, 1, "session:a").Dies(5, 10);
  EXPECT_THAT(Check(made), ElementsAre(HasSubstr("while r0 held it"), HasSubstr("process 10")));
}

// The first daemon is killed while it works for its r1, the second does the same for its own.
TraceMaker Restarted(const char* argv, double dies) {
  TraceMaker made;
  made.Add(0, TraceKind::kDaemonStarted, 1, 0, 0, "").Begun(1, "Request");
  made.Starts(2, 10, argv).Add(3, TraceKind::kDaemonDied, 1, 0, 1, "");
  made.Add(4, TraceKind::kDaemonStarted, 2, 0, 0, "").Begun(5, "Request");
  if (dies < 6) made.Dies(dies, 10);
  made.Starts(6, 11, argv).Dies(7, 11);
  if (dies >= 6) made.Dies(dies, 10);
  return made;
}

TEST(NoOverlap, AProcessOfADeadDaemonThatMeetsOneOfTheNextBreaksIt) {
  EXPECT_EQ(Check(Restarted("tmux kill-session -t =a", 8)).size(), 1u);
  EXPECT_EQ(Check(Restarted(Git(kAdd).c_str(), 8)).size(), 1u);
  EXPECT_THAT(Check(Restarted(Git(kAdd).c_str(), 5.5)), IsEmpty());
}

TEST(NoOverlap, WhatTheTreesOfADeadDaemonForkIsJudgedWithTheirLeaders) {
  const std::string look = Git("worktree list -z"), change = Git(kDelete);
  TraceMaker made;
  made.Add(0, TraceKind::kDaemonStarted, 1, 0, 0, "").Begun(1, "WorkspacePrune");
  made.Lease(1, EventKind::kLeaseGranted, 1, "repo:/r/.git");
  made.Starts(2, 10, look).Starts(2, 11, change).Add(3, TraceKind::kDaemonDied, 1, 0, 1, "");
  made.Add(4, TraceKind::kDaemonStarted, 2, 0, 0, "");
  made.Starts(5, 12, look, 0, 10).Starts(5, 13, change, 0, 11);
  for (const std::uint64_t pid : {10u, 11u, 12u, 13u}) made.Dies(6, pid);
  EXPECT_THAT(Check(made), IsEmpty());
}

// No tag leads to it, since the server that it starts is to live.
TEST(NoOverlap, AStartOfASessionByADeadDaemonIsNobodys) {
  EXPECT_THAT(Check(Restarted("tmux new-session -d -s a -- sh", 8)), IsEmpty());
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
