// How the fakes misbehave, and that their journal tells it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "fake_test.h"

namespace oj::fakes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(FakeBehaviour, WithoutRulesItWorksAndJournalsItsLife) {
  Program peek(Peek(), {{"OJ_FAKE_JOURNAL", journal()}, {"OJ_LEASE", "7"}});
  const std::string pid = std::to_string(peek.pid());
  EXPECT_EQ(peek.Wait().value, 1);
  const auto lines = Journal();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], StartsWith("S " + pid + " " + std::to_string(getpid()) + " " + pid + " "));
  EXPECT_THAT(lines[0], HasSubstr(" 7 [\"tmux\",\"capture-pane\",\"-t\",\"=work:\",\"-p\"] \"" +
                                  std::filesystem::current_path().string() + "\""));
  EXPECT_THAT(lines[1], StartsWith("E " + pid + " "));
}

TEST_F(FakeBehaviour, ArgumentsInTheJournalAreJson) {
  RunTool({OJ_FAKE_TMUX, "a\"b", "c\\d", "e\nf"}, environment());
  EXPECT_THAT(Journal().at(0), HasSubstr("[\"tmux\",\"a\\\"b\",\"c\\\\d\",\"e\\u000af\"]"));
}

TEST_F(FakeBehaviour, DiesOfTermAndTheJournalHasTheSignal) {
  Rules("[[rule]]\ntool = \"tmux\"\nhang = true\n");
  Program peek(Peek(), environment());
  ASSERT_TRUE(Started(1));
  peek.Signal(SIGTERM);
  const Ended ended = peek.Wait();
  EXPECT_TRUE(ended.signaled);
  EXPECT_EQ(ended.value, SIGTERM);
  EXPECT_THAT(Journal().at(1), testing::EndsWith(" 15"));
}

TEST_F(FakeBehaviour, IgnoresTermButNotKill) {
  Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"capture-pane\"\nhang = true\nignore_term = true\n");
  Program peek(Peek(), environment());
  ASSERT_TRUE(Started(1));
  peek.Signal(SIGTERM);
  ASSERT_TRUE(Started(2));
  EXPECT_TRUE(peek.Running());
  peek.Signal(SIGKILL);
  EXPECT_EQ(peek.Wait().value, SIGKILL);
}

TEST_F(FakeBehaviour, ExitsZeroOnTermAsATmuxClientDoes) {
  Rules("[[rule]]\ntool = \"tmux\"\nhang = true\nexit_zero_on_term = true\n");
  Program peek(Peek(), environment());
  ASSERT_TRUE(Started(1));
  peek.Signal(SIGTERM);
  const Ended ended = peek.Wait();
  EXPECT_FALSE(ended.signaled);
  EXPECT_EQ(ended.value, 0);
}

TEST_F(FakeBehaviour, HangAndDelayEndWhenReleased) {
  const std::string file = dir_.path() + "/released";
  for (const char* wait : {"hang = true", "delay_ms = 60000"}) {
    Rules("[[rule]]\ntool = \"tmux\"\n" + std::string(wait) + "\nrelease = \"" + file + "\"\n");
    std::filesystem::remove(journal());
    Program peek(Peek(), environment());
    ASSERT_TRUE(Started(1));
    for (int i = 0; i < 20; ++i) ShortPause();
    EXPECT_TRUE(peek.Running());
    WriteFile(file, "");
    EXPECT_EQ(peek.Wait().value, 1);
    std::filesystem::remove(file);
  }
}

TEST_F(FakeBehaviour, NthIsCountedAcrossProcesses) {
  Rules(
      "[[rule]]\ntool = \"tmux\"\nmatch = \"capture-pane\"\nnth = 2\nexit = 9\n"
      "[[rule]]\ntool = \"tmux\"\nmatch = \"capture-pane\"\nnth = 3\nexit = 8\n");
  std::vector<int> codes;
  for (int i = 0; i < 4; ++i) codes.push_back(Run().value);
  EXPECT_THAT(codes, ElementsAre(1, 9, 8, 1));
}

TEST_F(FakeBehaviour, OutputAndExitReplaceItsOwn) {
  Rules("[[rule]]\ntool = \"tmux\"\nout = \"x\"\nerr = \"y\"\nexit = 3\n");
  const Ended ended = Run();
  EXPECT_EQ(ended.value, 3);
  EXPECT_EQ(ended.out, "x");
  EXPECT_EQ(ended.err, "y");
}

TEST_F(FakeBehaviour, TheFirstRuleThatFitsCounts) {
  Rules(
      "[[rule]]\ntool = \"git\"\nexit = 2\n[[rule]]\ntool = \"tmux\"\nmatch = \"kill\"\nexit = 3\n"
      "[[rule]]\ntool = \"tmux\"\nexit = 4\n[[rule]]\ntool = \"tmux\"\nexit = 5\n");
  EXPECT_EQ(Run().value, 4);
}

TEST_F(FakeBehaviour, DelayIsWaitedFor) {
  Rules("[[rule]]\ntool = \"tmux\"\ndelay_ms = 60\n");
  const auto begin = std::chrono::steady_clock::now();
  Run();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(60));
}

TEST_F(FakeBehaviour, DiesOfItsOwnSignal) {
  Rules("[[rule]]\ntool = \"tmux\"\nsignal = 9\n");
  const Ended ended = Run();
  EXPECT_TRUE(ended.signaled);
  EXPECT_EQ(ended.value, SIGKILL);
}

TEST_F(FakeBehaviour, FloodsWithSoManyBytes) {
  Rules("[[rule]]\ntool = \"tmux\"\nflood_bytes = 1000001\nexit = 0\n");
  EXPECT_EQ(Run().out.size(), 1000001u);
}

class FakeGrandchild : public FakeBehaviour {
 protected:
  // The one whose parent is `pid`.
  Start Grandchild(int pid) {
    Start found;
    Eventually([&] {
      for (const std::string& line : Journal()) {
        const Start start = ParseStart(line);
        if (start.letter == 'S' && start.ppid == pid) found = start;
      }
      return found.pid != 0;
    });
    return found;
  }
};

TEST_F(FakeGrandchild, OutlivesTheToolInItsGroup) {
  Rules("[[rule]]\ntool = \"tmux\"\ngrandchild = true\n");
  Program peek(Peek(), environment());
  const Start grandchild = Grandchild(peek.pid());
  ASSERT_NE(grandchild.pid, 0);
  EXPECT_EQ(grandchild.pgid, peek.pid());
  EXPECT_EQ(peek.Wait().value, 1);
  EXPECT_EQ(kill(grandchild.pid, 0), 0);
  kill(grandchild.pid, SIGKILL);
}

TEST_F(FakeGrandchild, LeavesTheGroupWithSetsid) {
  Rules("[[rule]]\ntool = \"tmux\"\ngrandchild = true\nsetsid = true\n");
  Program peek(Peek(), environment());
  const Start grandchild = Grandchild(peek.pid());
  ASSERT_NE(grandchild.pid, 0);
  EXPECT_EQ(grandchild.pgid, grandchild.pid);
  EXPECT_EQ(peek.Wait().value, 1);
  kill(grandchild.pid, SIGKILL);
}

TEST_F(FakeBehaviour, WrongRulesAreNamedByFileLineAndKey) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"[[rule]]\ntool = \"tmux\"\nhangs = true\n", ":3: hangs: unknown key"},
      {"[[rule]]\ntool = \"tmux\"\ndelay_ms = -1\n", ":3: delay_ms: must be an integer"},
      {"[[rule]]\ntool = \"tmux\"\nexit = 256\n", ":3: exit: must be an integer from 0 to 255"},
      {"[[rule]]\ntool = \"tmux\"\nhang = 1\n", ":3: hang: must be true or false"},
      {"[[rule]]\ntool = 1\n", ":2: tool: must be a string"},
      {"[[rule]]\nhang = true\n", ":1: tool: is missing"},
      {"[[rule]]\ntool = \"tmux\"\nsetsid = true\n", ":1: setsid: is of use only with"},
      {"[[rule]]\ntool = \"tmux\"\nforks = 17\n", ":3: forks: must be an integer from 0 to 16"},
      {"[[rule]]\ntool = \"tmux\"\nprobability = 2\n", ":3: probability: must be a number from 0"},
      {"[[rule]]\ntool = \"tmux\"\nrelease = \"x\"\n", ":3: release: must be an absolute path"},
      {"[[rule]]\ntool = \"tmux\"\nprobability = nan\n", ":3: probability: must be a number"},
      {"[[rule]]\ntool = \"tmux\"\nsignal = 19\n",
       ":3: signal: must be the number of a signal that"},
      {"[[rule]]\ntool = \"tmux\"\nsignal = 28\n",
       ":3: signal: must be the number of a signal that"},
      {"[[rule]]\ntool = \"tmux\"\ndelay_mean_ms = 86400001\n",
       ":3: delay_mean_ms: must be an integer from 0 to 86400000"},
      {"[[rule]]\ntool = \"tmux\"\nat_ms = 5\n", ":1: at_ms or at_path: is of use only with"},
      {"[[rule]]\ntool = \"tmux\"\nsleep_ms = 5\n", ":3: sleep_ms: unknown key"},
      {"[[rule]]\ntool = \"git\"\nafter = true\nlate_ms = 5\n", ":1: late_ms: is for what"},
      {"rule = 1\n", ":1: rule: must be a list"},
      {"\n\nrules = 1\n", ":3: rules: unknown key"},
      {"[[rule]\n", ":1: syntax: "},
  };
  for (const auto& [text, message] : wrong) {
    Rules(text);
    const Ended ended = Run();
    EXPECT_EQ(ended.value, 125) << text;
    EXPECT_THAT(ended.err, StartsWith(rules() + message)) << text;
  }
}

}  // namespace
}  // namespace oj::fakes
