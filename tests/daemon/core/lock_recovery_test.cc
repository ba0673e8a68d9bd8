// Lock files that a git of a dead daemon left behind: whose they provably are is removed.
#include "recovery_fixture.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Of a daemon that began at 1,000 ms and died with its git.
class LockRecoveryTest : public RecoveryTest {
 protected:
  static constexpr char kLock[] = "/repo/.git/refs/heads/oj/w1.lock";
  LockRecoveryTest() {
    KnowAdd("aaaa");
    store.snapshot.intents[0].created_at_ms = 1000;
  }
  void LockIsInTheWay(const std::string& lock) {
    runner.Answer("update-ref", 1, "",
                  "error: cannot lock ref 'refs/heads/oj/w1': Unable to create '" + lock +
                      "': File exists.\n\nAnother git process seems to be running");
  }
  void ExpectItStays() {
    EXPECT_TRUE(files.modified_ms.contains(kLock));
    EXPECT_THAT(Show(), AllOf(HasSubstr(R"("status":"failed")"), HasSubstr(kLock)));
    EXPECT_THAT(Intents(), ElementsAre("add:w1"));
  }
};

TEST_F(LockRecoveryTest, TheLocksOfADeadGitAreRemovedAndTheWorkGoesOn) {
  const std::string packed = "/repo/.git/packed-refs.lock";
  files.modified_ms = {{kLock, 1500}, {packed, 1600}};
  LockIsInTheWay(kLock);
  LockIsInTheWay(packed);
  Serve();
  EXPECT_THAT(files.steps,
              UnorderedElementsAre(std::string("remove ") + kLock, "remove " + packed));
  EXPECT_THAT(Intents(), IsEmpty());
}

// The branch had gone, and its lock with it: no command of this work meets that of the packed refs.
TEST_F(LockRecoveryTest, TheLockOfThePackedRefsIsRemovedThoughItIsInNobodysWayYet) {
  files.modified_ms = {{"/repo/.git/packed-refs.lock", 1500}};
  runner.Answer("update-ref", 1, "",
                "error: cannot lock ref 'refs/heads/oj/w1': unable to resolve reference");
  Serve();
  EXPECT_THAT(files.modified_ms, IsEmpty());
  EXPECT_THAT(Intents(), IsEmpty());
}

TEST_F(LockRecoveryTest, ALockThatIsOlderThanOurGitStays) {
  files.modified_ms = {{kLock, 900}};
  LockIsInTheWay(kLock);
  Serve();
  ExpectItStays();
}

// G2: the lock is that of a git that lives.
TEST_F(LockRecoveryTest, ALockThatALivingGitMayHoldStays) {
  files.modified_ms = {{kLock, 1500}};
  files.user = 4711;
  for (int i = 0; i < 4; ++i) LockIsInTheWay(kLock);
  Serve();
  ExpectItStays();
  EXPECT_THAT(Show(), HasSubstr("4711"));
}

TEST_F(LockRecoveryTest, ALockOutsideOfTheRepositoryStays) {
  const std::string other = "/elsewhere/.git/packed-refs.lock";
  files.modified_ms = {{other, 1500}};
  LockIsInTheWay(other);
  Serve();
  EXPECT_TRUE(files.modified_ms.contains(other));
  EXPECT_THAT(Intents(), ElementsAre("add:w1"));
}

TEST_F(LockRecoveryTest, ALockThatIsGoneByNowIsNoReasonToFail) {
  files.directories->erase(kLock);
  LockIsInTheWay(kLock);
  Serve();
  EXPECT_THAT(Intents(), IsEmpty());
}

// Where no git of ours died nothing is ours to remove.
TEST_F(RecoveryTest, ALockThatAnAddMeetsIsNamedAndStays) {
  files.modified_ms = {{"/repo/.git/refs/heads/oj/w9.lock", 1 << 30}};
  runner.Answer("rev-parse", 0, "/repo/.git\n");
  runner.Answer("rev-parse", 1);
  runner.Answer("rev-parse", 0, "aaaa\n");
  runner.Answer("worktree add", 255, "",
                "fatal: cannot lock ref 'refs/heads/oj/w9': Unable to create "
                "'/repo/.git/refs/heads/oj/w9.lock': File exists.");
  Serve();
  EXPECT_THAT(Ask(R"({"type":"WorkspaceAdd","repo":"/repo","name":"w9"})"),
              AllOf(HasSubstr(R"("code":"busy")"), HasSubstr("oj/w9.lock")));
  EXPECT_TRUE(files.modified_ms.contains("/repo/.git/refs/heads/oj/w9.lock"));
}

}  // namespace
}  // namespace oj
