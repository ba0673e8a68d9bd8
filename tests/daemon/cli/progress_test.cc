// Progress frames: shown, a sign of life, and what is told of them when the request does not end.
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "cli/progress_meter.h"
#include "run_test_base.h"

namespace oj::cli {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string ProgressFrame(int done, int total, const std::string& item) {
  return Frame(R"({"type":"Progress","done":)" + std::to_string(done) + R"(,"total":)" +
               std::to_string(total) + R"(,"item":")" + item + R"("})");
}

constexpr const char* kPruned = R"({"type":"WorkspacesPruned","pruned":[],"failed":[]})";

// Three frames and the reply, with a pause before each.
FakeServer::Script ThreeSteps(Duration pause) {
  return [pause](ServedConnection& connection) {
    connection.ReadFrame();
    for (int done = 1; done <= 3; ++done) {
      AwaitFd(-1, 0, Deadline::After(Now(), pause), -1);
      connection.Write(ProgressFrame(done, 3, "w" + std::to_string(done)));
    }
    AwaitFd(-1, 0, Deadline::After(Now(), pause), -1);
    connection.Write(Frame(kPruned));
    connection.ReadFrame();
  };
}

TEST(BarOf, IsAsFullAsTheWorkIsDoneAndFitsTheTerminal) {
  EXPECT_EQ(BarOf("pruning", {0, 4, ""}, 40, false), "pruning [----------------] 0/4");
  EXPECT_EQ(BarOf("pruning", {2, 4, "w2"}, 40, false), "pruning [########--------] 2/4 w2");
  EXPECT_EQ(BarOf("pruning", {4, 4, "w4"}, 40, false), "pruning [################] 4/4 w4");
  for (int columns = 1; columns < 120; ++columns) {
    const std::string bar = BarOf("pruning", {7, 200, std::string(90, 'x')}, columns, false);
    EXPECT_LT(bar.size(), static_cast<std::size_t>(std::max(columns, 8))) << columns;
  }
}

TEST(BarOf, TellsWhatIsUnderWayWhereThatIsKnown) {
  EXPECT_EQ(BarOf("pruning", {0, 4, "", "w1, w2"}, 40, false),
            "pruning [----------------] 0/4 w1, w2");
  EXPECT_EQ(BarOf("pruning", {2, 4, "w1", "w3"}, 40, false), "pruning [########--------] 2/4 w3");
}

TEST(BarOf, SurvivesFiguresThatMakeNoSense) {
  EXPECT_THAT(BarOf("p", {9, 4, ""}, 40, false), HasSubstr("4/4"));
  EXPECT_THAT(BarOf("p", {-1, 0, ""}, 40, false), HasSubstr("0/1"));
}

class ProgressTest : public RunTest {
 protected:
  void OnATerminal() {
    environment_.err_is_terminal = true;
    environment_.err_columns = [] { return 60; };
    Set("TERM", "xterm");
  }
};

TEST_F(ProgressTest, IsALineEachWhereStderrIsNoTerminal) {
  Serve(ThreeSteps({}));
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, HasSubstr("pruning: 1 of 3 done: w1\npruning: 2 of 3 done: w2\n"));
  EXPECT_THAT(err_, Not(HasSubstr("\x1b")));
}

TEST_F(ProgressTest, BeginOfAUnitIsInTheBarAndNoLineOfItsOwn) {
  const auto begins = [](ServedConnection& connection) {
    connection.ReadFrame();
    for (const char* frame :
         {R"("done":0,"total":2,"item":"")", R"("done":0,"total":2,"item":"","message":"w1")",
          R"("done":1,"total":2,"item":"w1","message":"w2")"}) {
      connection.Write(Frame(R"({"type":"Progress",)" + std::string(frame) + "}"));
      AwaitFd(-1, 0, Deadline::After(Now(), milliseconds(150)), -1);
    }
    connection.Write(Frame(kPruned));
    connection.ReadFrame();
  };
  Serve(begins);
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, testing::StartsWith("pruning: 0 of 2 done\npruning: 1 of 2 done: w1\n0 work"));
  server_.reset();
  std::filesystem::remove(directory_.path() + "/daemon.sock");
  OnATerminal();
  Serve(begins);
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, HasSubstr("0/2 w1"));
  EXPECT_THAT(err_, HasSubstr("1/2 w2"));
}

TEST_F(ProgressTest, IsABarThatIsTakenOffInTheEndOnATerminal) {
  OnATerminal();
  Serve(ThreeSteps({}));
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, HasSubstr("\rpruning [\x1b[32m#"));
  EXPECT_THAT(err_, HasSubstr("\r\x1b[K0 workspaces removed\n"));
  EXPECT_THAT(err_, Not(HasSubstr("of 3 done")));
}

TEST_F(ProgressTest, OneThingThatTakesLongIsToldOnATerminalAndTakenOff) {
  OnATerminal();
  const auto late = [](ServedConnection& connection) {
    connection.ReadFrame();
    AwaitFd(-1, 0, Deadline::After(Now(), milliseconds(3000)), -1);
    connection.Write(Frame(R"({"type":"Pong"})"));
    connection.ReadFrame();
  };
  Serve(late);
  const Instant begun = Now();
  EXPECT_EQ(Run({"ping"}), 0);
  EXPECT_THAT(err_, testing::StartsWith("\rping: waiting for ojd, "));
  EXPECT_THAT(err_, EndsWith("\r\x1b[K"));
  // Ten a second at most, and one that takes it off.
  EXPECT_LE(std::count(err_.begin(), err_.end(), '\r'), (Now() - begun) / milliseconds(100) + 2);
}

TEST_F(ProgressTest, DaemonThatIsThereAndAnswersLateIsToldByStart) {
  OnATerminal();
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    AwaitFd(-1, 0, Deadline::After(Now(), milliseconds(3000)), -1);
    connection.Write(Frame(R"({"type":"Pong"})"));
    connection.ReadFrame();
  });
  EXPECT_EQ(Run({"daemon", "start"}), 0);
  EXPECT_THAT(err_, testing::StartsWith("\ris ojd there: waiting for ojd, "));
  EXPECT_THAT(err_, EndsWith("\r\x1b[K"));
}

// The server is of this process, which goes on.
TEST_F(ProgressTest, DaemonThatDoesNotEndIsToldByStop) {
  OnATerminal();
  Set("OJ_TIMEOUT_EXIT_MS", "2000");
  ServeReply(R"({"type":"ShuttingDown"})");
  EXPECT_EQ(Run({"daemon", "stop"}), 124);
  EXPECT_THAT(err_, testing::StartsWith("\rdaemon stop: waiting for ojd, "));
  EXPECT_THAT(err_, HasSubstr("\r\x1b[Koj: daemon stop: ojd (pid "));
}

TEST_F(ProgressTest, WaitIsNotToldWhereStderrIsNoTerminal) {
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    AwaitFd(-1, 0, Deadline::After(Now(), milliseconds(1200)), -1);
    connection.Write(Frame(R"({"type":"Pong"})"));
    connection.ReadFrame();
  });
  EXPECT_EQ(Run({"ping"}), 0);
  EXPECT_EQ(err_, "");
}

TEST_F(ProgressTest, BarHasNoColoursWithNoColor) {
  OnATerminal();
  Set("NO_COLOR", "1");
  Serve(ThreeSteps({}));
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, HasSubstr("\rpruning [#"));
  EXPECT_THAT(err_, Not(HasSubstr("\x1b[3")));
}

TEST_F(ProgressTest, DumbTerminalGetsLines) {
  OnATerminal();
  Set("TERM", "dumb");
  Serve(ThreeSteps({}));
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, HasSubstr("pruning: 3 of 3 done: w3\n"));
  EXPECT_THAT(err_, Not(HasSubstr("\x1b")));
}

TEST_F(ProgressTest, ItemCannotSteerTheTerminal) {
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    connection.Write(ProgressFrame(1, 2, R"(a\u001b[2J)") + Frame(kPruned));
    connection.ReadFrame();
  });
  EXPECT_EQ(Run({"workspace", "prune"}), 0);
  EXPECT_THAT(err_, HasSubstr("done: a?[2J\n"));
}

// Four pauses of 600 ms, with a limit of 2000 ms.
TEST_F(ProgressTest, LimitCountsFromTheLastSignOfLife) {
  Serve(ThreeSteps(milliseconds(600)));
  const Instant begun = Now();
  EXPECT_EQ(Run({"--timeout", "2000", "workspace", "prune"}), 0) << err_;
  EXPECT_GT(Now() - begun, milliseconds(2000));
}

TEST_F(ProgressTest, SilenceAfterProgressEndsAtTheLimitAndTellsHowFarItWas) {
  std::atomic<bool> closed = false;
  Serve([&](ServedConnection& connection) {
    connection.ReadFrame();
    connection.Write(ProgressFrame(3, 10, "w3"));
    closed = connection.AwaitClose();
  });
  EXPECT_EQ(Run({"--timeout", "2000", "workspace", "prune"}), 124);
  EXPECT_THAT(err_, HasSubstr("no sign of life from ojd for 2000 ms (--timeout)"));
  EXPECT_THAT(err_, HasSubstr("done: 3 of 10 workspaces (the last: w3); remaining: 7\n"));
  server_.reset();
  EXPECT_TRUE(closed);
}

TEST_F(ProgressTest, InterruptTellsWhatWasDoneAndWhatRemainsAndExits130) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd wake(ends[0]);
  const UniqueFd waker(ends[1]);
  environment_.interrupt_fd = wake.get();
  OnATerminal();
  std::atomic<bool> closed = false;
  Serve([&](ServedConnection& connection) {
    connection.ReadFrame();
    connection.Write(ProgressFrame(3, 10, "w3"));
    AwaitFd(-1, 0, Deadline::After(Now(), milliseconds(100)), -1);
    EXPECT_EQ(write(waker.get(), "", 1), 1);
    closed = connection.AwaitClose();
  });
  EXPECT_EQ(Run({"workspace", "prune"}), 130);
  EXPECT_THAT(err_, HasSubstr("\r\x1b[Koj: interrupted; the request was cancelled; done: 3 of 10 "
                              "workspaces (the last: w3); remaining: 7\n"));
  server_.reset();
  EXPECT_TRUE(closed);
}

TEST_F(ProgressTest, FrameThatIsNoProgressIsTheReply) {
  ServeReply(R"({"type":"Progres","done":1})");
  EXPECT_EQ(Run({"workspace", "prune"}), 1);
  EXPECT_THAT(err_, HasSubstr("answered with 'Progres', not with WorkspacesPruned"));
}

}  // namespace
}  // namespace oj::cli
