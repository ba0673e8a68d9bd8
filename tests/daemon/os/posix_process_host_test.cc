// Starting processes: what they inherit, their output and status, and the spawn gate.
#include "os/posix_process_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <span>
#include <sstream>

#include "oj/nursery.h"
#include "process_test_support.h"

namespace oj {
namespace {

using std::chrono::milliseconds;
using test::Command;
using test::Ended;
using test::RunTask;
using test::RunToEnd;
using test::Shell;
using test::Until;
using testing::HasSubstr;
using testing::Not;

class PosixProcessHostTest : public testing::Test {
 protected:
  Ended Run(ProcessSpec spec) {
    PosixProcessHost host(loop_);
    return RunTask(loop_, RunToEnd(loop_, host, std::move(spec)));
  }
  std::string Write(const std::string& name, const std::string& text) {
    const auto path = directory_.path() / name;
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  AsioLoop loop_;
  test::TempDirectory directory_;
};

TEST_F(PosixProcessHostTest, ExitCodeAndBothOutputsAreTold) {
  const Ended ended = Run(Shell("echo out; echo err >&2; exit 3"));

  EXPECT_FALSE(ended.status.signaled);
  EXPECT_EQ(ended.status.value, 3);
  EXPECT_EQ(ended.out, "out\n");
  EXPECT_EQ(ended.err, "err\n");
}

TEST_F(PosixProcessHostTest, ASignalIsToldFromAnExitCode) {
  const Ended ended = Run(Shell("kill -TERM $$"));

  EXPECT_TRUE(ended.status.signaled);
  EXPECT_EQ(ended.status.value, SIGTERM);
}

// O2
TEST_F(PosixProcessHostTest, AMegabyteOnBothStreamsDoesNotDeadlock) {
  const Ended ended = Run(
      Shell("head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; head -c 9 /dev/zero >&2"));

  EXPECT_TRUE(ended.in_time);
  EXPECT_EQ(ended.out.size(), 1000000U);
  EXPECT_EQ(ended.err.size(), 1000009U);
}

TEST_F(PosixProcessHostTest, OutputAtTheLimitIsNoFlood) {
  ProcessSpec spec = Shell("head -c 70000 /dev/zero");
  spec.output_limit = 70000;

  EXPECT_EQ(Run(spec).out.size(), 70000U);
}

TEST_F(PosixProcessHostTest, RecordsThatAreNotKeptDoNotCountAgainstTheLimit) {
  ProcessSpec spec = Shell(
      "yes 'of no interest' | head -n 200000 | tr '\\n' '\\0'; printf '!one\\0'; "
      "yes 'neither' | head -n 200000 | tr '\\n' '\\0'; printf '!two\\0rest'");
  spec.output_limit = 200000;
  spec.keep = [](std::string_view record) { return record.starts_with('!'); };

  const Ended ended = Run(std::move(spec));

  EXPECT_TRUE(ended.in_time);
  EXPECT_EQ(ended.status.value, 0);
  EXPECT_EQ(ended.out, std::string("!one\0!two\0rest", 14));
}

TEST_F(PosixProcessHostTest, RecordsThatAreKeptDoCountAgainstTheLimit) {
  ProcessSpec spec = Shell("yes '!kept' | tr '\\n' '\\0'");
  spec.output_limit = 100000;
  spec.keep = [](std::string_view record) { return record.starts_with('!'); };

  EXPECT_LE(Run(std::move(spec)).out.size(), 100000U);
}

TEST_F(PosixProcessHostTest, StandardInputIsEmpty) {
  const Ended ended = Run(Command({"cat"}));

  EXPECT_EQ(ended.status.value, 0);
  EXPECT_EQ(ended.out, "");
}

TEST_F(PosixProcessHostTest, AChildStartsInItsDirectory) {
  ProcessSpec spec = Command({"pwd"});
  spec.cwd = directory_.path();

  EXPECT_EQ(Run(spec).out, directory_.path().string() + "\n");
}

TEST_F(PosixProcessHostTest, AMissingDirectoryIsNotTakenForAMissingTool) {
  ProcessSpec spec = Command({"pwd"});
  spec.cwd = directory_.path() / "none";

  EXPECT_EQ(Run(spec).spawn_error, ENOTDIR);
}

TEST_F(PosixProcessHostTest, EnvironmentIsInheritedChangedAndLeased) {
  setenv("OJ_TEST_KEPT", "kept", 1);
  setenv("OJ_TEST_CHANGED", "old", 1);
  setenv("OJ_TEST_GONE", "gone", 1);
  ProcessSpec spec = Command({"env"});
  spec.env = {{"OJ_TEST_CHANGED", "new"}, {"OJ_TEST_ADDED", "a=b"}};
  static constexpr const char* kGone[] = {"OJ_TEST_GONE"};
  spec.unset_env = kGone;
  spec.lease_tag = "7.1";

  const std::string out = Run(spec).out;

  EXPECT_THAT(out, HasSubstr("OJ_TEST_KEPT=kept\n"));
  EXPECT_THAT(out, HasSubstr("OJ_TEST_CHANGED=new\n"));
  EXPECT_THAT(out, Not(HasSubstr("=old")));
  EXPECT_THAT(out, HasSubstr("OJ_TEST_ADDED=a=b\n"));
  EXPECT_THAT(out, Not(HasSubstr("OJ_TEST_GONE")));
  EXPECT_THAT(out, HasSubstr("OJ_LEASE=7.1\n"));
}

TEST_F(PosixProcessHostTest, TheLeaseOfTheDaemonItselfIsNotHandedOn) {
  setenv("OJ_LEASE", "outer", 1);
  const Ended ended = Run(Command({"env"}));
  unsetenv("OJ_LEASE");

  EXPECT_THAT(ended.out, Not(HasSubstr("OJ_LEASE")));
}

TEST_F(PosixProcessHostTest, OnlyTheStandardDescriptorsAreInherited) {
  const UniqueFd inheritable(dup(STDERR_FILENO));

  // The fourth is the listing's own.
  EXPECT_EQ(Run(Command({"ls", "/proc/self/fd"})).out, "0\n1\n2\n3\n");
}

// P5
TEST_F(PosixProcessHostTest, NoSignalIsBlockedOrIgnoredInAChild) {
  sigset_t term;
  sigset_t old;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &old);
  const auto old_pipe = signal(SIGPIPE, SIG_IGN);
  const std::string out = Run(Shell("grep '^Sig[BI]' /proc/self/status | cut -f2")).out;
  signal(SIGPIPE, old_pipe);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);

  std::istringstream lines(out);
  std::uint64_t blocked = 1;
  std::uint64_t ignored = 1;
  lines >> std::hex >> blocked >> ignored;
  EXPECT_EQ(blocked, 0U);
  // 32 and 33 are glibc's own: nobody can set them, and a test may have inherited them ignored.
  EXPECT_EQ(ignored & ~0x180000000U, 0U);
}

TEST_F(PosixProcessHostTest, AChildLeadsAGroupOfItsOwn) {
  const std::string out = Run(Shell("echo $$; cut -d' ' -f5 /proc/$$/stat")).out;

  const std::string pid = out.substr(0, out.find('\n'));
  EXPECT_EQ(out, pid + "\n" + pid + "\n");
}

// P1
TEST_F(PosixProcessHostTest, AThousandMissingToolsLeaveNoZombieAndNoDescriptor) {
  PosixProcessHost host(loop_);
  const int descriptors = test::CountDescriptors();
  for (int i = 0; i < 1000; ++i) {
    const Ended ended = RunTask(loop_, RunToEnd(loop_, host, Command({"oj-no-such-tool"})));
    ASSERT_EQ(ended.spawn_error, ENOENT);
  }

  EXPECT_EQ(test::CountChildren(), 0);
  EXPECT_EQ(test::CountDescriptors(), descriptors);
}

// P2
TEST_F(PosixProcessHostTest, AFileThatIsNoProgramIsNotGivenToAShell) {
  const auto marker = directory_.path() / "marker";
  const std::string tool = Write("tool", "echo ran > " + marker.string() + "\n");

  EXPECT_EQ(Run(Command({tool})).spawn_error, ENOEXEC);
  EXPECT_FALSE(std::filesystem::exists(marker));
}

TEST_F(PosixProcessHostTest, FailuresToStartAreToldByTheirErrno) {
  EXPECT_EQ(Run(Command({directory_.path()})).spawn_error, EACCES);
  EXPECT_EQ(Run(Command({"true", std::string(4 << 20, 'x')})).spawn_error, E2BIG);
  EXPECT_EQ(Run(ProcessSpec{}).spawn_error, EINVAL);
}

// N3
TEST_F(PosixProcessHostTest, RunningOutOfDescriptorsIsAFailureThatPasses) {
  PosixProcessHost host(loop_);
  const int descriptors = test::CountDescriptors();
  rlimit old{};
  getrlimit(RLIMIT_NOFILE, &old);
  std::vector<int> errors;
  // With room for none, one, ... of what a child needs.
  for (int room = 0; room < 5; ++room) {
    const UniqueFd next(dup(STDERR_FILENO));
    rlimit tight = old;
    tight.rlim_cur = static_cast<rlim_t>(next.get() + room);
    setrlimit(RLIMIT_NOFILE, &tight);
    errors.push_back(RunTask(loop_, RunToEnd(loop_, host, Command({"true"}))).spawn_error);
  }
  setrlimit(RLIMIT_NOFILE, &old);

  EXPECT_THAT(errors, testing::Each(EMFILE));
  EXPECT_EQ(test::CountDescriptors(), descriptors);
  EXPECT_EQ(test::CountChildren(), 0);
  EXPECT_EQ(RunTask(loop_, RunToEnd(loop_, host, Command({"true"}))).spawn_error, 0);
}

struct Outcome {
  std::unique_ptr<ChildProcess> child;
  bool cancelled = false;
  bool scope_cancelled = false;
};

Task<void> SpawnInto(ProcessHost& host, ProcessSpec spec, Outcome& outcome) {
  const Here here = co_await WhereAmI();
  SpawnFailure failure;
  try {
    auto spawn = host.Spawn(spec, &failure);
    outcome.child = co_await std::move(spawn);
  } catch (const Cancelled&) {
    outcome.cancelled = true;
  }
  outcome.scope_cancelled = here.scope.cancelled();
}

// Holds a pool's thread at one side of the gate until it is let go.
struct Barrier {
  std::atomic<bool> reached = false;
  std::atomic<bool> open = false;
  void Pass() {
    reached = true;
    open.wait(false);
  }
  void Open() {
    open = true;
    open.notify_all();
  }
};

// Cancels while the thread stands at the barrier.
Task<void> CancelAt(AsioLoop& loop, ProcessHost& host, ProcessSpec spec, Barrier& barrier,
                    Outcome& outcome) {
  Nursery nursery(loop, nullptr);
  nursery.Start(SpawnInto(host, std::move(spec), outcome));
  auto reached = Until(loop, [&barrier] { return barrier.reached.load(); });
  co_await std::move(reached);
  nursery.scope().Cancel(CancelReason::kDisconnected);
  co_await SleepFor(loop, milliseconds(5));
  barrier.Open();
  co_await nursery.Join();
}

// P7
TEST_F(PosixProcessHostTest, ACancelBeforeTheGateStartsNothing) {
  Barrier barrier;
  Outcome outcome;
  std::atomic<int> begun = 0;
  PosixProcessHost host(loop_, 1,
                        {.before_gate = [&] { barrier.Pass(); }, .after_gate = [&] { ++begun; }});
  loop_.Run(CancelAt(loop_, host, Command({"sleep", "100"}), barrier, outcome));
  EXPECT_TRUE(outcome.cancelled);
  EXPECT_EQ(outcome.child, nullptr);

  // The next one comes after it in the queue.
  EXPECT_TRUE(RunTask(loop_, RunToEnd(loop_, host, Command({"true"}))).in_time);
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(test::CountChildren(), 0);
}

// P7
TEST_F(PosixProcessHostTest, ACancelAfterTheGateReturnsTheChild) {
  Barrier barrier;
  PosixProcessHost host(loop_, 1, {.before_gate = {}, .after_gate = [&] { barrier.Pass(); }});
  Outcome outcome;

  loop_.Run(CancelAt(loop_, host, Command({"sleep", "100"}), barrier, outcome));

  EXPECT_FALSE(outcome.cancelled);
  EXPECT_TRUE(outcome.scope_cancelled);
  ASSERT_NE(outcome.child, nullptr);
  EXPECT_TRUE(RunTask(loop_, test::EndTree(loop_, *outcome.child)));
}

TEST_F(PosixProcessHostTest, ACancelledScopeStartsNothing) {
  PosixProcessHost host(loop_);
  Outcome outcome;
  const auto body = [](AsioLoop& l, ProcessHost& h, Outcome& o) -> Task<void> {
    Nursery nursery(l, nullptr);
    nursery.scope().Cancel(CancelReason::kOperator);
    nursery.Start(SpawnInto(h, Command({"sleep", "100"}), o));
    co_await nursery.Join();
  };

  loop_.Run(body(loop_, host, outcome));

  EXPECT_TRUE(outcome.cancelled);
  EXPECT_EQ(test::CountChildren(), 0);
}

// A power loss in mid-air: the frame that waits is destroyed, not resumed.
TEST_F(PosixProcessHostTest, AChildWhoseSpawnCallWasDestroyedIsKilledAndReaped) {
  Barrier barrier;
  PosixProcessHost host(loop_, 1, {.before_gate = {}, .after_gate = [&] { barrier.Pass(); }});
  Outcome outcome;
  const auto body = [](AsioLoop& l, ProcessHost& h, Barrier& b, Outcome& o) -> Task<void> {
    {
      Nursery nursery(l, nullptr);
      nursery.Start(SpawnInto(h, Command({"sleep", "100"}), o));
      auto reached = Until(l, [&b] { return b.reached.load(); });
      co_await std::move(reached);
    }
    b.Open();
    co_await SleepFor(l, milliseconds(50));  // the kill follows the start too fast to see between
    auto gone = Until(l, [] { return test::CountChildren() == 0; });
    const bool is_gone = co_await std::move(gone);
    EXPECT_TRUE(is_gone);
  };

  loop_.Run(body(loop_, host, barrier, outcome));
}

// Spawns and cancels once a child is there that does not come to its program.
Task<void> CancelInExec(AsioLoop& loop, ProcessHost& host, ProcessSpec spec, Outcome& outcome) {
  Nursery nursery(loop, nullptr);
  nursery.Start(SpawnInto(host, std::move(spec), outcome));
  auto starting = Until(loop, [] { return test::CountChildren() == 1; });
  co_await std::move(starting);
  nursery.scope().Cancel(CancelReason::kDisconnected);
  co_await nursery.Join();
}

TEST_F(PosixProcessHostTest, AStartThatHangsInExecIsGivenUpAtTheCancelAndCanBeKilled) {
  test::HeldProgram program(directory_.path());
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  PosixProcessHost host(loop_, 1);
  Outcome outcome;

  loop_.Run(CancelInExec(loop_, host, Command({program.path()}), outcome));

  ASSERT_NE(outcome.child, nullptr);
  EXPECT_EQ(outcome.child->State(), "starting");
  EXPECT_GT(outcome.child->pid(), 0);
  EXPECT_FALSE(outcome.child->HasEnded());
  EXPECT_TRUE(RunTask(loop_, test::EndTree(loop_, *outcome.child)));
  EXPECT_EQ(test::CountChildren(), 0);
}

// The kernel lets go of it only after it was given up: what it starts then is killed.
TEST_F(PosixProcessHostTest, AStartThatWasGivenUpAndComesTrueIsKilled) {
  Barrier barrier;
  PosixProcessHost host(loop_, 1, {.before_gate = {}, .after_gate = [&] { barrier.Pass(); }});
  Outcome outcome;
  const auto body = [](AsioLoop& l, ProcessHost& h, Barrier& b, Outcome& o) -> Task<void> {
    Nursery nursery(l, nullptr);
    nursery.Start(SpawnInto(h, Command({"sleep", "100"}), o));
    auto reached = Until(l, [&b] { return b.reached.load(); });
    co_await std::move(reached);
    nursery.scope().Cancel(CancelReason::kDisconnected);
    co_await nursery.Join();
    o.child->Send(Signal::kKill);
    EXPECT_FALSE(o.child->HasEnded());
    b.Open();
    auto ended = Until(l, [&o] { return o.child->HasEnded(); });
    const bool has_ended = co_await std::move(ended);
    EXPECT_TRUE(has_ended);
  };

  loop_.Run(body(loop_, host, barrier, outcome));

  const ExitStatus status = outcome.child->Reap();
  EXPECT_TRUE(status.signaled);
  EXPECT_EQ(status.value, SIGKILL);
}

TEST_F(PosixProcessHostTest, AStartThatHangsHoldsUpNoOther) {
  test::HeldProgram program(directory_.path());
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  PosixProcessHost host(loop_, 1);
  Outcome outcome;
  const auto body = [](AsioLoop& l, ProcessHost& h, ProcessSpec held, Outcome& o) -> Task<bool> {
    Nursery nursery(l, nullptr);
    nursery.Start(SpawnInto(h, std::move(held), o));
    auto starting = Until(l, [] { return test::CountChildren() == 1; });
    co_await std::move(starting);
    auto other = RunToEnd(l, h, Command({"true"}));
    const Ended ended = co_await std::move(other);
    EXPECT_EQ(o.child, nullptr) << "the first one hangs";
    nursery.scope().Cancel(CancelReason::kDeadline);
    co_await nursery.Join();
    co_return ended.in_time&& ended.spawn_error == 0;
  };

  EXPECT_TRUE(RunTask(loop_, body(loop_, host, Command({program.path()}), outcome)));
  EXPECT_TRUE(RunTask(loop_, test::EndTree(loop_, *outcome.child)));
}

TEST_F(PosixProcessHostTest, ThreadsThatHangAreReplacedUpToALimit) {
  std::atomic<int> at_work = 0;
  Barrier barrier;
  PosixProcessHost host(loop_, 1, {.before_gate = {}, .after_gate = [&] {
                                     ++at_work;
                                     barrier.Pass();
                                   }});
  Outcome outcomes[SpawnPool::kMostStuck + 3];
  const auto body = [](AsioLoop& l, ProcessHost& h, std::span<Outcome> o, std::atomic<int>& n,
                       Barrier& b) -> Task<void> {
    Nursery nursery(l, nullptr);
    for (Outcome& each : o) nursery.Start(SpawnInto(h, Command({"true"}), each));
    auto full = Until(l, [&n] { return n == SpawnPool::kMostStuck + 1; });
    const bool is_full = co_await std::move(full);
    EXPECT_TRUE(is_full);
    co_await SleepFor(l, milliseconds(300));
    EXPECT_EQ(n, SpawnPool::kMostStuck + 1);
    b.Open();
    co_await nursery.Join();
  };

  loop_.Run(body(loop_, host, outcomes, at_work, barrier));

  for (Outcome& each : outcomes) {
    ASSERT_NE(each.child, nullptr);
    EXPECT_TRUE(RunTask(loop_, test::EndTree(loop_, *each.child)));
  }
}

TEST_F(PosixProcessHostTest, AHostThatIsDestroyedWaitsForNoStartThatHangs) {
  test::HeldProgram program(directory_.path());
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Outcome outcome;
  const auto begun = std::chrono::steady_clock::now();
  {
    AsioLoop loop;
    PosixProcessHost host(loop);
    const auto body = [](AsioLoop& l, ProcessHost& h, ProcessSpec held, Outcome& o) -> Task<void> {
      Nursery nursery(l, nullptr);
      nursery.Start(SpawnInto(h, std::move(held), o));
      auto starting = Until(l, [] { return test::CountChildren() == 1; });
      co_await std::move(starting);
    };
    loop.Run(body(loop, host, Command({program.path()}), outcome));
  }

  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_EQ(test::CountChildren(), 0);
}

TEST_F(PosixProcessHostTest, AHostThatIsDestroyedDropsWhatIsQueuedAndEndsWhatHasBegun) {
  Outcome outcomes[8];
  {
    AsioLoop loop;
    PosixProcessHost host(loop);
    const auto body = [](AsioLoop& l, ProcessHost& h, Outcome* o) -> Task<void> {
      Nursery nursery(l, nullptr);
      for (int i = 0; i < 8; ++i) nursery.Start(SpawnInto(h, Command({"sleep", "100"}), o[i]));
      co_await Yield();
    };
    loop.Run(body(loop, host, outcomes));
  }

  EXPECT_EQ(test::CountChildren(), 0);
}

}  // namespace
}  // namespace oj
