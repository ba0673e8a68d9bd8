// Starting and stopping a daemon process, and signals to the real `oj`.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cli/launch.h"
#include "core/protocol.h"
#include "run_test_base.h"

extern char** environ;

namespace oj::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class DaemonTest : public RunTest {
 protected:
  DaemonTest() { environment_.daemon_program = OJ_FAKE_OJD; }
  ~DaemonTest() override {
    const int pid = Holder();
    if (pid > 0 && kill(pid, SIGKILL) == 0) waitpid(pid, nullptr, 0);
  }
  int Holder() const { return PidFileHolder(directory_.path() + "/daemon.pid"); }
  std::string Log() const {
    std::ostringstream text;
    text << std::ifstream(directory_.path() + "/daemon.log").rdbuf();
    return text.str();
  }
};

TEST_F(DaemonTest, StartPutsTheDaemonInASessionOfItsOwnAndLogsItsOutput) {
  EXPECT_EQ(Run({"daemon", "start"}), 0);
  const int pid = Holder();
  ASSERT_GT(pid, 0);
  EXPECT_EQ(out_, "ojd (pid " + std::to_string(pid) + ") started\n");
  EXPECT_EQ(getsid(pid), pid);
  EXPECT_THAT(Log(), HasSubstr("fake ojd"));
  struct stat log{};
  ASSERT_EQ(stat((directory_.path() + "/daemon.log").c_str(), &log), 0);
  EXPECT_EQ(log.st_mode & 0777, 0600u);
}

TEST_F(DaemonTest, StartedDaemonHasNoDescriptorOfOurs) {
  const UniqueFd leaked(open("/dev/null", O_RDONLY));  // not close-on-exec
  ASSERT_EQ(Run({"daemon", "start"}), 0);
  const std::string path =
      "/proc/" + std::to_string(Holder()) + "/fd/" + std::to_string(leaked.get());
  struct stat theirs{};
  struct stat ours{};
  fstat(leaked.get(), &ours);
  EXPECT_FALSE(stat(path.c_str(), &theirs) == 0 && theirs.st_rdev == ours.st_rdev);
}

TEST_F(DaemonTest, SecondStartNamesTheOneThatRuns) {
  ASSERT_EQ(Run({"daemon", "start"}), 0);
  EXPECT_EQ(Run({"daemon", "start"}), 0);
  EXPECT_EQ(out_, "ojd (pid " + std::to_string(Holder()) + ") is already running\n");
}

TEST_F(DaemonTest, CommandStartsTheDaemonThatItNeedsAndSaysSoOnATerminalOnly) {
  EXPECT_EQ(Run({"ping"}), 0);
  EXPECT_THAT(out_, MatchesRegex("ojd \\(pid [0-9]+\\) answered in .*ms\n"));
  EXPECT_EQ(err_, "");
  ASSERT_EQ(Run({"daemon", "stop"}), 0);
  environment_.err_is_terminal = true;
  EXPECT_EQ(Run({"ping"}), 0);
  EXPECT_EQ(err_, "oj: started ojd (pid " + std::to_string(Holder()) + ")\n");
}

TEST_F(DaemonTest, DaemonThatRefusesIsQuotedWithItsLastLine) {
  Set("OJ_FAKE", "refuse");
  EXPECT_EQ(Run({"session", "list"}), 1);
  EXPECT_THAT(err_, StartsWith("oj: ojd did not start (exit status 1): the state is of a newer "
                               "version\n"));
  EXPECT_THAT(err_, HasSubstr(directory_.path() + "/daemon.log"));
}

TEST_F(DaemonTest, DaemonThatIsNeverReadyExits124NamingPidAndLimit) {
  Set("OJ_FAKE", "never-ready");
  Set("OJ_TIMEOUT_CONNECT_MS", "300");
  EXPECT_EQ(Run({"session", "list"}), 124);
  EXPECT_THAT(err_, StartsWith("oj: ojd (pid " + std::to_string(Holder()) +
                               ") was started but is not ready within 300 ms "
                               "(OJ_TIMEOUT_CONNECT_MS)\n"));
}

TEST_F(DaemonTest, StopWaitsUntilTheProcessHasEnded) {
  ASSERT_EQ(Run({"daemon", "start"}), 0);
  const int pid = Holder();
  EXPECT_EQ(Run({"daemon", "stop"}), 0);
  EXPECT_THAT(out_, StartsWith("ojd (pid " + std::to_string(pid) + ") stopped after "));
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), pid);  // our child, as it is in this process only
}

// Drain, kill grace and a margin together fit into the time that the client waits.
TEST_F(DaemonTest, StopAsksForADrainThatEndsBeforeTheClientGivesUp) {
  ASSERT_EQ(Run({"daemon", "start"}), 0);
  ASSERT_EQ(Run({"daemon", "stop", "--kill"}), 0);
  EXPECT_THAT(Log(), HasSubstr(R"("type":"Shutdown","kill":true,"drain_ms":1300)"));
}

TEST_F(DaemonTest, DaemonThatDoesNotEndExits124NamingPidAndLimit) {
  Set("OJ_FAKE", "never-ends");
  ASSERT_EQ(Run({"daemon", "start"}), 0);
  Set("OJ_TIMEOUT_EXIT_MS", "200");
  EXPECT_EQ(Run({"daemon", "stop"}), 124);
  const std::string pid = std::to_string(Holder());
  EXPECT_THAT(err_, StartsWith("oj: daemon stop: ojd (pid " + pid +
                               ") has not ended within 200 ms (OJ_TIMEOUT_EXIT_MS)"));
}

TEST_F(DaemonTest, StoppedProcessIsSilenceAndNotAbsence) {
  ASSERT_EQ(Run({"daemon", "start"}), 0);
  const int pid = Holder();
  kill(pid, SIGSTOP);
  ASSERT_EQ(waitpid(pid, nullptr, WUNTRACED), pid);  // until then its threads may run on
  EXPECT_EQ(Run({"--timeout", "200", "ping"}), 124);
  Set("OJ_TIMEOUT_CONNECT_MS", "200");
  EXPECT_EQ(Run({"daemon", "start"}), 124);
  EXPECT_THAT(err_, HasSubstr("runs but did not answer within 200 ms"));
}

// The real program, for what a function call cannot show.
class ProgramTest : public RunTest {
 protected:
  pid_t Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), OJ_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string said = directory_.path() + "/said";
    posix_spawn_file_actions_addopen(&actions, 2, said.c_str(), O_WRONLY | O_CREAT, 0600);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, OJ_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  static int ExitOf(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  std::string SaidOnStderr() const {
    std::ostringstream text;
    text << std::ifstream(directory_.path() + "/said").rdbuf();
    return text.str();
  }
};

class SignalTest : public ProgramTest, public testing::WithParamInterface<int> {};

TEST_P(SignalTest, ClosesTheConnectionAndExits130) {
  std::atomic<pid_t> oj = 0;
  std::atomic<bool> closed = false;
  Serve([&](ServedConnection& connection) {
    connection.ReadFrame();
    while (oj == 0) usleep(1000);
    kill(oj, GetParam());
    closed = connection.AwaitClose();
  });
  oj = Start({"--timeout", "60000", "session", "peek", "work"});
  EXPECT_EQ(ExitOf(oj), 130);
  EXPECT_EQ(SaidOnStderr(), "oj: interrupted; the request was cancelled\n");
  server_.reset();
  EXPECT_TRUE(closed);
}

INSTANTIATE_TEST_SUITE_P(All, SignalTest, testing::Values(SIGINT, SIGTERM));

TEST_F(ProgramTest, KeepsItsSendingSideOpenWhileItWaits) {
  std::atomic<bool> half_closed = true;
  Serve([&](ServedConnection& connection) {
    connection.ReadFrame();
    usleep(50'000);
    half_closed = connection.AtEnd();
    connection.Write(Frame(R"({"type":"Pong"})"));
  });
  const pid_t oj = Start({"ping"});
  ExitOf(oj);
  server_.reset();
  EXPECT_FALSE(half_closed);
}

}  // namespace
}  // namespace oj::cli
