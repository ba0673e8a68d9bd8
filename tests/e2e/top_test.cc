// oj top on a terminal: what it shows of a hung tmux, and that the terminal is given back however
// it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "terminal_run.h"
#include "world.h"

namespace oj::e2e {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

class TopTest : public testing::Test {
 protected:
  void SetUp() override {
    world_.Set("OJ_TIMEOUT_TMUX_MS", "100000");
    ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  }
  void Start(const std::vector<std::string>& argv, int rows, int columns) {
    const Environment environment = {{"TERM", "xterm"},
                                     {"LC_ALL", "C.UTF-8"},
                                     {"NO_COLOR", "1"},
                                     {"OJ_STATE_DIR", world_.state()},
                                     {"OJ_TIMEOUT_IPC_MS", "1000"}};
    top_ = std::make_unique<Pty>(argv, environment, rows, columns);
  }
  // Runs on a terminal of that size.
  void Top(int rows = 24, int columns = 80, const std::string& interval = "100") {
    Start({kClientProgram, "top", "--interval", interval}, rows, columns);
    ASSERT_TRUE(top_->Shows("requests ")) << top_->seen();
  }
  // A shell with job control, which says at once what becomes of a job.
  void Shell(const std::vector<std::string>& argv = {"/bin/bash", "--norc", "--noprofile", "-i"}) {
    Start(argv, 24, 200);
    top_->Type("set -b; PS1='at your ''service '; top='" + std::string(kClientProgram) + " top'\n");
    ASSERT_TRUE(top_->Shows("at your service ")) << top_->seen();
  }
  void Type(const std::string& line) {
    top_->Forget();
    top_->Type(line);
  }
  // The next so many pictures, or more.
  std::string Pictures(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      top_->Forget();
      EXPECT_TRUE(top_->Shows("\x1b[?2026l")) << top_->seen();
      all += top_->seen();
    }
    return all;
  }
  // The shell finds its terminal as it was.
  void ExpectUsable() {
    Type("stty -a | grep -qw -e -icanon -e -echo && echo ra''w || echo coo''ked\n");
    EXPECT_TRUE(top_->Shows("cooked")) << top_->seen();
  }
  // As a new terminal is.
  void ExpectGivenBack() {
    EXPECT_THAT(top_->seen(), EndsWith(kLeave));
    const termios settings = top_->Settings();
    EXPECT_NE(settings.c_lflag & ICANON, 0U);
    EXPECT_NE(settings.c_lflag & ECHO, 0U);
    EXPECT_NE(settings.c_lflag & ISIG, 0U);
    EXPECT_NE(settings.c_iflag & IXON, 0U);
  }

  World world_;
  std::unique_ptr<Pty> top_;
};

TEST_F(TopTest, ShowsWhoWaitsForWhomOnAHungTmux) {
  ASSERT_TRUE(world_.StartSession("work"));
  world_.Freeze();
  Top();
  auto peek = world_.StartOj({"--timeout", "60000", "session", "peek", "work"});
  ASSERT_TRUE(top_->Shows("tmux capture-pane, pid ")) << top_->seen();
  auto send = world_.StartOj({"--timeout", "60000", "session", "send", "work", "x"});
  EXPECT_TRUE(top_->Shows("└─r2")) << top_->seen();
  EXPECT_TRUE(top_->Shows("session:work, held by r1")) << top_->seen();
  EXPECT_TRUE(top_->Shows("LEASE")) << top_->seen();
  EXPECT_TRUE(top_->Shows("capture-pane -t =work")) << top_->seen();
  peek->Signal(SIGINT);
  EXPECT_EQ(peek->Wait().code, 130);
  top_->Forget();
  EXPECT_TRUE(top_->Shows("tmux send-keys, pid ")) << top_->seen();
  send->Signal(SIGINT);
  EXPECT_EQ(send->Wait().code, 130);
  top_->Type("q");
  EXPECT_EQ(top_->ExitStatus(), 0);
}

TEST_F(TopTest, QuitGivesTheTerminalBack) {
  Top();
  top_->Type("q");
  EXPECT_EQ(top_->ExitStatus(), 0);
  ExpectGivenBack();
}

TEST_F(TopTest, ControlCGivesTheTerminalBack) {
  Top();
  top_->Type("\x03");
  EXPECT_EQ(top_->ExitStatus(), 130);
  ExpectGivenBack();
}

TEST_F(TopTest, SignalsGiveTheTerminalBack) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    Top();
    kill(top_->pid(), signal);
    EXPECT_EQ(top_->ExitStatus(), 130) << signal;
    ExpectGivenBack();
  }
}

TEST_F(TopTest, HangUpOfTheTerminalEndsIt) {
  Top();
  top_->HangUp();
  EXPECT_GE(top_->ExitStatus(), 0);
}

TEST_F(TopTest, StoppedJobGivesTheTerminalBackAndGoesOn) {
  Shell();
  top_->Type("$top\n");
  ASSERT_TRUE(top_->Shows("requests 0/512")) << top_->seen();
  Type("\x1a");
  ASSERT_TRUE(top_->Shows(kLeave)) << top_->seen();
  ASSERT_TRUE(top_->Shows("at your service ")) << top_->seen();
  ExpectUsable();
  Type("fg\n");
  ASSERT_TRUE(top_->Shows("requests 0/512")) << top_->seen();
  Type("q");
  ASSERT_TRUE(top_->Shows("at your service ")) << top_->seen();
  ExpectUsable();
}

TEST_F(TopTest, StoppedJobThatIsKilledEnds) {
  Shell();
  top_->Type("$top\n");
  ASSERT_TRUE(top_->Shows("requests 0/512")) << top_->seen();
  Type("\x1a");
  ASSERT_TRUE(top_->Shows("at your service ")) << top_->seen();
  Type("kill %1\n");
  ASSERT_TRUE(Eventually([this] { return ChildrenOf(top_->pid()).empty(); })) << top_->seen();
  // The shell has told it by itself, or does now.
  top_->Type("wait %1; echo status $?\n");
  EXPECT_TRUE(top_->Shows(" 130")) << top_->seen();
}

// While it is in the background the terminal is as a shell's editor has it. This shell does not put
// the settings back by itself, as bash does.
TEST_F(TopTest, JobFromTheBackgroundLeavesTheTerminalUsable) {
  Shell({"/bin/sh", "-i"});
  Type("stty -icanon -echo; $top &\n");
  ASSERT_TRUE(Eventually([this] {
    const std::vector<pid_t> jobs = ChildrenOf(top_->pid());
    return std::any_of(jobs.begin(), jobs.end(), [](pid_t each) { return StateOf(each) == 'T'; });
  }));
  Type("stty icanon echo; fg\n");
  ASSERT_TRUE(top_->Shows("requests 0/512")) << top_->seen();
  Type("q");
  ASSERT_TRUE(top_->Shows("at your service ")) << top_->seen();
  ExpectUsable();
}

TEST_F(TopTest, NewSizeIsTaken) {
  Top(24, 200, "3600000");
  ASSERT_TRUE(top_->Shows("agents 0")) << top_->seen();
  top_->Forget();
  top_->Resize(10, 20);
  EXPECT_TRUE(top_->Shows("requests 0/512\x1b[K\r")) << top_->seen();
}

TEST_F(TopTest, DaemonThatHangsIsToldAndKeysAreHeard) {
  Top();
  kill(world_.daemon().pid(), SIGSTOP);
  EXPECT_TRUE(top_->Shows("no answer for ")) << top_->seen();
  top_->Type("q");
  EXPECT_EQ(top_->ExitStatus(), 0);
  ExpectGivenBack();
  kill(world_.daemon().pid(), SIGCONT);
}

TEST_F(TopTest, DaemonThatHasGoneIsToldAndShownWhenItIsBack) {
  Top();
  kill(world_.daemon().pid(), SIGKILL);
  world_.DaemonEnded();
  EXPECT_TRUE(top_->Shows("waiting: ojd is not running")) << top_->seen();
  top_->Forget();
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  EXPECT_TRUE(top_->Shows("requests 0/512")) << top_->seen();
}

TEST_F(TopTest, PauseKeepsThePicture) {
  ASSERT_TRUE(world_.StartSession("work"));
  world_.Freeze();
  Top();
  top_->Type(" ");
  ASSERT_TRUE(top_->Shows("paused")) << top_->seen();
  auto peek = world_.StartOj({"--timeout", "60000", "session", "peek", "work"});
  ASSERT_TRUE(Eventually([this] { return !world_.Tools().empty(); }));
  EXPECT_THAT(Pictures(4), Not(HasSubstr("PeekSession")));
  Type(" ");
  EXPECT_TRUE(top_->Shows("PeekSession")) << top_->seen();
}

TEST_F(TopTest, PauseWithoutADaemonSaysOnceThatItWaits) {
  Top();
  kill(world_.daemon().pid(), SIGKILL);
  world_.DaemonEnded();
  ASSERT_TRUE(top_->Shows("waiting: ojd is not running")) << top_->seen();
  Type(" ");
  ASSERT_TRUE(top_->Shows("paused")) << top_->seen();
  EXPECT_THAT(Pictures(4), Not(HasSubstr("waiting: waiting")));
}

TEST_F(TopTest, ArrowsScrollTheRequests) {
  ASSERT_TRUE(world_.StartSession("work"));
  world_.Freeze();
  std::vector<std::unique_ptr<Process>> peeks;
  for (int lines = 1; lines <= 8; ++lines) {
    peeks.push_back(world_.StartOj(
        {"--timeout", "60000", "session", "peek", "work", "--lines", std::to_string(lines)}));
  }
  ASSERT_TRUE(
      Eventually([this] { return world_.Status().at("requests_active").to_number<int>() == 8; }));
  Top(16);
  ASSERT_TRUE(top_->Shows(" more")) << top_->seen();
  Type("\x1b[B");
  EXPECT_TRUE(top_->Shows("1 before, ")) << top_->seen();
  Type(std::string(100, 'j'));
  EXPECT_TRUE(top_->Shows(" before, 0 more")) << top_->seen();
  Type("\x1b[A");
  EXPECT_TRUE(top_->Shows(" before, 1 more")) << top_->seen();
}

TEST_F(TopTest, OneLookWithoutATerminal) {
  const Ended once = world_.Oj({"top", "--once"});
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_THAT(once.out, HasSubstr("requests 0/512"));
  EXPECT_THAT(once.out, HasSubstr("nothing in flight"));
}

}  // namespace
}  // namespace oj::e2e
