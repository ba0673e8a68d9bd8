// Sessions on a real tmux server: the round trip, and what must survive the daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

class SessionTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }

  void New(const std::string& id, std::vector<std::string> command = {"sh", "-c", "exec cat"}) {
    std::vector<std::string> arguments{"session", "new", id, "--"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const Ended made = world_.Oj(arguments);
    ASSERT_EQ(made.code, 0) << made.err;
  }
  bool Shows(const std::string& id, const std::string& text) {
    return Eventually(
        [&] { return world_.Oj({"session", "peek", id}).out.find(text) != std::string::npos; });
  }
  bool Exists(const std::string& id) {
    return world_.RunTmux({"has-session", "-t", "=" + id}).code == 0;
  }

  World world_;
};

TEST_F(SessionTest, IsCreatedListedShownTypedIntoPeekedAtAndKilled) {
  New("work", {"sh", "-c", "echo hello; exec cat"});
  EXPECT_TRUE(Shows("work", "hello"));
  EXPECT_THAT(world_.Oj({"session", "list"}).out, HasSubstr("work"));
  EXPECT_THAT(world_.Oj({"session", "show", "work"}).out, HasSubstr("echo hello"));
  EXPECT_EQ(world_.Oj({"session", "send", "work", "typed", "text"}).code, 0);
  EXPECT_TRUE(Shows("work", "typed text\ntyped text"));
  EXPECT_EQ(world_.Oj({"session", "kill", "work"}).code, 0);
  EXPECT_FALSE(Exists("work"));
  EXPECT_EQ(world_.Oj({"session", "peek", "work"}).code, 3);
}

TEST_F(SessionTest, ASessionThatExistsIsAConflict) {
  New("work");
  EXPECT_EQ(world_.Oj({"session", "new", "work", "--", "sleep", "60"}).code, 4);
}

// A beginning names what the daemon knows; tmux, which would take it too, is asked for exact names.
TEST_F(SessionTest, APrefixOfASessionThatIsNotTheDaemonsIsNotThatSession) {
  world_.StartSession("work-ab12");
  EXPECT_EQ(world_.Oj({"session", "kill", "work-ab"}).code, 3);
  EXPECT_EQ(world_.Oj({"session", "peek", "work-ab"}).code, 3);
  EXPECT_TRUE(Exists("work-ab12"));
}

TEST_F(SessionTest, ARetryOfAKillNeverTouchesAnotherIdThatItBegins) {
  New("job-1");
  New("job-12");
  const boost::json::object kill{{"type", "SessionKill"}, {"id", "job-1"}};
  EXPECT_EQ(Text(world_.Connect().Ask(kill), "type"), "Ok");
  EXPECT_EQ(world_.Oj({"session", "prune", "--all"}).code, 0);
  EXPECT_FALSE(Exists("job-12")) << "nobody uses it";
  New("job-12");
  EXPECT_EQ(Text(world_.Connect().Ask(kill), "code"), "not_found") << "job-1 is forgotten";
  EXPECT_TRUE(Exists("job-12"));
}

TEST_F(SessionTest, AWordThatBeginsOneIdNamesItAndSeveralAreListed) {
  New("job-12");
  New("work-1");
  New("work-2");
  EXPECT_EQ(world_.Oj({"session", "send", "job", "typed"}).code, 0);
  EXPECT_TRUE(Shows("job", "typed"));
  const Ended several = world_.Oj({"session", "kill", "work"});
  EXPECT_EQ(several.code, 4);
  EXPECT_THAT(several.err, HasSubstr("work-1, work-2"));
  EXPECT_TRUE(Exists("work-1") && Exists("work-2"));
  const Ended killed = world_.Oj({"session", "kill", "job"});
  EXPECT_EQ(killed.out, "session job-12 killed\n");
  EXPECT_FALSE(Exists("job-12"));
}

TEST_F(SessionTest, AServerWithoutASessionGetsItsFirst) {
  world_.RunTmux({"start-server", ";", "set-option", "-s", "exit-empty", "off"});
  ASSERT_GT(world_.TmuxServer(), 0);
  EXPECT_EQ(world_.Oj({"session", "peek", "work"}).code, 3);
  New("work");
  EXPECT_TRUE(Exists("work"));
}

// The server ends with its last session, and meanwhile answers in more than one way.
TEST_F(SessionTest, TheLastSessionIsKilledEachTime) {
  for (int i = 0; i < 30; ++i) {
    New("work");
    const Ended killed = world_.Oj({"session", "kill", "work"});
    ASSERT_EQ(killed.code, 0) << killed.err;
  }
}

class TypedTextTest : public SessionTest, public testing::WithParamInterface<const char*> {};

TEST_P(TypedTextTest, ArrivesAsItIs) {
  New("work");
  const Ended sent = world_.Oj({"session", "send", "work", GetParam()});
  ASSERT_EQ(sent.code, 0) << sent.err;
  // Once echoed by the terminal, once by cat.
  const std::string text = GetParam();
  EXPECT_TRUE(Shows("work", text + "\n" + text + "\n"))
      << world_.Oj({"session", "peek", "work"}).out;
  EXPECT_TRUE(Exists("work"));
}

INSTANTIATE_TEST_SUITE_P(, TypedTextTest,
                         testing::Values("echo;", ";", "a;;", "kill-session ;", "Enter", "-t other",
                                         "#{pid} $HOME `id`", "a\\;", "\\", "C-c", "ä€"));

TEST_F(SessionTest, WordsOfACommandArriveAsTheyAre) {
  New("work", {"sh", "-c", "printf '[%s]' \"$@\"; exec sleep 60;", "sh", "a;", ";", "b\\;", "-x",
               "#{pid}", "$HOME"});
  EXPECT_TRUE(Shows("work", "[a;][;][b\\;][-x][#{pid}][$HOME]"))
      << world_.Oj({"session", "peek", "work"}).out;
}

TEST_F(SessionTest, VariablesAndDirectoryReachTheCommand) {
  const Ended made = world_.Oj({"session", "new", "work", "--cwd", "/", "-e", "COLOUR=red;", "--",
                                "sh", "-c", "echo \"$COLOUR $PWD.\"; exec cat"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(Shows("work", "red; /."));
}

// Lesson: the client's exit timeout is shorter than the drain: a stop loses the last snapshot.
TEST_F(SessionTest, SurvivesTheStopOfTheDaemonAndIsKnownToTheNext) {
  New("work", {"sh", "-c", "echo still here; exec cat"});
  const pid_t server = world_.TmuxServer();
  EXPECT_EQ(world_.Oj({"daemon", "stop"}).code, 0);
  world_.DaemonEnded();
  EXPECT_TRUE(IsAlive(server));
  EXPECT_TRUE(Exists("work"));
  ASSERT_TRUE(world_.StartDaemon());
  EXPECT_TRUE(Shows("work", "still here"));
  EXPECT_THAT(world_.Oj({"session", "list"}).out, HasSubstr("work"));
}

TEST_F(SessionTest, SurvivesASigkillOfTheDaemon) {
  New("work");
  const pid_t server = world_.TmuxServer();
  world_.daemon().Signal(SIGKILL);
  world_.DaemonEnded();
  EXPECT_TRUE(IsAlive(server));
  EXPECT_TRUE(Exists("work"));
}

TEST_F(SessionTest, DaemonStopWithKillEndsItsSessions) {
  New("one");
  New("two");
  world_.StartSession("foreign");
  EXPECT_EQ(world_.Oj({"daemon", "stop", "--kill"}).code, 0);
  EXPECT_FALSE(Exists("one"));
  EXPECT_FALSE(Exists("two"));
  EXPECT_TRUE(Exists("foreign"));
}

TEST_F(SessionTest, TheServerItStartsHoldsNoDescriptorOfTheDaemon) {
  Wire open = world_.Connect();
  New("work");
  const auto mine = DescriptorsOf(world_.daemon().pid());
  for (const std::string& held : DescriptorsOf(world_.TmuxServer())) {
    EXPECT_THAT(held, Not(HasSubstr(world_.state())));
    if (!held.starts_with("socket:") && !held.starts_with("pipe:")) continue;
    EXPECT_EQ(std::count(mine.begin(), mine.end(), held), 0) << held;
  }
  // The lock of the pid file in particular: a successor could not start.
  world_.daemon().Signal(SIGKILL);
  world_.DaemonEnded();
  EXPECT_TRUE(world_.StartDaemon());
}

TEST_F(SessionTest, ACancelOfTheFirstNewSessionNeverKillsTheServerAndARetryConverges) {
  for (int delay = 0; delay < 12; ++delay) {
    const std::string id = "s" + std::to_string(delay);
    {
      Wire client = world_.Connect();
      client.Send({{"type", "SessionNew"}, {"id", id}, {"cwd", "/"}, {"command", {"sleep", "60"}}});
      std::this_thread::sleep_for(milliseconds(delay));
    }
    ASSERT_TRUE(Eventually([this] { return world_.Quiet(); }));
    const bool began = Exists(id);
    const pid_t server = world_.TmuxServer();
    const Ended retry = world_.Oj({"session", "new", id, "--cwd", "/", "--", "sleep", "60"});
    // A client that was cancelled may also have been served whole before it left.
    EXPECT_TRUE(retry.code == 0 || (began && retry.code == 4)) << delay << " ms: " << retry.err;
    EXPECT_TRUE(Exists(id));
    if (server > 0) {
      EXPECT_TRUE(IsAlive(server)) << delay << " ms";
    }
    world_.RunTmux({"kill-server"});
    ASSERT_TRUE(Eventually([server] { return server <= 0 || !IsAlive(server); }));
  }
}

}  // namespace
}  // namespace oj::e2e
