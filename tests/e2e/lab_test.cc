// The lab: tools that misbehave to order.
#include <csignal>

#include "lab_world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(LabTest, AHangHoldsCallsUntilItIsTurnedOff) {
  const Ended ended = Lab(R"(
    oj session peek work | head -n 1
    oj-harness fault on hang tmux
    oj --timeout 20000 session peek work >$T/peek & peek=$!
    while ! oj-harness fault list | grep -q 'hang-tmux .* 1  .*1  '; do :; done
    oj --timeout 300 session peek work; echo peek $?
    oj locks
    oj-harness fault off hang tmux
    wait $peek; echo peek $?
    head -n 1 $T/peek
    exit 7)")
                          ->Wait();
  EXPECT_EQ(ended.code, 7) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("waiting for tmux"));
  EXPECT_THAT(ended.out,
              testing::MatchesRegex("(.|\n)*the build is green\non: tmux calls hang(.|\n)*"
                                    "peek 124\n(.|\n)*session:work(.|\n)*"
                                    "off: hang-tmux, after .* and 1 call; 1 call let go\n"
                                    "peek 0\n(.|\n)*the build is green\n"));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(LabTest, SlowToolsTakeTheirTimeAndAFaultEndsByItself) {
  const Ended ended = Lab(R"(
    oj-harness fault on slow git 400ms
    begin=$(date +%s%N); git --version >/dev/null; end=$(date +%s%N)
    [ $((end - begin)) -ge 400000000 ] && echo slow
    oj-harness fault on hang git --for 300ms
    git --version >/dev/null && echo over
    oj-harness fault on fail git --exit 9 --stderr 'no such luck'
    git --version; echo git $?
    oj-harness fault list
    oj-harness fault off git)")
                          ->Wait();
  EXPECT_THAT(ended.out, HasSubstr("slow\n"));
  EXPECT_THAT(ended.out, HasSubstr("over\n"));
  EXPECT_THAT(ended.out, HasSubstr("git 9\n"));
  EXPECT_THAT(ended.out, HasSubstr("git calls fail with exit status 9"));
  EXPECT_THAT(ended.out, HasSubstr("off: slow-git"));
  EXPECT_THAT(ended.out, Not(HasSubstr("off: hang-git")));
  EXPECT_THAT(ended.err, HasSubstr("no such luck"));
}

TEST_F(LabTest, TheNthCallIsCountedFromTheOrderOn) {
  const Ended ended = Lab(R"(
    for round in 1 2; do
      oj-harness fault on fail git --match version --nth 2 >/dev/null
      for call in 1 2 3; do git --version >/dev/null; echo round $round call $call: $?; done
    done
    oj-harness fault off all)")
                          ->Wait();
  for (const char* round : {"round 1", "round 2"}) {
    for (const char* end : {" call 1: 0\n", " call 2: 1\n", " call 3: 0\n"}) {
      EXPECT_THAT(ended.out, HasSubstr(std::string(round) + end));
    }
  }
  EXPECT_THAT(ended.out, HasSubstr(" and 1 call\n"));
}

TEST_F(LabTest, ARuleThatTheFakesRefuseIsToldAndNotInForce) {
  const Ended ended = Lab(R"(
    oj-harness fault on rule tmux at_ms=1; echo order $?
    git --version; echo git $?)")
                          ->Wait();
  EXPECT_THAT(ended.err, HasSubstr("at_ms or at_path: is of use only with a real tool"));
  EXPECT_THAT(ended.out, HasSubstr("order 1\n"));
  EXPECT_THAT(ended.out, HasSubstr("git 0\n"));
}

TEST_F(LabTest, NoRuleMakesAFileOutsideOfTheLab) {
  const Ended ended = Lab(R"(
    oj-harness fault on rule git lock_file=$T/x; echo order $?
    oj-harness fault on rule git lock_file=/state/../../../x; echo order $?
    oj-harness fault on rule git lock_file=/state/x; echo order $?
    git --version; ls $OJ_LAB/state/x)")
                          ->Wait();
  EXPECT_THAT(ended.err, HasSubstr("lock_file: must be below /repos/ or /state/"));
  EXPECT_THAT(ended.out,
              testing::MatchesRegex("order 2\norder 2\non: (.|\n)*order 0\n(.|\n)*/x\n"));
  EXPECT_FALSE(fs::exists(dir_ + "/x"));
}

TEST_F(LabTest, ARefusedOrderChangesNothing) {
  const Ended ended = Lab(R"(
    oj-harness fault on rule tmux exit=3 >/dev/null
    oj-harness fault on fail git --match version --nth 2 >/dev/null
    git --version >/dev/null; echo git $?
    oj-harness fault on rule tmux at_ms=1; echo order $?
    tmux -V >/dev/null; echo tmux $?
    git --version >/dev/null; echo git $?
    oj-harness fault list)")
                          ->Wait();
  EXPECT_THAT(ended.out, HasSubstr("git 0\norder 1\ntmux 3\ngit 1\n"));
  EXPECT_THAT(ended.out, HasSubstr("rule-tmux "));
  EXPECT_THAT(ended.out, HasSubstr("fail-git-version "));
}

TEST_F(LabTest, AFaultCountsItsOwnCallsOnly) {
  const Ended ended = Lab(R"(
    oj-harness fault on fail git --match version --nth 2 >/dev/null
    git --version >/dev/null
    oj-harness fault on fail git --match nothing --nth 1 >/dev/null
    oj-harness fault on grandchild git --match exec-path >/dev/null
    git --exec-path >/dev/null
    oj-harness fault on fail git --match -version --nth 1 >/dev/null
    git --version >/dev/null; echo newest $?
    git --version >/dev/null; echo third $?
    oj-harness fault off all)")
                          ->Wait();
  EXPECT_THAT(ended.out, HasSubstr("newest 1\nthird 0\n"));
  EXPECT_THAT(ended.out, testing::ContainsRegex("fail-git--version, after [^,]* and 1 call\n"));
  EXPECT_THAT(ended.out,
              testing::ContainsRegex("grandchild-git-exec-path, after [^,]* and 1 call\n"));
  EXPECT_THAT(ended.out, testing::ContainsRegex("fail-git-version, after [^,]* and 0 calls\n"));
}

TEST_F(LabTest, OnAFullDiskOrdersFailAndTheShellGoesOn) {
  if (!CanMount()) GTEST_SKIP() << "nothing can be mounted here";
  const Ended ended = MountingScript(R"(mount -t tmpfs -o size=4m none $T/tmp
    exec oj-harness lab -- /bin/sh -c '
    oj-harness fault on hang git --match exec-path
    oj-harness fault on slow git 1ms --match nothing
    git --exec-path >/dev/null & held=$!
    while ! oj-harness fault list | grep -q "exec-path .* 1  .*1  "; do :; done
    dd if=/dev/zero of=$OJ_LAB/filler bs=1k 2>/dev/null
    oj-harness fault on fail git; echo on $?
    oj-harness fault off hang; echo off $?
    git --version; echo git $?
    oj-harness fault list | grep -c hang-git
    rm $OJ_LAB/filler
    oj-harness fault off all; echo off $?
    wait $held; echo held $?')")
                          ->Wait();
  EXPECT_THAT(ended.err, HasSubstr("cannot be written"));
  EXPECT_THAT(ended.out, HasSubstr("on 1\noff 1\ngit version"));
  EXPECT_THAT(ended.out, HasSubstr("git 0\n1\n"));
  EXPECT_THAT(ended.out, testing::ContainsRegex("1 call let go\n(.|\n)*off 0\nheld 0\n"));
  EXPECT_EQ(ended.code, 0);
}

TEST_F(LabTest, WhatIsJoinedHasNothingOfTheTmuxAroundIt) {
  ASSERT_EQ(mkfifo((dir_ + "/fifo").c_str(), 0600), 0);
  const auto lab = Lab("echo $OJ_LAB >$T/lab; read -r x <$T/fifo");
  const std::string directory = Told("lab");
  const Ended joined = Script(R"(
    export TMUX=$T/outer,1,0 TMUX_PANE=%1 GIT_DIR=/nowhere OJ_TIMEOUT_IPC_MS=1
    echo 'echo in $OJ_LAB; env' | oj-harness lab join)")
                           ->Wait();
  EXPECT_THAT(joined.out, HasSubstr("in " + directory + "\n")) << joined.err;
  for (const char* name : {"TMUX=", "TMUX_PANE=", "GIT_DIR=", "OJ_TIMEOUT_IPC_MS="}) {
    EXPECT_THAT(joined.out, Not(HasSubstr(std::string("\n") + name))) << name;
  }
  for (const char* words : {"join -- true", "story.toml join", "--real join"}) {
    const Ended refused = Script(std::string("exec oj-harness lab ") + words)->Wait();
    EXPECT_EQ(refused.code, 2) << words;
    EXPECT_THAT(refused.err, HasSubstr("it is: oj-harness lab join")) << words;
  }
  EXPECT_EQ(Script("echo go >$T/fifo")->Wait().code, 0);
  EXPECT_EQ(lab->Wait().code, 0);
}

TEST_F(LabTest, ScenariosDoNotRunOnTheToolsOfALab) {
  WriteFile(dir_ + "/story.toml", R"(
worlds = ["fakes", "sim"]
[[client]]
name = "x"
steps = [{ call = { type = "Ping" } }]
)");
  const Ended ended = Lab(R"(
    oj-harness run $T/story.toml --world fakes; echo fakes $?
    oj-harness run $T/story.toml >/dev/null; echo sim $?)")
                          ->Wait();
  EXPECT_THAT(ended.out, HasSubstr("fakes 2\nsim 0\n"));
  EXPECT_THAT(ended.err, HasSubstr("run it outside the lab"));
}

TEST_F(LabTest, TheServerOfTmuxIsKilledWithItsSessions) {
  for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--real"}}) {
    const Ended ended = Lab(R"(
      oj-harness fault on hang tmux >/dev/null
      oj-harness fault on kill tmux
      oj-harness fault off all >/dev/null
      oj-harness fault on kill tmux; echo again $?
      tmux has-session -t work; echo session $?
      oj session new other --cwd / -- cat; echo new $?)",
                            options)
                            ->Wait();
    EXPECT_THAT(ended.out, HasSubstr("killed: the server of tmux"));
    EXPECT_THAT(ended.out, HasSubstr("again 1\n"));
    EXPECT_THAT(ended.out, HasSubstr("session 1\n"));
    EXPECT_THAT(ended.out, HasSubstr("new 0\n")) << ended.err;
  }
}

TEST_F(LabTest, AKilledDaemonIsFollowedByTheNextOneAndAHungOneGoesOn) {
  const Ended ended = Lab(R"(
    cp $OJ_STATE_DIR/daemon.pid $T/before
    oj-harness fault on kill daemon; oj-harness fault on kill daemon; echo again $?
    oj session peek work | head -n 1
    cmp -s $OJ_STATE_DIR/daemon.pid $T/before || echo another
    oj-harness fault on hang daemon
    oj --timeout 300 ping; echo ping $?
    oj-harness fault off daemon
    oj ping; echo ping $?)")
                          ->Wait();
  EXPECT_THAT(ended.out, HasSubstr("killed: ojd"));
  EXPECT_THAT(ended.out, HasSubstr("again 1\n"));
  EXPECT_THAT(ended.err, HasSubstr("no ojd runs here"));
  EXPECT_THAT(ended.out, HasSubstr("the build is green\n"));
  EXPECT_THAT(ended.out, HasSubstr("another\n"));
  EXPECT_THAT(ended.out, HasSubstr("ping 124\n"));
  EXPECT_THAT(ended.out, HasSubstr("ping 0\n"));
}

TEST_F(LabTest, OrdersComeFromOutsideAndTwoLabsDoNotTouchEachOther) {
  EXPECT_THAT(Harness({"fault", "list"}).err, HasSubstr("no lab runs"));
  ASSERT_EQ(mkfifo((dir_ + "/fifo").c_str(), 0600), 0);
  const auto one =
      Lab("echo $OJ_LAB >$T/one; read -r x <$T/fifo; oj --timeout 9000 session peek work");
  const std::string first = Told("one");
  EXPECT_THAT(Harness({"fault", "list"}).out, HasSubstr(first));

  const auto two = Lab("echo $OJ_LAB >$T/two; exec sleep 300");
  const std::string second = Told("two");
  const Ended vague = Harness({"fault", "on", "hang", "tmux"});
  EXPECT_EQ(vague.code, 2);
  EXPECT_THAT(vague.err, HasSubstr("--lab " + first));
  EXPECT_THAT(vague.err, HasSubstr("--lab " + second));
  EXPECT_EQ(Harness({"fault", "--lab", second, "on", "hang", "tmux"}).code, 0);
  EXPECT_THAT(Harness({"fault", "list", "--lab", first}).out, HasSubstr("no fault is on"));

  two->Signal(SIGTERM);
  EXPECT_EQ(two->Wait().code, 128 + SIGTERM);
  EXPECT_THAT(InLab(second), IsEmpty());
  EXPECT_THAT(InLab(first), Not(IsEmpty()));
  EXPECT_EQ(Script("echo go >$T/fifo")->Wait().code, 0);
  const Ended ended = one->Wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("the build is green"));
  EXPECT_THAT(Directories(), IsEmpty());
}

TEST_F(LabTest, AScenarioBringsItsSessionsAndRules) {
  WriteFile(dir_ + "/story.toml", R"(
worlds = ["fakes", "sim"]
[[session]]
id = "build"
screen = "all is well"
[[tool]]
tool = "tmux"
match = "has-session"
exit = 1
[[client]]
name = "x"
steps = [{ call = { type = "Ping" } }]
)");
  const Ended ended = Lab("oj session peek build | head -n 1; oj-harness fault list; oj-harness "
                          "fault off rule tmux",
                          {dir_ + "/story.toml"})
                          ->Wait();
  EXPECT_THAT(ended.out, HasSubstr("all is well\n"));
  EXPECT_THAT(ended.out, HasSubstr("rule-tmux-has-session"));
  EXPECT_THAT(ended.out, HasSubstr("off: rule-tmux-has-session"));
  EXPECT_THAT(Lab("true", {dir_ + "/story.toml", "--real"})->Wait().err,
              HasSubstr("not for the world real"));
}

TEST_F(LabTest, ThereIsNoLabInALab) {
  const Ended ended = Lab("oj-harness lab -- true; echo inner $?")->Wait();
  EXPECT_THAT(ended.err, HasSubstr("in a lab already"));
  EXPECT_THAT(ended.out, HasSubstr("inner 2\n"));
}

// Else the real ones would be next on PATH.
TEST_F(LabTest, WithoutBothFakesNothingRuns) {
  fs::create_directories(dir_ + "/bin");
  fs::create_directories(dir_ + "/libexec/oj/fakes");
  const fs::path programs = fs::path(OJ_HARNESS).parent_path();
  for (const char* name : {"oj-harness", "oj", "ojd"}) {
    fs::copy_file(programs / name, dir_ + "/bin/" + name);
  }
  fs::copy_file(programs / "../libexec/oj/fakes/git", dir_ + "/libexec/oj/fakes/git");
  WriteFile(dir_ + "/story.toml", R"(
worlds = ["fakes"]
[[client]]
name = "x"
steps = [{ call = { type = "Ping" } }]
)");
  for (const char* words : {"lab -- true", "run $T/story.toml --world fakes"}) {
    const Ended ended = Script(std::string("exec $T/bin/oj-harness ") + words)->Wait();
    EXPECT_EQ(ended.code, 2) << words;
    EXPECT_THAT(ended.err, HasSubstr("no fake tool " + dir_ + "/libexec/oj/fakes/tmux")) << words;
  }
  EXPECT_THAT(Directories(), IsEmpty());
}

// What a lab that was removed has left in the environment.
TEST_F(LabTest, ASocketWithoutALockIsNoLab) {
  const std::string gone = dir_ + "/tmp/gone";
  fs::create_directory(gone);
  WriteFile(gone + "/orders.sock", "");
  EXPECT_THAT(Harness({"fault", "list", "--lab", gone}).err, HasSubstr("is no lab that runs"));
}

TEST_F(LabTest, TheRealTmuxHangsGoesOnAndIsEnded) {
  const auto lab = Lab(R"(
    oj-harness fault on slow git 3s; echo slow $?
    oj-harness fault on rule tmux hang=true exit=3; echo rule $?
    oj-harness fault on hang tmux
    oj --timeout 300 session peek work; echo peek $?
    oj-harness fault off tmux
    oj session peek work | grep -c green
    oj-harness fault on hang tmux
    echo $OJ_LAB >$T/lab
    exec sleep 300)",
                       {"--real"});
  const std::string directory = Told("lab");
  lab->Signal(SIGKILL);
  const Ended ended = lab->Wait();
  EXPECT_THAT(ended.out, HasSubstr("slow 1\nrule 1\n"));
  EXPECT_THAT(ended.err, HasSubstr("the real tools do as they do"));
  EXPECT_THAT(ended.out, HasSubstr("peek 124\n"));
  ExpectNothingLeft(directory);
}

}  // namespace
}  // namespace oj::e2e
