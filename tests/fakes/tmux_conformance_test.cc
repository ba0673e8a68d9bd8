// The fake tmux against the real one: the same command lines, one after the other, on both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
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
  // `passing`: what its server is doing if there is no session any more; see fakes/behaviour.h.
  Ended Fake(Line line, const std::string& passing = "") {
    line.insert(line.begin(), OJ_FAKE_TMUX);
    Environment environment{{"TMUX_TMPDIR", dir_.path()}, {"OJ_FAKE_STATE", state()}};
    if (!passing.empty()) {
      const std::string rules = dir_.path() + "/rules.toml";
      WriteFile(rules, "[[rule]]\ntool = \"tmux\"\npassing = \"" + passing + "\"\n");
      environment.emplace_back("OJ_FAKE_RULES", rules);
    }
    return Normal(RunTool(line, environment), dir_.path());
  }

  // The real terminal echoes a little later: what differs at first is looked at again.
  void ExpectAlike(const Line& line, const std::string& passing = "") {
    SCOPED_TRACE(Show(line));
    Ended real = Real(line);
    const Ended fake = Fake(line, passing);
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

  // Both have had a session, and have none.
  void EndLastSession() {
    Real({"kill-session", "-t", "=work"});
    Fake({"kill-session", "-t", "=work"});
  }
  pid_t RealServer() { return std::atoi(Real({"display-message", "-p", "#{pid}"}).out.c_str()); }

  TempDir dir_;
};

// What the daemon asks of a server that may be about to go.
const std::vector<Line>& Questions() {
  static const std::vector<Line> lines{
      {"has-session", "-t", "=work"},
      {"has-session", "-t", "=work:"},
      {"has-session"},
      {"has-session", "-x"},
      {"kill-session", "-t", "=work"},
      {"capture-pane", "-t", "=work:", "-p", "-S", "-40"},
      {"send-keys", "-t", "=work:", "-l", "--", "hi", ";", "send-keys", "-t", "=work:", "Enter"},
      {"list-sessions", "-F", "#{session_name}"},
      {"display-message", "-p", "hi"},
      {"list-panes", "-a", "-F", "#{session_name} #{pane_dead} #{pane_dead_status}"},
      {"run-shell", "-b", "true"},
      {"set-option", "-t", "=work:", "remain-on-exit", "on"},
      {"new-session", "-d", "-s", "next", "--", "sleep", "600"}};
  return lines;
}

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

// A server that stays for want of the option is one that is caught before it exits.
TEST_F(TmuxConformance, AServerWithoutSessionsServesUntilItExits) {
  ExpectAlike({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
  ASSERT_EQ(Real({"set-option", "-s", "exit-empty", "off"}).value, 0);
  EndLastSession();
  for (const Line& line : Questions()) ExpectAlike(line, "serves");
  ExpectAlike({"list-sessions", "-F", "#{session_name}"});
}

// The server is stopped so that it cannot take the connection, and then killed.
TEST_F(TmuxConformance, AServerThatExitsThrowsOutWhoeverItHasNotServed) {
  for (const Line& line : Questions()) {
    SCOPED_TRACE(Show(line));
    Fake({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
    Fake({"kill-session", "-t", "=work"});
    const Ended fake = Fake(line, "exits");
    Ended real;
    EXPECT_TRUE(Eventually([&] {
      Real({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
      const pid_t server = RealServer();
      if (server <= 1) return false;
      kill(server, SIGSTOP);
      Line argv{"/usr/bin/tmux"};
      argv.insert(argv.end(), line.begin(), line.end());
      Program client(argv, {{"TMUX_TMPDIR", real_socket()}, {"LC_ALL", "C.UTF-8"}});
      // Long enough for it to connect; if not, it is tried again.
      for (int i = 0; i < 20; ++i) ShortPause();
      kill(server, SIGKILL);
      real = Normal(client.Wait(), real_socket());
      return real.err == fake.err;
    })) << real.err;
    EXPECT_EQ(fake.value, real.value);
    EXPECT_EQ(fake.out, real.out);
    EXPECT_EQ(Fake({"list-sessions"}).err,
              "no server running on SOCKET/tmux-" + std::to_string(getuid()) + "/default\n");
  }
}

// Whatever the real one answers right after its last session, the fake can answer too.
TEST_F(TmuxConformance, RightAfterTheLastSessionTheRealAnswersAreAmongTheFakes) {
  const auto told = [](const Ended& ended) {
    return std::to_string(ended.value) + "|" + ended.out + "|" + ended.err;
  };
  std::map<std::string, int> seen;
  for (int i = 0; i < 60; ++i) {
    const Line& line = Questions()[static_cast<std::size_t>(i) % Questions().size()];
    SCOPED_TRACE(Show(line));
    const Line make{"new-session", "-d", "-s", "work", "--", "sleep", "600"};
    std::set<std::string> fakes;
    for (const char* passing : {"", "serves", "exits"}) {
      Fake(make);
      Fake({"kill-session", "-t", "=work"});
      fakes.insert(told(Fake(line, passing)));
      Fake({"kill-server"});
    }
    ASSERT_TRUE(Eventually([&] { return Real(make).value == 0; }));
    Real({"kill-session", "-t", "=work"});
    const Ended real = Real(line);
    EXPECT_TRUE(fakes.contains(told(real))) << told(real);
    ++seen[real.err];
    Real({"kill-server"});
  }
  for (const auto& [text, times] : seen) std::cout << times << " times: " << text << '\n';
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

TEST_F(TmuxConformance, OptionsAndShellsTellWhatIsWrongWithThem) {
  ExpectAlike({"new-session", "-d", "-s", "work", "--", "sleep", "600"});
  for (const Line& line : std::vector<Line>{
           {"set-option", "-t", "=work:", "remain-on-exit", "on"},
           {"set-option", "-t", "=work:", "remain-on-exit"},
           {"set-option", "-t", "=work:", "remain-on-exit", "maybe"},
           {"set-option", "-t", "=work:", "nope", "on"},
           {"set-option", "-t", "=work:", "a", "b", "c"},
           {"set-option", "-t", "=work", "remain-on-exit", "on"},
           {"set-option", "-t", "work", "remain-on-exit", "on"},
           {"set-option", "-t", "=nothing:", "remain-on-exit", "on"},
           {"set-option"},
           {"run-shell"},
           {"run-shell", "-b", "true"},
           {"run-shell", "exit 3"},
           {"run-shell", "-b", "a", "b"},
           {"list-panes", "-a", "-F", "#{session_name} #{pane_dead} #{pane_dead_status}"},
           {"list-panes", "-t", "=work", "-F", "#{session_name}"},
           {"list-panes", "-t", "=nothing:", "-F", "#{session_name}"},
           {"list-panes", "-t", "nothing", "-F", "#{session_name}"},
           {"list-panes", "-t", "=work:9", "-F", "#{session_name}"},
           {"list-panes", "stray"},
       }) {
    ExpectAlike(line);
  }
}

// As the daemon starts an agent's session, and any other.
Line StartLine(const std::string& id, const Line& program, bool stays) {
  Line line{"new-session", "-d", "-s", id, "-c", "/tmp", "-e", "A=1", "--"};
  line.insert(line.end(), program.begin(), program.end());
  const Line stay{";", "set-option", "-t", "=" + id + ":", "remain-on-exit", "on"};
  if (stays) line.insert(line.end(), stay.begin(), stay.end());
  return line;
}

// The real server sees the end of a program a little later; run-shell makes it look for its code.
TEST_F(TmuxConformance, TellsWhichProgramsHaveEndedAndHow) {
  const Line list{"list-panes", "-a", "-F", "#{session_name} #{pane_dead} #{pane_dead_status}"};
  const auto expect_list = [&] {
    Real({"run-shell", "-b", "true"});
    Fake({"run-shell", "-b", "true"});
    const Ended fake = Fake(list);
    Ended real;
    EXPECT_TRUE(Eventually([&] { return (real = Real(list)).out == fake.out; }))
        << real.out << "and the fake: " << fake.out;
  };
  ExpectAlike(StartLine("a", {"cat"}, true));
  expect_list();
  ExpectAlike(StartLine("b", {"sh", "-c", "exec \"$0\"", "true"}, true));
  expect_list();
  ExpectAlike(StartLine("c", {"sh", "-c", "exit 7"}, true));
  expect_list();
  ExpectAlike(StartLine("d", {"sh", "-c", "exit 7"}, false));
  expect_list();
  EXPECT_EQ(Fake(list).out, "a 0 \nb 1 0\nc 1 7\n");
  ExpectAlike({"send-keys", "-t", "=b:", "-l", "--", "hi"});
  ExpectAlike({"kill-session", "-t", "=b"});
  expect_list();
}

TEST_F(TmuxConformance, ADeadPaneSaysHowItDied) {
  const Line look{"capture-pane", "-t", "=b:", "-p", "-S", "-40"};
  const auto said = [](std::string text) {
    const std::size_t comma = text.rfind(',');
    return comma == std::string::npos ? text : text.substr(0, comma);
  };
  const Line start = StartLine("b", {"sh", "-c", "exit 7"}, true);
  Real(start);
  Fake(start);
  Fake({"run-shell", "-b", "true"});
  const Ended fake = Fake(look);
  EXPECT_THAT(fake.out, testing::HasSubstr("Pane is dead (status 7, "));
  Ended real;
  const auto alike = [&] {
    Real({"run-shell", "-b", "true"});
    return said((real = Real(look)).out) == said(fake.out);
  };
  EXPECT_TRUE(Eventually(alike)) << real.out << "and the fake: " << fake.out;
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
