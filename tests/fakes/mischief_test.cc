// Behaviours that are drawn, spoil the output, leave something behind, or strike late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fake_test.h"

namespace oj::fakes {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class FakeMischief : public FakeBehaviour {
 protected:
  void Rule(const std::string& keys) { Rules("[[rule]]\ntool = \"tmux\"\n" + keys); }
  Ended Tmux(std::vector<std::string> line) {
    line.insert(line.begin(), OJ_FAKE_TMUX);
    return RunTool(line, environment());
  }
  std::string Say(const std::string& keys) {
    Rule("exit = 0\nout = \"0123456789\\n\"\n" + keys);
    return Run().out;
  }
  // As bits: which of the calls the rule was for.
  std::string Drawn(const std::string& keys, int calls) {
    std::filesystem::remove_all(state());
    std::filesystem::create_directory(state());
    Rule("exit = 9\n" + keys);
    std::string bits;
    Environment environment{{"OJ_FAKE_RULES", rules()}, {"OJ_FAKE_STATE", state()}};
    for (int i = 0; i < calls; ++i) {
      bits += RunTool(Peek(), environment).value == 9 ? '1' : '0';
    }
    return bits;
  }
  std::string state() const { return dir_.path() + "/drawn"; }
};

TEST_F(FakeMischief, ProbabilityIsDrawnFromTheSeed) {
  constexpr int kCalls = 60;
  const std::string first = Drawn("probability = 0.5\nseed = 3\n", kCalls);
  EXPECT_EQ(Drawn("probability = 0.5\nseed = 3\n", kCalls), first);
  EXPECT_NE(Drawn("probability = 0.5\nseed = 4\n", kCalls), first);
  const auto ones = std::count(first.begin(), first.end(), '1');
  EXPECT_GT(ones, kCalls / 5);
  EXPECT_LT(ones, kCalls * 4 / 5);
  EXPECT_EQ(Drawn("probability = 0\n", 5), "00000");
  EXPECT_EQ(Drawn("probability = 1.0\n", 5), "11111");
}

TEST_F(FakeMischief, WithoutAPlaceToCountInADrawIsRefused) {
  Rule("probability = 0.5\n");
  const Ended ended = RunTool(Peek(), {{"OJ_FAKE_RULES", rules()}});
  EXPECT_EQ(ended.value, 125);
  EXPECT_THAT(ended.err, HasSubstr("OJ_FAKE_STATE"));
}

TEST_F(FakeMischief, CutOutputLosesItsHalfAndItsNewline) {
  EXPECT_EQ(Say("cut = true\n"), "01234");
  Rule("exit = 0\nout = \"ab\\n\\n\\n\\n\"\ncut = true\n");
  EXPECT_EQ(Run().out, "ab");
}

TEST_F(FakeMischief, NonUtf8OutputBeginsWithBytesThatAreNone) {
  EXPECT_EQ(Say("non_utf8 = true\n"),
            "\xff\xc3\x28\x80"
            "0123456789\n");
}

TEST_F(FakeMischief, DripsSoManyBytesASecond) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Say("bytes_per_s = 100\n"), "0123456789\n");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
}

TEST_F(FakeMischief, ForksSoManyInItsGroup) {
  Rule("forks = 5\n");
  Program peek(Peek(), environment());
  peek.Wait();
  std::vector<pid_t> children;  // known, though it did not wait for anything else
  for (const std::string& line : Journal()) {
    const Start start = ParseStart(line);
    if (start.letter != 'S' || start.ppid != peek.pid()) continue;
    EXPECT_EQ(start.pgid, peek.pid());
    children.push_back(start.pid);
  }
  EXPECT_EQ(children.size(), 5U);
  for (const pid_t child : children) EXPECT_EQ(kill(child, SIGKILL), 0);
}

TEST_F(FakeMischief, LeavesALockFileBehind) {
  const std::string lock = dir_.path() + "/index.lock";
  Rule("signal = 9\nlock_file = \"" + lock + "\"\n");
  EXPECT_EQ(Run().value, SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(lock));
}

TEST_F(FakeMischief, RulesThatChangeCountForTheNextCall) {
  Rule("exit = 3\n");
  EXPECT_EQ(Run().value, 3);
  Rule("exit = 4\n");
  EXPECT_EQ(Run().value, 4);
}

// Each makes a session whose program ends at once, and says in time that the session stays.
TEST_F(FakeMischief, AServerServesOneClientAtATime) {
  constexpr int kClients = 8;
  constexpr int kRounds = 10;
  Rules("");
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::unique_ptr<Program>> clients;
    for (int i = 0; i < kClients; ++i) {
      const std::string name = "s" + std::to_string(round) + "-" + std::to_string(i);
      const std::vector<std::string> line{
          OJ_FAKE_TMUX,     "new-session", "-d",         "-s", name, "--",
          "true",           ";",           "set-option", "-w", "-t", "=" + name + ":",
          "remain-on-exit", "on"};
      clients.push_back(std::make_unique<Program>(line, environment()));
    }
    for (const auto& client : clients) EXPECT_EQ(client->Wait().value, 0);
  }
}

class FakeLateEffect : public FakeMischief {
 protected:
  void Begin() {
    Rules("");
    EXPECT_EQ(Tmux({"new-session", "-d", "-s", "work", "--", "sleep", "600"}).value, 0);
  }
  // A client, or that one.
  bool HasPromised(pid_t client = 0) const {
    const std::string suffix = client == 0 ? "" : "-" + std::to_string(client);
    std::error_code none;
    const std::filesystem::directory_iterator promises(dir_.path() + "/promises", none);
    // One that is still being written is hidden.
    return std::any_of(begin(promises), end(promises), [&suffix](const auto& promise) {
      const std::string name = promise.path().filename().string();
      return name.front() != '.' && name.ends_with(suffix);
    });
  }
  // A client that hangs with the server, and is killed.
  void HangAndKill(const std::string& keys, int signal) {
    Begin();
    Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"send-keys\"\n" + keys);
    Program client({OJ_FAKE_TMUX, "send-keys", "-t", "=work:", "-l", "--", "late"}, environment());
    const bool late = keys.find("late_ms") != std::string::npos;
    ASSERT_TRUE(late ? Eventually([&] { return HasPromised(); }) : Started(3));
    for (int i = 0; i < 10; ++i) ShortPause();
    EXPECT_EQ(Screen(), "");
    client.Signal(signal);
    client.Wait();
  }
  std::string Screen() {
    const std::string out = Run().out;
    return out.substr(0, out.find('\n'));
  }
};

TEST_F(FakeLateEffect, AServerDoesWhatAKilledClientAskedOfIt) {
  HangAndKill("hang = true\nlate_ms = 0\n", SIGKILL);
  EXPECT_EQ(Screen(), "late");
  EXPECT_EQ(Screen(), "late");
}

TEST_F(FakeLateEffect, NotBeforeItIsDueOrReleased) {
  const std::string file = dir_.path() + "/released";
  HangAndKill("hang = true\nlate_ms = 0\nrelease = \"" + file + "\"\n", SIGTERM);
  EXPECT_EQ(Screen(), "");
  WriteFile(file, "");
  EXPECT_EQ(Screen(), "late");
}

TEST_F(FakeLateEffect, WithoutTheRuleTheRequestDiesWithItsClient) {
  HangAndKill("hang = true\n", SIGKILL);
  EXPECT_EQ(Screen(), "");
}

TEST_F(FakeLateEffect, AHungServerHoldsUpWhateverRuleACallFollowsAndDoesItLate) {
  Begin();
  const std::string hung = dir_.path() + "/hung.tmux";
  Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"list-sessions\"\nexit = 7\n");
  WriteFile(hung, "\n");
  Program killed({OJ_FAKE_TMUX, "send-keys", "-t", "=work:", "-l", "--", "late"}, environment());
  ASSERT_TRUE(Eventually([&] { return HasPromised(); }));
  Program asked({OJ_FAKE_TMUX, "list-sessions"}, environment());
  killed.Signal(SIGKILL);
  killed.Wait();
  for (int i = 0; i < 10; ++i) ShortPause();
  EXPECT_TRUE(asked.Running());
  std::filesystem::remove(hung);
  EXPECT_EQ(asked.Wait().value, 7);
  EXPECT_EQ(Screen(), "late");
}

TEST_F(FakeLateEffect, AClientOfAHungServerExitsZeroOnTermUnlessItIsDeafToIt) {
  Begin();
  const std::string hung = dir_.path() + "/hung.tmux";
  for (const bool deaf : {false, true}) {
    WriteFile(hung, deaf ? "ignore_term\n" : "\n");
    Program client({OJ_FAKE_TMUX, "list-sessions"}, environment());
    ASSERT_TRUE(Eventually([&] { return HasPromised(client.pid()); }));
    client.Signal(SIGTERM);
    if (deaf) {
      for (int i = 0; i < 10; ++i) ShortPause();
      EXPECT_TRUE(client.Running());
      std::filesystem::remove(hung);
    }
    EXPECT_EQ(client.Wait().value, 0);
  }
}

TEST_F(FakeLateEffect, AServerThatHangsIsNotAskedByWhoIsToDieBeforeItsWork) {
  Begin();
  const std::string hung = dir_.path() + "/hung.tmux";
  for (const std::string end : {"exit = 3", "signal = 9"}) {
    Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"send-keys\"\n" + end + "\n");
    WriteFile(hung, "\n");
    Program client({OJ_FAKE_TMUX, "send-keys", "-t", "=work:", "-l", "--", "x"}, environment());
    const std::string start = "S " + std::to_string(client.pid()) + " ";
    ASSERT_TRUE(Eventually([&] { return ReadFile(journal()).find(start) != std::string::npos; }));
    for (int i = 0; i < 20; ++i) ShortPause();
    EXPECT_FALSE(HasPromised()) << end;
    std::filesystem::remove(hung);
    client.Wait();
    EXPECT_EQ(Screen(), "");
  }
}

TEST_F(FakeLateEffect, AClientThatLivesHasItsEffectOnce) {
  Begin();
  Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"send-keys\"\ndelay_ms = 30\nlate_ms = 0\n");
  EXPECT_EQ(Tmux({"send-keys", "-t", "=work:", "-l", "--", "once"}).value, 0);
  EXPECT_EQ(Screen(), "once");
}

}  // namespace
}  // namespace oj::fakes
