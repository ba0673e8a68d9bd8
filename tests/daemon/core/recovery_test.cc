// What a daemon finds of another one's: every state of an intent is finished or undone, and what
// cannot be settled now stays for the next who tries.
#include "recovery_fixture.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(RecoveryTest, NoKeyIsGivenOutWhileAProcessOfADeadDaemonLives) {
  KnowSession("a");
  KnowAdd("aaaa");
  stray = "process 7";
  Serve();
  EXPECT_THAT(Ask(kPeek), AllOf(HasSubstr("busy"), HasSubstr("process 7, left behind")));
  loop.Advance(4s);
  EXPECT_THAT(Intents(), Contains("add:w1"));
  stray.clear();
  loop.Advance(4s);
  EXPECT_THAT(Intents(), Not(Contains("add:w1")));
  runner.Answer("capture-pane", 0, "hello");
  EXPECT_THAT(Ask(kPeek), HasSubstr("hello"));
}

TEST_F(RecoveryTest, AnAddThatWasBegunIsUndoneDirectoryEntryAndBranch) {
  KnowAdd("aaaa");
  files.directories->insert(kPath);
  Serve();
  EXPECT_THAT(runner.Commands(), ElementsAre("worktree remove", "worktree list", "update-ref"));
  EXPECT_THAT(files.steps, ElementsAre("rename /state/workspaces/w1",
                                       StartsWith("remove /state/workspaces/.trash/w1.")));
  ExpectGone();
}

TEST_F(RecoveryTest, ABranchThatWasThereBeforeTheAddStays) {
  KnowAdd(std::nullopt);
  Serve();
  EXPECT_THAT(runner.Commands(), ElementsAre("worktree remove"));
  ExpectGone();
}

TEST_F(RecoveryTest, AnUndoThatFailsSaysSoAndTheNextRequestTriesAgain) {
  KnowAdd("aaaa");
  for (int i = 0; i < 2; ++i) {
    runner.Answer("worktree remove", 128, "", "fatal: the disk is on fire");
    TheEntryIsThere();
  }
  Serve();
  EXPECT_THAT(Show(), HasSubstr(R"("status":"failed")"));
  EXPECT_THAT(Show(), HasSubstr("on fire"));
  EXPECT_THAT(Intents(), ElementsAre("add:w1"));
  EXPECT_THAT(Ask(R"({"type":"WorkspaceDrop","id":"w1"})"), HasSubstr(R"("id":"w1")"));
  ExpectGone();
}

TEST_F(RecoveryTest, ARemovalThatMovedNothingIsForgotten) {
  KnowRemoval();
  files.directories->insert(kPath);
  Serve();
  EXPECT_THAT(runner.Commands(), IsEmpty());
  EXPECT_THAT(Show(), HasSubstr(R"("status":"ready")"));
  EXPECT_THAT(Intents(), IsEmpty());
  EXPECT_THAT(*files.directories, ElementsAre(kPath));
}

TEST_F(RecoveryTest, ARemovalThatMovedItIsFinished) {
  KnowRemoval(true);
  files.directories->insert(kTrash);
  TreeIs("");
  Serve();
  EXPECT_THAT(runner.Commands(),
              ElementsAre("status", "worktree remove", "rev-list", "worktree list", "update-ref"));
  ExpectGone();
}

// L7: its commits have been on another branch, which has gone since.
TEST_F(RecoveryTest, ABranchThatHasBecomeTheLastToLeadToItsCommitsStays) {
  KnowRemoval(true);
  files.directories->insert(kTrash);
  TreeIs("");
  runner.Answer("rev-list", 0, "aaaa\n");
  Serve();
  EXPECT_THAT(runner.Commands(), ElementsAre("status", "worktree remove", "rev-list"));
  ExpectGone();
}

// L7: whoever still wrote when it was moved away wrote here.
TEST_F(RecoveryTest, ARemovalOfWhatChangedMeanwhileIsTakenBack) {
  KnowRemoval();
  files.directories->insert(kTrash);
  TreeIs("? late\0");
  Serve();
  EXPECT_THAT(*files.directories, ElementsAre(kPath));
  EXPECT_THAT(Show(), HasSubstr(R"("status":"ready")"));
  EXPECT_THAT(Intents(), IsEmpty());
  EXPECT_THAT(runner.Commands(), Not(Contains("worktree remove")));
}

TEST_F(RecoveryTest, ARemovalThatWasDeregisteredIsFinished) {
  KnowRemoval();
  files.directories->insert(kTrash);
  runner.Answer("status", 128, "", "fatal: not a git repository: /repo/.git/worktrees/w1");
  runner.Answer("worktree remove", 128, "", "fatal: is not a working tree");
  Serve();
  ExpectGone();
}

TEST_F(RecoveryTest, ARemovalWhoseDirectoryIsNowhereIsFinished) {
  KnowRemoval();
  Serve();
  EXPECT_THAT(runner.Commands(), ElementsAre("worktree remove"));
  ExpectGone();
}

// Lesson for the removal: what an editor makes where the directory lay is nobody's to delete.
TEST_F(RecoveryTest, ARemovalEndsWhereSomethingWasMadeAtItsPathAndThatStays) {
  KnowRemoval();
  files.directories = {kTrash, kPath};
  files.contents[std::string(kEntry) + "/gitdir"] = std::string(kPath) + "/.git\n";
  files.contents["/repo/.git/worktrees/w2/gitdir"] = "/state/workspaces/w2/.git\n";
  TreeIs("");
  runner.Answer("worktree remove", 128, "", "fatal: '/state/workspaces/w1' is not a working tree");
  Serve();
  EXPECT_THAT(files.steps,
              ElementsAre(std::string("remove ") + kEntry, std::string("remove ") + kTrash));
  EXPECT_THAT(*files.directories, ElementsAre(kPath));
  EXPECT_TRUE(files.contents.contains("/repo/.git/worktrees/w2/gitdir"));
  EXPECT_THAT(Show(), HasSubstr(R"("workspace":null)"));
  EXPECT_THAT(Intents(), IsEmpty());
}

// git does not know it any more.
TEST_F(RecoveryTest, WhatAKilledGitLeftOfTheEntryGoesAndNothingElse) {
  KnowRemoval();
  const std::string entries = "/repo/.git/worktrees/";
  files.contents[entries + "w1/ORIG_HEAD"] = "aaaa\n";
  files.contents[entries + "w13/HEAD"] = "aaaa\n";
  files.contents[entries + "w11/HEAD"] = "aaaa\n";
  files.contents[entries + "w11/gitdir"] = "/elsewhere/w1/.git\n";
  files.contents[entries + "w1-too/HEAD"] = "aaaa\n";
  Serve();
  EXPECT_THAT(files.steps, ElementsAre("remove " + entries + "w1", "remove " + entries + "w13"));
  ExpectGone();
}

// A git that was killed in the middle of writing it has left it so that every git dies of it.
TEST_F(RecoveryTest, ATornEntryIsTakenOutByHand) {
  KnowRemoval();
  files.contents[std::string(kEntry) + "/gitdir"] = std::string(kPath) + "/.git\n";
  files.contents[std::string(kEntry) + "/commondir"] = "";
  for (const char* command : {"worktree remove", "worktree list"}) {
    for (int i = 0; i < 20; ++i) {
      runner.Answer(command, 128, "", "fatal: failed to read worktrees/w1/commondir: Success");
    }
  }
  Serve();
  loop.Advance(2s);
  EXPECT_THAT(files.steps, ElementsAre(std::string("remove ") + kEntry));
  ExpectGone();
}

TEST_F(RecoveryTest, AGitThatMetAnEntryHalfTakenOutIsAskedAgain) {
  KnowRemoval();
  runner.Answer("worktree remove", 128, "",
                "fatal: failed to read worktrees/w2/commondir: No such file or directory");
  Serve();
  loop.Advance(10ms);
  EXPECT_THAT(runner.Commands(), ElementsAre("worktree remove", "worktree remove"));
  ExpectGone();
}

TEST_F(RecoveryTest, ARemovalLeavesTheWorktreeThatAUserMadeOnItsEntry) {
  KnowRemoval();
  files.directories = {kTrash, kPath};
  files.contents[std::string(kEntry) + "/gitdir"] = std::string(kPath) + "/.git\n";
  files.contents[std::string(kPath) + "/.git"] = std::string("gitdir: ") + kEntry + "\n";
  TreeIs("");
  Serve();
  EXPECT_THAT(runner.Commands(), ElementsAre("status"));
  EXPECT_THAT(files.steps, ElementsAre(std::string("remove ") + kTrash));
  EXPECT_THAT(Intents(), IsEmpty());
}

// L7: it may be on that very entry.
TEST_F(RecoveryTest, AnEntryStaysWhileWhatLiesAtItsPathCannotBeRead) {
  KnowRemoval();
  files.directories = {kTrash, kPath};
  files.contents[std::string(kEntry) + "/gitdir"] = std::string(kPath) + "/.git\n";
  files.contents[std::string(kPath) + "/.git"] = std::string("gitdir: ") + kEntry + "\n";
  files.unreadable = std::string(kPath) + "/.git";
  TreeIs("");
  Serve();
  EXPECT_THAT(files.steps, IsEmpty());
  EXPECT_THAT(runner.Commands(), ElementsAre("status"));
  EXPECT_THAT(Intents(), ElementsAre("remove:w1"));
}

TEST_F(RecoveryTest, AnUndoLeavesWhatWasMadeAtThePathAfterItMovedTheDirectory) {
  KnowWorkspace(WorkspaceStatus::kCreating);
  const AddIntent intent{"/repo/.git", kPath, "oj/w1", kTrash, std::nullopt};
  store.snapshot.intents.push_back(ToRecord(intent, "w1", 0));
  files.directories = {kTrash, kPath};
  Serve();
  EXPECT_THAT(*files.directories, ElementsAre(kPath));
  EXPECT_THAT(Intents(), IsEmpty());
}

// Its id has the digits of the request: the workspace is that of an earlier attempt.
TEST_F(RecoveryTest, ARunSettlesFirstWhatAnEarlierOneLeftOfItsWorkspace) {
  config.git_worktree = 1s;
  WorkspaceRecord record;
  record.id = "a-2961e399";
  record.status = WorkspaceStatus::kFailed;
  const AddIntent intent{"/repo/.git", "/state/workspaces/a-2961e399", "oj/a-2961e399", kTrash, {}};
  store.snapshot.intents.push_back(ToRecord(intent, record.id, 0));
  store.snapshot.workspaces.push_back(std::move(record));
  files.directories = {"/repo"};
  runner.Hangs("worktree remove");
  runner.Hangs("worktree remove");
  Serve();
  for (int i = 0; i < 4; ++i) loop.Advance(1s);
  ASSERT_THAT(Intents(), ElementsAre("add:a-2961e399"));
  runner.specs.clear();
  runner.Answer("rev-parse", 0, "/repo/.git\n");
  Ask(R"({"type":"AgentRun","name":"a","command":["sh"],"repo":"/repo","request_id":"r"})");
  loop.Advance(1s);
  const Log commands = runner.Commands();
  EXPECT_LT(std::ranges::find(commands, "worktree remove"),
            std::ranges::find(commands, "worktree add"));
  EXPECT_THAT(commands, Contains("worktree add"));
}

// O4: a failed look is no clean tree.
// Lesson: `rm -rf` follows a git that failed, timed out or still runs.
TEST_F(RecoveryTest, ARemovalThatCannotBeLookedAtStays) {
  KnowRemoval();
  files.directories->insert(kTrash);
  runner.Answer("status", 128, "", "fatal: index file corrupt");
  Serve();
  EXPECT_THAT(Show(), HasSubstr("index file corrupt"));
  EXPECT_THAT(Intents(), ElementsAre("remove:w1"));
  EXPECT_THAT(*files.directories, ElementsAre(kTrash));
}

TEST_F(RecoveryTest, AnIntentThatCannotBeReadIsToldAndTouchesNothing) {
  KnowAdd("aaaa");
  store.snapshot.intents[0].detail = R"({"repo":"/repo/.git"})";
  files.directories->insert(kPath);
  Serve();
  EXPECT_EQ(events.Count(EventKind::kUnsettled), 1U);
  EXPECT_THAT(runner.Commands(), IsEmpty());
  EXPECT_THAT(*files.directories, ElementsAre(kPath));
}

TEST_F(RecoveryTest, OnlyWhatLiesInTheTrashIsEverDeleted) {
  store.snapshot.intents.push_back(TrashRecord("/state/workspaces/w2", 0));
  store.snapshot.intents.push_back(TrashRecord("/state/workspaces/.trash/../w3", 0));
  store.snapshot.intents.push_back(TrashRecord(kTrash, 0));
  files.directories = {"/state/workspaces/w2", "/state/workspaces/w3", kTrash};
  Serve();
  EXPECT_THAT(files.steps, ElementsAre(std::string("remove ") + kTrash));
}

// A mount is in the way: nothing is deleted in place.
TEST_F(RecoveryTest, ADirectoryThatCannotBeMovedStaysAsItWas) {
  KnowWorkspace(WorkspaceStatus::kReady);
  files.directories->insert(kPath);
  files.rename_fails = Error{ErrorCode::kConflict, "rename: Invalid cross-device link", ""};
  Serve();
  EXPECT_THAT(Ask(R"({"type":"WorkspaceDrop","id":"w1","force":true})"),
              AllOf(HasSubstr(R"("code":"conflict")"), HasSubstr("cross-device")));
  EXPECT_THAT(Show(), HasSubstr(R"("status":"ready")"));
  EXPECT_THAT(Intents(), IsEmpty());
  EXPECT_THAT(runner.Commands(), Not(Contains("worktree remove")));
}

TEST_F(RecoveryTest, AMoveThatMayYetBeDoneIsRemembered) {
  KnowWorkspace(WorkspaceStatus::kReady);
  files.directories->insert(kPath);
  files.rename_fails = Error{ErrorCode::kUnavailable, "rename: not done within 5000 ms", ""};
  Serve();
  EXPECT_THAT(Ask(R"({"type":"WorkspaceDrop","id":"w1","force":true})"), HasSubstr("5000 ms"));
  EXPECT_THAT(Show(), HasSubstr(R"("status":"failed")"));
  EXPECT_THAT(Intents(), ElementsAre("remove:w1"));
}

TEST_F(RecoveryTest, AUnitUnderWayMayEndWithinTheDrain) {
  config.drain = 2s;
  KnowRemoval();
  files.directories->insert(kTrash);
  TreeIs("");
  runner.Takes("worktree remove", 1s);
  Serve();
  server->Stop();
  loop.Advance(900ms);
  EXPECT_FALSE(ended.has_value());
  loop.Advance(200ms);
  EXPECT_TRUE(ended.has_value());
  EXPECT_THAT(Intents(), Not(Contains("remove:w1")));
}

TEST_F(RecoveryTest, AUnitIsCutOffByTheEndOfTheDrainAndItsIntentStays) {
  config.drain = 500ms;
  KnowRemoval();
  files.directories->insert(kTrash);
  TreeIs("");
  runner.Hangs("worktree remove");
  Serve();
  server->Stop();
  loop.Advance(600ms);
  EXPECT_TRUE(ended.has_value());
  EXPECT_THAT(Intents(), ElementsAre("remove:w1"));
}

TEST_F(RecoveryTest, ASecondStopWaitsForNoUnit) {
  KnowRemoval();
  files.directories->insert(kTrash);
  TreeIs("");
  runner.Hangs("worktree remove");
  Serve();
  server->Stop();
  loop.Advance(50ms);
  EXPECT_FALSE(ended.has_value());
  server->Stop();
  loop.Advance(50ms);
  EXPECT_TRUE(ended.has_value());
}

}  // namespace
}  // namespace oj
