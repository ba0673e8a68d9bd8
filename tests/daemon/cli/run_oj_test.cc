// What each command asks of the daemon, and what a person and a script get to see of the answer.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <regex>

#include "core/protocol.h"
#include "run_test_base.h"

namespace oj::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string ErrorPayload(const std::string& code, const std::string& message,
                         const std::string& detail = "{}") {
  return R"({"type":"Error","code":")" + code + R"(","message":")" + message + R"(","detail":)" +
         detail + "}";
}

using RunOjTest = RunTest;

TEST_F(RunOjTest, SessionNewSendsIdDirectoryCommandAndVariables) {
  ServeReply(R"({"type":"SessionCreated","id":"work"})");
  EXPECT_EQ(Run({"session", "new", "work", "--cwd", "/tmp", "-e", "A=1", "-e", "B=x=y", "--", "ls",
                 "-o", "json"}),
            0);
  EXPECT_EQ(out_, "session work created\n");
  EXPECT_EQ(err_, "");
  ExpectRequest(R"({"type":"SessionNew","id":"work","cwd":"/tmp","command":["ls","-o","json"],)"
                R"("env":{"A":"1","B":"x=y"},"request_id":"R","timeout_ms":N})");
}

TEST_F(RunOjTest, SessionNewWithoutACommandRunsTheShell) {
  Set("SHELL", "/bin/zsh");
  ServeReply(R"({"type":"SessionCreated","id":"work"})");
  EXPECT_EQ(Run({"session", "new", "work", "--cwd", "/"}), 0);
  ExpectRequest(
      R"({"type":"SessionNew","id":"work","cwd":"/","command":["/bin/zsh"],"request_id":"R",)"
      R"("timeout_ms":N})");
}

TEST_F(RunOjTest, SessionSendTakesAllWordsAfterTheIdAsText) {
  Know();
  ServeReply(R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "send", "work", "ls", "-o", "json", "--help"}), 0);
  EXPECT_EQ(out_, "");
  ExpectRequest(R"({"type":"SessionSend","id":"work","input":"ls -o json --help","timeout_ms":N})");
}

TEST_F(RunOjTest, SessionSendTakesTextAfterDashes) {
  Know();
  ServeReply(R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "-o", "json", "send", "work", "--", "--", "-x"}), 0);
  EXPECT_EQ(out_, "{\"type\":\"Ok\"}\n");
  ExpectRequest(R"({"type":"SessionSend","id":"work","input":"-- -x","timeout_ms":N})");
}

TEST_F(RunOjTest, SessionPeekPrintsTheScreenRawButForItsEmptyEnd) {
  ServeReply(R"({"type":"SessionPeek","output":"a\u001b[1mb\n\nc\n\n \n"})");
  EXPECT_EQ(Run({"session", "peek", "work", "--color", "--lines", "7"}), 0);
  EXPECT_EQ(out_, "a\x1b[1mb\n\nc\n");
  ExpectRequest(
      R"({"type":"PeekSession","session_id":"work","with_color":true,"lines":7,"timeout_ms":N})");
}

TEST_F(RunOjTest, SessionKillSaysWhatItDid) {
  Know();
  ServeReply(R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "kill", "work"}), 0);
  EXPECT_EQ(out_, "session work killed\n");
  ExpectRequest(R"({"type":"SessionKill","id":"work","request_id":"R","timeout_ms":N})");
}

TEST_F(RunOjTest, SessionShowOfNoneIsNotFound) {
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"other"}]})");
  EXPECT_EQ(Run({"session", "show", "work"}), 3);
  EXPECT_EQ(err_,
            "oj: session work does not exist\n"
            "    `oj session list` shows the sessions there are\n");
  ExpectRequest(R"({"type":"Query","query":{"type":"ListSessions"},"timeout_ms":N})");
}

TEST_F(RunOjTest, EmptySessionListSaysSoOnStderrOnly) {
  ServeReply(R"({"type":"Sessions","sessions":[]})");
  EXPECT_EQ(Run({"session", "list"}), 0);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(err_, "no sessions\n");
  ExpectRequest(R"({"type":"Query","query":{"type":"ListSessions"},"timeout_ms":N})");
}

TEST_F(RunOjTest, CancelNamesTheRequest) {
  ServeReply(R"({"type":"Ok"})");
  EXPECT_EQ(Run({"cancel", "42"}), 0);
  EXPECT_EQ(out_, "request 42 cancelled\n");
  ExpectRequest(R"({"type":"CancelRequest","id":"42","timeout_ms":N})");
}

TEST_F(RunOjTest, JsonPrintsTheReplyAsReceivedOnOneLine) {
  ServeReply("{\"type\": \"Locks\",\n \"locks\": [], \"more\": 1.50}");
  EXPECT_EQ(Run({"locks", "-o", "json"}), 0);
  EXPECT_EQ(out_, "{\"type\": \"Locks\",  \"locks\": [], \"more\": 1.50}\n");
  EXPECT_EQ(err_, "");
}

TEST_F(RunOjTest, JsonPrintsAnErrorReplyToo) {
  const std::string error = ErrorPayload("busy", "too many requests");
  ServeReply(error);
  EXPECT_EQ(Run({"locks", "-o", "json"}), 4);
  EXPECT_EQ(out_, error + "\n");
  EXPECT_THAT(err_, StartsWith("oj: too many requests\n"));
}

TEST_F(RunOjTest, VersionNeedsNoDaemon) {
  EXPECT_EQ(Run({"version"}), 0);
  EXPECT_EQ(out_, "oj 0.1.0\n");
  EXPECT_THAT(err_, HasSubstr("ojd is not running"));
}

struct CodeCase {
  const char* code;
  int exit;
};
class ErrorCodes : public RunTest, public testing::WithParamInterface<CodeCase> {};

TEST_P(ErrorCodes, HaveTheirExitStatusAndTheDaemonsWords) {
  ServeReply(ErrorPayload(GetParam().code, "session w: tmux, 10000 ms"));
  EXPECT_EQ(Run({"session", "peek", "w"}), GetParam().exit);
  EXPECT_THAT(err_, StartsWith("oj: session w: tmux, 10000 ms\n"));
  EXPECT_EQ(out_, "");
}

INSTANTIATE_TEST_SUITE_P(All, ErrorCodes,
                         testing::Values(CodeCase{"invalid_request", 1}, CodeCase{"too_large", 1},
                                         CodeCase{"unauthenticated", 1}, CodeCase{"not_found", 3},
                                         CodeCase{"ambiguous", 4}, CodeCase{"conflict", 4},
                                         CodeCase{"busy", 4}, CodeCase{"deadline_exceeded", 124},
                                         CodeCase{"cancelled", 1}, CodeCase{"tool_failed", 1},
                                         CodeCase{"tool_timeout", 124}, CodeCase{"tool_missing", 1},
                                         CodeCase{"unknown_outcome", 1}, CodeCase{"unavailable", 1},
                                         CodeCase{"internal", 1}, CodeCase{"from_the_future", 1}),
                         [](const auto& test_case) { return std::string(test_case.param.code); });

TEST_F(RunOjTest, BusySaysWhenToTryAgain) {
  ServeReply(ErrorPayload("busy", "full", R"({"retry_after_ms":500})"));
  EXPECT_EQ(Run({"session", "kill", "w"}), 4);
  EXPECT_THAT(err_, HasSubstr("try again in 500 ms"));
}

TEST_F(RunOjTest, MessageOfTheDaemonCannotSteerTheTerminal) {
  ServeReply(ErrorPayload("internal", R"(a\u001b[2Jb\nc)"));
  EXPECT_EQ(Run({"ping"}), 1);
  EXPECT_THAT(err_, StartsWith("oj: a?[2Jb c\n"));
}

TEST_F(RunOjTest, SilenceExits124NamingCommandObjectAndLimit) {
  std::atomic<bool> closed = false;
  Serve(FakeServer::Stall(&closed));
  Set("OJ_TIMEOUT_IPC_MS", "100");
  const Instant begun = Now();
  EXPECT_EQ(Run({"session", "peek", "work"}), 124);
  const Duration took = Now() - begun;
  EXPECT_GE(took, std::chrono::milliseconds(100));
  EXPECT_LT(took, std::chrono::seconds(5));
  EXPECT_THAT(err_, StartsWith("oj: session peek work: no answer from ojd within 100 ms "
                               "(OJ_TIMEOUT_IPC_MS); the request was cancelled\n"
                               "    ojd runs tmux for it"));
  server_.reset();
  EXPECT_TRUE(closed);
}

// The daemon strikes a little before the user's limit, which is the one to name.
TEST_F(RunOjTest, DeadlineOfTheDaemonNamesTheUsersLimitAndWhatWasWaitedFor) {
  ServeReply(ErrorPayload("deadline_exceeded", "cancelled at its deadline of 900 ms",
                          R"({"limit_ms":900,"elapsed_ms":901,"waiting_for":"tmux"})"));
  EXPECT_EQ(Run({"--timeout", "1000", "session", "peek", "work"}), 124);
  EXPECT_EQ(err_,
            "oj: session peek work: not done within 1000 ms (--timeout), waiting for tmux; the "
            "request was cancelled\n    --timeout MS waits longer\n");
}

TEST_F(RunOjTest, DeadlineOfAChangeSaysHowToCheck) {
  Know();
  Set("OJ_TIMEOUT_IPC_MS", "1000");
  ServeReply(ErrorPayload("deadline_exceeded", "cancelled at its deadline of 900 ms",
                          R"({"limit_ms":900,"elapsed_ms":901,"waiting_for":"session:work"})"));
  EXPECT_EQ(Run({"session", "kill", "work"}), 124);
  EXPECT_THAT(err_, StartsWith("oj: session kill work: not done within 1000 ms "
                               "(OJ_TIMEOUT_IPC_MS), waiting for session:work"));
  EXPECT_THAT(err_, HasSubstr("may have taken effect before that"));
}

TEST_F(RunOjTest, OwnDeadlineOfTheDaemonIsToldInItsWords) {
  ServeReply(ErrorPayload("deadline_exceeded", "cancelled at its deadline of 300 ms",
                          R"({"limit_ms":300,"elapsed_ms":301})"));
  EXPECT_EQ(Run({"--timeout", "1000", "session", "peek", "work"}), 124);
  EXPECT_THAT(err_, StartsWith("oj: cancelled at its deadline of 300 ms\n"));
}

TEST_F(RunOjTest, SilenceAfterAChangeSaysHowToCheckAndNeverAsksTwice) {
  Know();
  std::atomic<int> requests = 0;
  Serve([&](ServedConnection& connection) {
    requests += connection.ReadFrame().empty() ? 0 : 1;
    connection.AwaitClose();
  });
  EXPECT_EQ(Run({"--timeout", "100", "session", "send", "work", "x"}), 124);
  EXPECT_THAT(err_, HasSubstr("within 100 ms (--timeout)"));
  EXPECT_THAT(err_, HasSubstr("may have taken effect before that: see `oj session peek work`"));
  server_.reset();
  EXPECT_EQ(requests, 1);
}

TEST_F(RunOjTest, TimeoutOfTheRequestIsWhatTheClientStillWaits) {
  ServeReply(R"({"type":"Pong"})");
  EXPECT_EQ(Run({"--timeout", "4000", "ping"}), 0);
  std::smatch figure;
  const std::string request = OnlyRequest();
  ASSERT_TRUE(std::regex_search(request, figure, std::regex("\"timeout_ms\":([0-9]+)")));
  EXPECT_LE(std::stoi(figure[1]), 4000);
  EXPECT_GE(std::stoi(figure[1]), 1000);
}

TEST_F(RunOjTest, ReplyOverTheLimitNamesTheLimit) {
  Serve([](ServedConnection& connection) {
    connection.ReadFrame();
    connection.Write("\x7f\xff\xff\xff");
    connection.AwaitClose();
  });
  EXPECT_EQ(Run({"ping"}), 1);
  EXPECT_THAT(err_, HasSubstr("2147483647 bytes, over the limit of 67108864"));
}

TEST_F(RunOjTest, ReplyThatIsNoJsonIsQuotedInOneLine) {
  ServeReply("HTTP/1.1 400\r\n\r\n");
  EXPECT_EQ(Run({"ping"}), 1);
  EXPECT_THAT(err_, StartsWith("oj: ping: ojd answered with something that is no JSON object: "
                               "'HTTP/1.1 400'\n"));
}

TEST_F(RunOjTest, ReplyOfAnotherTypeIsNoSuccess) {
  Know();
  ServeReply(R"({"type":"Pong"})");
  EXPECT_EQ(Run({"session", "kill", "w"}), 1);
  EXPECT_THAT(err_, HasSubstr("answered with 'Pong', not with Ok"));
}

TEST_F(RunOjTest, CloseBeforeTheAnswerIsNoSuccess) {
  Know();
  Serve([](ServedConnection& connection) { connection.ReadFrame(); });
  EXPECT_EQ(Run({"session", "kill", "w"}), 1);
  EXPECT_THAT(err_, StartsWith("oj: session kill w: ojd closed the connection without an answer"));
}

TEST_F(RunOjTest, InterruptExits130AndClosesTheConnection) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd wake(ends[0]);
  const UniqueFd waker(ends[1]);
  environment_.interrupt_fd = wake.get();
  std::atomic<bool> closed = false;
  Serve([&](ServedConnection& connection) {
    connection.ReadFrame();
    EXPECT_EQ(write(waker.get(), "", 1), 1);
    closed = connection.AwaitClose();
  });
  EXPECT_EQ(Run({"session", "peek", "work"}), 130);
  EXPECT_EQ(err_, "oj: interrupted; the request was cancelled\n");
  server_.reset();
  EXPECT_TRUE(closed);
}

TEST_F(RunOjTest, NoStartSaysThatNobodyListens) {
  EXPECT_EQ(Run({"session", "list", "--no-start"}), 3);
  EXPECT_EQ(err_, "oj: session list: ojd is not running (nobody listens on " + directory_.path() +
                      "/daemon.sock)\n    start it: `oj daemon start`\n");
}

TEST_F(RunOjTest, DaemonThatCannotBeStartedIsNamed) {
  EXPECT_EQ(Run({"session", "list"}), 1);
  EXPECT_THAT(err_, StartsWith("oj: cannot start /nonexistent/ojd: No such file or directory\n"));
}

TEST_F(RunOjTest, StopAndStatusWithoutADaemonSaySo) {
  const std::string text =
      "ojd is not running (nobody listens on " + directory_.path() + "/daemon.sock)\n";
  EXPECT_EQ(Run({"daemon", "stop"}), 0);
  EXPECT_EQ(out_, text);
  EXPECT_EQ(Run({"daemon", "status"}), 3);
  EXPECT_EQ(out_, text);
  EXPECT_EQ(Run({"daemon", "status", "-o", "json"}), 3);
  EXPECT_EQ(out_, "{\"running\":false}\n");
}

TEST_F(RunOjTest, LogsShowTheLastLines) {
  EXPECT_EQ(Run({"daemon", "logs"}), 3);
  EXPECT_THAT(err_, HasSubstr("there is no log yet at"));
  std::ofstream(directory_.path() + "/daemon.log") << "one\ntwo\nthree\n";
  EXPECT_EQ(Run({"daemon", "logs", "-n", "2"}), 0);
  EXPECT_EQ(out_, "two\nthree\n");
  EXPECT_EQ(Run({"daemon", "logs", "-n", "9"}), 0);
  EXPECT_EQ(out_, "one\ntwo\nthree\n");
}

TEST_F(RunOjTest, ReaderThatHasGoneIsNoError) {
  ServeReply(R"({"type":"SessionPeek","output":"x"})");
  out_errno_ = EPIPE;
  EXPECT_EQ(Run({"session", "peek", "w"}), 0);
  EXPECT_EQ(err_, "");
}

TEST_F(RunOjTest, FullDiskIsAnError) {
  ServeReply(R"({"type":"SessionPeek","output":"x"})");
  out_errno_ = ENOSPC;
  EXPECT_EQ(Run({"session", "peek", "w"}), 1);
  EXPECT_EQ(err_, "oj: cannot write to standard output: No space left on device\n");
}

struct UsageCase {
  std::vector<std::string> arguments;
  std::string said;
};
class UsageErrors : public RunTest, public testing::WithParamInterface<UsageCase> {};

TEST_P(UsageErrors, Exit2AndSayWhatIsWrong) {
  EXPECT_EQ(Run(GetParam().arguments), 2);
  EXPECT_THAT(err_, StartsWith("oj: "));
  EXPECT_THAT(err_, HasSubstr(GetParam().said));
  EXPECT_THAT(err_, HasSubstr("--help`\n"));
  EXPECT_EQ(out_, "");
}

INSTANTIATE_TEST_SUITE_P(
    All, UsageErrors,
    testing::Values(
        UsageCase{{}, "which command?"}, UsageCase{{"frobnicate"}, "no command 'frobnicate'"},
        UsageCase{{"session", "frob"}, "no command 'frob'"},
        UsageCase{{"ping", "extra"}, "not expected: extra"},
        UsageCase{{"ping", "--", "extra"}, "ping: takes no words after --"},
        UsageCase{{"-o", "yaml", "ping"}, "--output"}, UsageCase{{"--timeout"}, "--timeout"},
        UsageCase{{"--timeout", "0", "ping"}, "--timeout: '0'"},
        UsageCase{{"--timeout=-1", "ping"}, "--timeout: '-1'"},
        UsageCase{{"--timeout", "5s", "ping"}, "--timeout: '5s'"},
        UsageCase{{"--timeout", "99999999999999999999", "ping"}, "--timeout: '9999999999"},
        UsageCase{{"session", "new"}, "ID is required"},
        UsageCase{{"session", "new", "a/b"}, "'a/b' is no session id"},
        UsageCase{{"session", "new", "a", "ls"}, "the command comes after --"},
        UsageCase{{"session", "new", "a", "-e", "=x"}, "'=x' is not of the form NAME=VALUE"},
        UsageCase{{"session", "new", "a", "--cwd", "/nope"}, "no such directory: /nope"},
        UsageCase{{"session", "send", "a"}, "no text to send"},
        UsageCase{{"session", "send", "a", "\xff"}, "not valid UTF-8"},
        UsageCase{{"session", "peek", "a", "-n", "0"}, "--lines"}));

TEST_F(RunOjTest, BadVariableIsNamedAndNeverReplacedByTheDefault) {
  for (const char* bad : {"0", "-1", "5s", "", "99999999999999999999"}) {
    Set("OJ_TIMEOUT_IPC_MS", bad);
    EXPECT_EQ(Run({"ping"}), 2) << bad;
    EXPECT_THAT(err_, StartsWith("oj: OJ_TIMEOUT_IPC_MS: '" + std::string(bad) + "' is not"));
  }
}

TEST_F(RunOjTest, FlagGoesBeforeVariableBeforeFile) {
  std::atomic<bool> closed = false;
  Serve(FakeServer::Stall(&closed));
  std::filesystem::create_directories(directory_.path() + "/config/oj");
  std::ofstream(directory_.path() + "/config/oj/config.toml") << "[client]\ntimeout_ipc = 60\n";
  Run({"ping"});
  EXPECT_THAT(err_, HasSubstr("within 60 ms (client.timeout_ipc in config.toml)"));
  Set("OJ_TIMEOUT_IPC_MS", "50");
  Run({"ping"});
  EXPECT_THAT(err_, HasSubstr("within 50 ms (OJ_TIMEOUT_IPC_MS)"));
  Run({"ping", "--timeout", "40"});
  EXPECT_THAT(err_, HasSubstr("within 40 ms (--timeout)"));
}

TEST_F(RunOjTest, HelpListsTheExitStatusesAndEachCommandHasAnExample) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("0 done, 1 error, 2 usage, 3 not found or no daemon, 4 busy, "
                              "conflict or\nambiguous, 124 timed"));
  const std::vector<std::vector<std::string>> commands = {{"workspace"},
                                                          {"workspace", "add"},
                                                          {"workspace", "list"},
                                                          {"workspace", "show"},
                                                          {"workspace", "drop"},
                                                          {"workspace", "prune"},
                                                          {"agent"},
                                                          {"agent", "run"},
                                                          {"agent", "list"},
                                                          {"agent", "show"},
                                                          {"agent", "send"},
                                                          {"agent", "peek"},
                                                          {"agent", "resume"},
                                                          {"agent", "attach"},
                                                          {"session", "prune"},
                                                          {"session", "attach"},
                                                          {"peek"},
                                                          {"completion"},
                                                          {"session"},
                                                          {"session", "new"},
                                                          {"session", "list"},
                                                          {"session", "show"},
                                                          {"session", "send"},
                                                          {"session", "peek"},
                                                          {"session", "kill"},
                                                          {"requests"},
                                                          {"cancel"},
                                                          {"locks"},
                                                          {"ping"},
                                                          {"status"},
                                                          {"version"},
                                                          {"daemon"},
                                                          {"daemon", "start"},
                                                          {"daemon", "stop"},
                                                          {"daemon", "status"},
                                                          {"daemon", "logs"}};
  for (auto command : commands) {
    command.emplace_back("--help");
    EXPECT_EQ(Run(command), 0);
    EXPECT_THAT(out_, HasSubstr("Example:\n  "));
    EXPECT_THAT(out_, Not(HasSubstr("Precedence")));
  }
}

}  // namespace
}  // namespace oj::cli
