// oj agent, attach and status.
#include <unistd.h>

#include <cerrno>

#include "run_test_base.h"

namespace oj::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kAgents =
    R"({"type":"Agents","agents":[{"id":"fix-1","session_id":"s-1","status":"exited","exit":3,)"
    R"("created_at_ms":999999880000,"command":["make","a b"],"workspace_id":"w"},)"
    R"({"id":"fix-2","session_id":null,"status":"running"}]})";

class AgentTest : public RunTest {
 protected:
  AgentTest() {
    unsetenv("TMUX");
    environment_.become = [this](const std::vector<std::string>& argv) {
      became_ = argv;
      return ENOENT;
    };
  }
  std::vector<std::string> became_;
};

TEST_F(AgentTest, RunSendsNamePlaceAndCommand) {
  ServeReply(
      R"({"type":"AgentStarted","agent_id":"fix-1","session_id":"fix-1","workspace_id":"fix-1"})");
  EXPECT_EQ(Run({"agent", "run", "fix", "--repo", "/tmp", "--namespace", "n", "--", "make", "-j4"}),
            0);
  EXPECT_EQ(out_, "agent fix-1 started in workspace fix-1\n");
  ExpectRequest(R"({"repo":"/tmp","type":"AgentRun","name":"fix","command":["make","-j4"],)"
                R"("namespace":"n","request_id":"R","timeout_ms":N})");
}

TEST_F(AgentTest, ListShowsTheExitCodeAndSendsTheStatus) {
  ServeReply(kAgents);
  EXPECT_EQ(Run({"agent", "list", "--status", "exited"}), 0);
  EXPECT_EQ(out_,
            "ID     STATUS    AGE    WORKSPACE  COMMAND\n"
            "fix-1  exited 3  2 min  w          make 'a b'\n"
            "fix-2  running   -      -          -\n");
  ExpectRequest(
      R"({"type":"Query","query":{"type":"ListAgents","status":"exited"},"timeout_ms":N})");
}

TEST_F(AgentTest, SendTakesAllWordsAfterTheIdAsText) {
  Know();
  ServeReply(R"({"type":"Ok"})");
  EXPECT_EQ(Run({"agent", "send", "fix", "ls", "-o", "json"}), 0);
  ExpectRequest(R"({"type":"AgentSend","agent_id":"fix","message":"ls -o json","timeout_ms":N})");
}

TEST_F(AgentTest, ResumeOfAllSaysWhatWasSkippedAndIsASuccess) {
  ServeReply(
      R"({"type":"AgentResumed","resumed":["a"],"skipped":[["b","it is running"]],"failed":[]})");
  EXPECT_EQ(Run({"agent", "resume", "--all", "--kill"}), 0);
  EXPECT_EQ(out_, "agent a resumed\n");
  EXPECT_THAT(err_, HasSubstr("agent b skipped: it is running\n1 agent resumed, 1 skipped\n"));
  ExpectRequest(R"({"type":"AgentResume","agent_id":"","kill":true,"all":true,"request_id":"R",)"
                R"("progress":true,"timeout_ms":N})");
}

TEST_F(AgentTest, ResumeOfOneThatIsSkippedExits4) {
  Know();
  ServeReply(R"({"type":"AgentResumed","resumed":[],"skipped":[["b","it is running"]]})");
  EXPECT_EQ(Run({"agent", "resume", "b"}), 4);
  EXPECT_THAT(err_, HasSubstr("--kill ends it first"));
}

TEST_F(AgentTest, AttachBecomesTmuxOnTheAgentsSession) {
  ServeReply(kAgents);
  Run({"agent", "attach", "fix-1"});
  EXPECT_THAT(became_, ElementsAre("tmux", "attach-session", "-t", "=s-1"));
}

TEST_F(AgentTest, AttachInsideTmuxSwitchesTheClient) {
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"work"}]})");
  Set("TMUX_TMPDIR", directory_.path());
  Set("TMUX", directory_.path() + "/tmux-" + std::to_string(getuid()) + "/default,1,0");
  Run({"session", "attach", "wo"});
  EXPECT_THAT(became_, ElementsAre("tmux", "switch-client", "-t", "=work"));
}

TEST_F(AgentTest, AttachInsideAnotherServerRefuses) {
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"work"}]})");
  Set("TMUX", "/elsewhere/default,1,0");
  EXPECT_EQ(Run({"session", "attach", "work"}), 1);
  EXPECT_THAT(err_, HasSubstr("this terminal is in another tmux server than work"));
  EXPECT_THAT(became_, ElementsAre());
}

TEST_F(AgentTest, AttachToAnAgentWithoutASessionIsNotFound) {
  ServeReply(kAgents);
  EXPECT_EQ(Run({"agent", "attach", "fix-2"}), 3);
  EXPECT_THAT(became_, ElementsAre());
}

TEST_F(AgentTest, StatusIsThatOfTheDaemonAndStartsNone) {
  EXPECT_EQ(Run({"status"}), 3);
  EXPECT_THAT(out_, HasSubstr("ojd is not running (nobody listens on "));
}

TEST_F(AgentTest, WatchLooksAgainUntilTheReaderHasGone) {
  int looks = 0;
  environment_.out = [&](std::string_view text) {
    if (text != "\n") ++looks;
    return looks < 2 ? 0 : EPIPE;
  };
  EXPECT_EQ(Run({"status", "--watch"}), 0);
  EXPECT_EQ(looks, 2);
}

// Also on a terminal, and with a daemon that makes no sense.
TEST_F(AgentTest, WatchWithJsonWritesNothingElseToStdout) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd wake(ends[0]);
  const UniqueFd waker(ends[1]);
  environment_.interrupt_fd = wake.get();
  environment_.out_is_terminal = true;
  Set("TERM", "xterm");
  environment_.out = [&](std::string_view text) {
    out_ += text;
    EXPECT_EQ(write(waker.get(), "", 1), 1);
    return 0;
  };
  ServeReply("nonsense");
  EXPECT_EQ(Run({"status", "--watch", "-o", "json"}), 130);
  EXPECT_THAT(out_,
              testing::MatchesRegex("\\{\"running\":true,\"error\":\"daemon status: .*\"\\}\n"));
  EXPECT_EQ(err_, "");
}

TEST_F(AgentTest, WatchTakesTheTerminalsNewWidth) {
  environment_.out_is_terminal = true;
  Set("TERM", "dumb");
  std::vector<std::string> looks;
  environment_.size = [&] { return Size{24, looks.empty() ? 200 : 40}; };
  environment_.out = [&](std::string_view text) {
    if (text != "\n") looks.emplace_back(text);
    return looks.size() < 2 ? 0 : EPIPE;
  };
  Serve([](ServedConnection& connection) {
    for (const char* reply : {R"({"type":"Status","pid":7})",
                              R"({"type":"Requests","requests":[{"id":"r1","type":"SessionPeek",)"
                              R"("waiting_for":"the end of a long line"}]})"}) {
      if (connection.ReadFrame().empty()) return;
      connection.Write(Frame(reply));
    }
    connection.AwaitClose();
  });
  EXPECT_EQ(Run({"status", "--watch"}), 0);
  ASSERT_EQ(looks.size(), 2U);
  EXPECT_THAT(looks[0], HasSubstr("the end of a long line\n"));
  EXPECT_THAT(looks[1], AllOf(HasSubstr("r1"), Not(HasSubstr("the end of a long line"))));
}

}  // namespace
}  // namespace oj::cli
