#include <gtest/gtest.h>

#include "sim/sim_tmux.h"

namespace oj::sim {
namespace {

class SimTmuxTest : public ::testing::Test {
 protected:
  ToolAnswer Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tmux");
    return tmux.Execute(arguments);
  }
  SimTmux tmux;
};

TEST_F(SimTmuxTest, WithoutAServerEverConnectingFails) {
  const ToolAnswer answer = Run({"has-session", "-t", "=work"});
  EXPECT_EQ(answer.exit, 1);
  EXPECT_EQ(answer.err, "error connecting to /tmp/tmux-0/default (No such file or directory)\n");
}

TEST_F(SimTmuxTest, ServerGoesWithItsLastSession) {
  tmux.Create("work", "");
  EXPECT_EQ(Run({"kill-session", "-t", "=work"}).exit, 0);
  EXPECT_EQ(Run({"list-sessions"}).err, "no server running on /tmp/tmux-0/default\n");
}

TEST_F(SimTmuxTest, ServerThatPassesServesThoseWhoComeInTime) {
  tmux.Create("work", "");
  Run({"kill-session", "-t", "=work"});
  const auto serves = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tmux");
    return tmux.Execute(arguments, Passing::kServes);
  };
  EXPECT_EQ(serves({"has-session", "-t", "=work"}).err, "no current target\n");
  EXPECT_EQ(serves({"list-sessions"}).exit, 0);
  EXPECT_EQ(serves({"new-session", "-d", "-s", "next"}).exit, 0);
  EXPECT_TRUE(tmux.Has("next"));
}

TEST_F(SimTmuxTest, ServerThatPassesCarriesOutNothingForThoseWhoComeTooLate) {
  tmux.Create("work", "");
  Run({"kill-session", "-t", "=work"});
  const ToolAnswer answer =
      tmux.Execute({"tmux", "new-session", "-d", "-s", "next"}, Passing::kExits);
  EXPECT_EQ(answer.exit, 1);
  EXPECT_EQ(answer.err, "server exited unexpectedly\n");
  EXPECT_FALSE(tmux.running());
}

TEST_F(SimTmuxTest, ServerWithASessionDoesNotPass) {
  tmux.Create("work", "");
  EXPECT_EQ(tmux.Execute({"tmux", "has-session", "-t", "=work"}, Passing::kExits).exit, 0);
}

TEST_F(SimTmuxTest, ExactTargetMatchesNoPrefix) {
  tmux.Create("work12", "");
  const ToolAnswer answer = Run({"has-session", "-t", "=work"});
  EXPECT_EQ(answer.exit, 1);
  EXPECT_EQ(answer.err, "can't find session: work\n");
  EXPECT_EQ(Run({"has-session", "-t", "work"}).exit, 0) << "a bare name is a prefix";
}

TEST_F(SimTmuxTest, CaptureGivesTheScreenOfTwentyFourRows) {
  tmux.Create("work", "hello");
  const ToolAnswer answer = Run({"capture-pane", "-t", "=work:", "-p", "-S", "-40"});
  EXPECT_EQ(answer.out, "hello" + std::string(24, '\n'));
}

TEST_F(SimTmuxTest, SequenceOfSendKeysTypesTextAndEnter) {
  tmux.Create("work", "");
  const ToolAnswer answer = Run({"send-keys", "-t", "=work:", "-l", "--", "ls\\;", ";", "send-keys",
                                 "-t", "=work:", "Enter"});
  EXPECT_EQ(answer.exit, 0);
  EXPECT_EQ(tmux.sessions().at("work").screen, "ls;\n");
}

TEST_F(SimTmuxTest, SequenceStopsAtTheFirstFailure) {
  tmux.Create("work", "");
  const ToolAnswer answer =
      Run({"send-keys", "-t", "=gone:", "x", ";", "kill-session", "-t", "=work"});
  EXPECT_EQ(answer.err, "can't find session: gone\n");
  EXPECT_TRUE(tmux.Has("work"));
}

TEST_F(SimTmuxTest, NewSessionRefusesADuplicate) {
  EXPECT_EQ(Run({"new-session", "-d", "-s", "a", "-c", "/tmp", "--", "sh"}).exit, 0);
  EXPECT_EQ(Run({"new-session", "-d", "-s", "a", "--", "sh"}).err, "duplicate session: a\n");
}

}  // namespace
}  // namespace oj::sim
