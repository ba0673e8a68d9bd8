// The fake tmux against the real one: the same command lines, one after the other, on both.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "run_tool.h"

namespace oj::fakes {
namespace {

using Line = std::vector<std::string>;

std::string Show(const Line& line) {
  std::string text = "tmux";
  for (const std::string& arg : line) text += " [" + arg + "]";
  return text;
}

class TmuxConformance : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/tmux")) GTEST_SKIP() << "no tmux here";
    std::filesystem::create_directory(real_socket());
    std::filesystem::create_directory(state());
  }
  void TearDown() override {
    if (std::filesystem::exists(real_socket())) Real({"kill-server"});
  }

  std::string real_socket() const { return dir_.path() + "/real"; }
  std::string state() const { return dir_.path() + "/state"; }

  // The socket's directory replaced by one word in both.
  static Ended Normal(Ended ended, const std::string& socket) {
    for (std::string* text : {&ended.out, &ended.err}) {
      for (std::size_t at; (at = text->find(socket)) != std::string::npos;) {
        text->replace(at, socket.size(), "SOCKET");
      }
    }
    return ended;
  }
  Ended Real(Line line) {
    line.insert(line.begin(), "/usr/bin/tmux");
    return Normal(RunTool(line, {{"TMUX_TMPDIR", real_socket()}, {"LC_ALL", "C.UTF-8"}}),
                  real_socket());
  }
  Ended Fake(Line line) {
    line.insert(line.begin(), OJ_FAKE_TMUX);
    return Normal(RunTool(line, {{"TMUX_TMPDIR", dir_.path()}, {"OJ_FAKE_STATE", state()}}),
                  dir_.path());
  }

  // The real terminal echoes a little later: what differs at first is looked at again.
  void ExpectAlike(const Line& line) {
    SCOPED_TRACE(Show(line));
    Ended real = Real(line);
    const Ended fake = Fake(line);
    for (int i = 0; i < 300 && line[0] == "capture-pane" && real.out != fake.out; ++i) {
      real = Real(line);
    }
    EXPECT_EQ(fake.value, real.value);
    EXPECT_EQ(fake.out, real.out);
    EXPECT_EQ(fake.err, real.err);
  }

  // The real server ends a moment after its last session.
  void AwaitNoRealServer() {
    EXPECT_TRUE(Eventually([&] { return Real({"list-sessions"}).err.starts_with("no server"); }));
  }

  TempDir dir_;
};

TEST_F(TmuxConformance, WithoutAServerEveryCommandSaysSo) {
  for (const Line& line : std::vector<Line>{{"has-session", "-t", "=work"},
                                            {"kill-session", "-t", "=work"},
                                            {"capture-pane", "-t", "=work:", "-p", "-S", "-40"},
                                            {"send-keys", "-t", "=work:", "-l", "--", "hi"},
                                            {"list-sessions", "-F", "#{session_name}"},
                                            {"display-message", "-p", "hi"},
                                            {"no-such-command"},
                                            {"-V"}}) {
    ExpectAlike(line);
  }
}

TEST_F(TmuxConformance, AfterTheLastSessionThereIsNoServer) {
  ExpectAlike({"new-session", "-d", "-s", "work", "-c", "/tmp", "--", "sleep", "600"});
  ExpectAlike({"kill-session", "-t", "=work"});
  AwaitNoRealServer();
  ExpectAlike({"has-session", "-t", "=work"});
  ExpectAlike({"kill-session", "-t", "=work"});
  ExpectAlike({"list-sessions", "-F", "#{session_name}"});
  ExpectAlike({"has-session", "-x"});
}

TEST_F(TmuxConformance, SessionsAreMadeFoundAndKilled) {
  for (const Line& line : std::vector<Line>{
           {"new-session", "-d", "-s", "work", "-c", "/tmp", "-e", "A=1", "--", "sleep", "600"},
           {"new-session", "-d", "-s", "job-ab12", "--", "sleep", "600"},
           {"new-session", "-d", "-s", "work", "-c", "/tmp", "--", "sleep", "600"},
           {"new-session", "-d", "-s", "", "--", "sleep", "600"},
           {"new-session", "-d", "-s", "a.b", "--", "sleep", "600"},
           {"new-session", "-d", "-s", "a:b", "--", "sleep", "600"},
           {"new-session", "-d", "-s", "far", "-c", "/no/such/place", "--", "sleep", "600"},
           {"new-session", "-s", "undetached", "--", "sleep", "600"},
           {"list-sessions", "-F", "#{session_name}"},
           {"ls", "-F", "<#{session_name}|#{session_windows}|#{nothing}>"},
           {"has-session", "-t", "=work"},
           {"has-session", "-t", "=work:"},
           {"has-session", "-t", "=wor"},
           {"has-session", "-t", "wor"},
           {"has-session", "-t", "=job-ab"},
           {"has-session", "-t", "job-ab"},
           {"has-session", "-t", "nothing"},
           {"has-session", "-t", ""},
           {"has-session"},
           {"has-session", "-t", "=a.b"},
           {"has-session", "-t", "=a_b"},
           {"has-session", "-t", "=work:9"},
           {"kill-session", "-t", "=a.b"},
           {"kill-session", "-t", "=nothing"},
           {"kill-session", "-t", "job-ab"},
           {"kill-session", "-t", "=work"},
           {"kill-session", "-t", "=work"},
           {"list-sessions", "-F", "#{session_name}"},
       }) {
    ExpectAlike(line);
  }
}

TEST_F(TmuxConformance, PanesShowWhatIsTyped) {
  ExpectAlike({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
  for (const Line& line : std::vector<Line>{
           {"send-keys", "-t", "=work:", "-l", "--", "hello  "},
           {"capture-pane", "-t", "=work:", "-p", "-S", "-40"},
           {"send-keys", "-t", "=work:", "Enter"},
           {"send-keys", "-t", "=work:", "-l", "--", "-n two", ";", "send-keys", "-t",
            "=work:", "Enter"},
           {"send-keys", "-t", "=work:", "-l", "--", "three;"},
           {"send-keys", "-t", "=work:", "-l", "--", "four\\;"},
           {"send-keys", "-t", "=work:", "-l", "--", "five\\\\;"},
           {"send-keys", "-t", "=work:", "-l", "--", ";;"},
           {"send-keys", "-t", "=work:", "-l", "--"},
           {"send-keys", "-t", "=work:", "six", "Space", "Enter"},
           {"send-keys", "-t", "=work:", "-l", "--", std::string(170, 'w')},
           {"capture-pane", "-t", "=work:", "-p", "-S", "-40", "-e"},
           {"capture-pane", "-t", "=work:", "-p"},
           {"capture-pane", "-t", "=nothing:", "-p", "-S", "-40"},
           {"capture-pane", "-t", "=work", "-p"},
           {"capture-pane", "-t", "nothing", "-p"},
           {"send-keys", "-t", "=nothing:", "-l", "--", "hi"},
           {"send-keys", "-t", "=nothing:", "Enter"},
           {"send-keys", "-t", "=work", "-l", "--", "hi"},
           {"send-keys", "-t", "=work:9", "-l", "--", "hi"},
       }) {
    ExpectAlike(line);
  }
}

TEST_F(TmuxConformance, LinesAboveThePaneAreHistory) {
  ExpectAlike({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
  for (int i = 0; i < 40; ++i) {
    const Line line{"send-keys", "-t", "=work:", "-l",   "--", "line " + std::to_string(i), ";",
                    "send-keys", "-t", "=work:", "Enter"};
    Real(line);
    Fake(line);
  }
  for (const char* above : {"-3", "-10", "-100", "0"}) {
    ExpectAlike({"capture-pane", "-t", "=work:", "-p", "-S", above});
  }
}

TEST_F(TmuxConformance, SequencesStopAtTheFirstError) {
  ExpectAlike({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
  for (const Line& line : std::vector<Line>{
           {"has-session", "-t", "=work", ";", "display-message", "-p", "one"},
           {"has-session", "-t", "=nothing", ";", "display-message", "-p", "one"},
           {"display-message", "-p", "one;", "display-message", "-p", "two"},
           {"display-message", "-p", "one\\;", "display-message"},
           {"display-message", "-p", "one\\;"},
           {"display-message", "-p", "one;;"},
           {"display-message", "-p", "one", ";", "no-such-command"},
           {"display-message", "-p", "one", ";", ";", "display-message", "-p", "two", ";"},
           {"display-message", "-p", "#{session_name}"},
       }) {
    ExpectAlike(line);
  }
}

TEST_F(TmuxConformance, BadOptionsAreRefused) {
  ExpectAlike({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
  for (const Line& line : std::vector<Line>{{"has-session", "-x"},
                                            {"has-session", "stray"},
                                            {"display-message", "-p", "one", "two"},
                                            {"capture-pane", "-p", "stray"},
                                            {"no-such-command"},
                                            {"list-sessions", "stray"}}) {
    ExpectAlike(line);
  }
}

}  // namespace
}  // namespace oj::fakes
