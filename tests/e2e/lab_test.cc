// The lab: tools that misbehave to order, and nothing that stays, whatever way it is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "process.h"

namespace oj::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string VariableOf(const std::string& pid, const std::string& name) {
  const std::string text = ReadFile("/proc/" + pid + "/environ");
  for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) {
    const std::string entry = text.substr(at, text.find('\0', at) - at);
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
  }
  return "";
}

// "pid command" of all that live and were started in the lab.
std::vector<std::string> InLab(const std::string& lab) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    const pid_t number = std::atoi(pid.c_str());
    if (number <= 0 || VariableOf(pid, "OJ_LAB") != lab || !IsAlive(number)) continue;
    found.push_back(pid + " " + ReadFile("/proc/" + pid + "/cmdline"));
  }
  return found;
}

bool Runs(const std::string& lab, const std::string& program) {
  const std::vector<std::string> all = InLab(lab);
  return std::any_of(all.begin(), all.end(), [&program](const std::string& each) {
    return each.substr(each.find(' ') + 1).starts_with(program + '\0');
  });
}

pid_t GuardianOf(pid_t lab) {
  for (const pid_t child : ChildrenOf(lab)) {
    if (ReadFile("/proc/" + std::to_string(child) + "/comm") == "oj-lab-guard\n") return child;
  }
  return 0;
}

// All labs of a test are in a directory of its own for temporary files: it finds no others.
class LabTest : public testing::Test {
 protected:
  LabTest() {
    std::string path = (fs::temp_directory_path() / "oj-e2e-XXXXXX").string();
    if (mkdtemp(path.data()) != nullptr) dir_ = path;
    fs::create_directory(dir_ + "/tmp");
    unsetenv("OJ_LAB");
  }
  ~LabTest() override {
    std::error_code ignored;  // a lab that a test has killed may be going just now
    fs::remove_all(dir_, ignored);
  }

  Environment Variables() const {
    return {{"TMPDIR", dir_ + "/tmp"},
            {"SHELL", "/bin/sh"},
            {"T", dir_},
            {"PATH", fs::path(OJ_HARNESS).parent_path().string() + ":" + getenv("PATH")}};
  }
  std::unique_ptr<Process> Start(std::vector<std::string> words) {
    words.insert(words.begin(), OJ_HARNESS);
    return std::make_unique<Process>(words, Variables(),
                                     dir_ + "/out" + std::to_string(++started_));
  }
  Ended Harness(const std::vector<std::string>& words) { return Start(words)->Wait(); }
  std::unique_ptr<Process> Script(const std::string& script) {
    return std::make_unique<Process>(std::vector<std::string>{"/bin/sh", "-c", script}, Variables(),
                                     dir_ + "/out" + std::to_string(++started_));
  }
  // In a shell that may mount what it likes.
  std::unique_ptr<Process> MountingScript(const std::string& script) {
    const std::string options = geteuid() == 0 ? "-m" : "-rm";
    WriteFile(dir_ + "/mounting.sh", script);
    return Script("exec unshare " + options + " /bin/sh $T/mounting.sh");
  }
  bool CanMount() { return MountingScript("mount -t tmpfs none $T/tmp")->Wait().code == 0; }
  // A lab in which a script runs.
  std::unique_ptr<Process> Lab(const std::string& script, std::vector<std::string> options = {}) {
    options.insert(options.begin(), "lab");
    for (const char* word : {"--", "/bin/sh", "-c"}) options.emplace_back(word);
    options.push_back(script);
    return Start(options);
  }
  // What a script has written to $T/NAME.
  std::string Told(const std::string& name) {
    Eventually([&] { return ReadFile(dir_ + "/" + name).ends_with('\n'); }, kLong);
    std::string text = ReadFile(dir_ + "/" + name);
    return text.substr(0, text.find('\n'));
  }
  std::vector<std::string> Directories() const {
    std::vector<std::string> all;
    for (const auto& each : fs::directory_iterator(dir_ + "/tmp")) all.push_back(each.path());
    return all;
  }
  void ExpectNothingLeft(const std::string& lab) {
    ASSERT_THAT(lab, HasSubstr("oj-lab-"));
    EXPECT_TRUE(Eventually([&] { return InLab(lab).empty() && Directories().empty(); }, kLong));
    EXPECT_THAT(InLab(lab), IsEmpty());
    EXPECT_THAT(Directories(), IsEmpty());
  }

  static constexpr milliseconds kLong{20000};
  std::string dir_;
  int started_ = 0;
};

// Everything that is hard to get rid of: calls that hang and are deaf to TERM, a child that has
// left its session, a program of the user's that has as well.
constexpr const char* kMess = R"(
  oj-harness fault on hang tmux --ignore-term
  oj-harness fault on grandchild git --setsid
  git --version
  oj --timeout 60000 session peek work &
  setsid sleep 300 &
  while ! oj-harness fault list | grep -q 'hang-tmux .* 1  .*1  '; do :; done
  echo $OJ_LAB >$T/lab
)";
constexpr const char* kMessThenWait = "exec sleep 300";

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
  const auto lab = Lab("echo $OJ_LAB >$T/lab; read -r x <$T/fifo");
  ASSERT_EQ(mkfifo((dir_ + "/fifo").c_str(), 0600), 0);
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
  WriteFile(dir_ + "/fifo", "go\n");
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
  const auto one =
      Lab("echo $OJ_LAB >$T/one; read -r x <$T/fifo; oj --timeout 9000 session peek work");
  ASSERT_EQ(mkfifo((dir_ + "/fifo").c_str(), 0600), 0);
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
  WriteFile(dir_ + "/fifo", "go\n");
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

TEST_F(LabTest, LeavingByTheEndOfTheShellLeavesNothing) {
  const auto lab = Lab(kMess);
  EXPECT_TRUE(lab->Wait().in_time);
  ExpectNothingLeft(Told("lab"));
}

class LabSignalTest : public LabTest, public testing::WithParamInterface<int> {};

TEST_P(LabSignalTest, LeavingLeavesNothing) {
  const auto lab = Lab(std::string(kMess) + kMessThenWait);
  const std::string directory = Told("lab");
  ASSERT_GE(InLab(directory).size(), 5u);
  lab->Signal(GetParam());
  const Ended ended = lab->Wait();
  EXPECT_EQ(ended.code, GetParam() == SIGKILL ? SIGKILL : 128 + GetParam());
  ExpectNothingLeft(directory);
}

INSTANTIATE_TEST_SUITE_P(By, LabSignalTest, testing::Values(SIGTERM, SIGHUP, SIGKILL),
                         [](const auto& each) { return std::string(sigabbrev_np(each.param)); });

TEST_F(LabTest, AGuardianThatDiesIsReplaced) {
  const auto lab = Lab(std::string(kMess) + kMessThenWait);
  const std::string directory = Told("lab");
  const pid_t guardian = GuardianOf(lab->pid());
  ASSERT_GT(guardian, 0);
  kill(guardian, SIGKILL);
  ASSERT_TRUE(Eventually([&] {
    const pid_t next = GuardianOf(lab->pid());
    return next != 0 && next != guardian;
  }));
  lab->Signal(SIGKILL);
  ExpectNothingLeft(directory);
}

TEST_F(LabTest, WhatALabAndItsGuardianLeftTheNextLabCleans) {
  const auto lab = Lab(std::string(kMess) + kMessThenWait);
  const std::string directory = Told("lab");
  const pid_t guardian = GuardianOf(lab->pid());
  ASSERT_GT(guardian, 0);
  // Stopped, so that it does not see the other one die.
  kill(guardian, SIGSTOP);
  lab->Signal(SIGKILL);
  lab->Wait();
  kill(guardian, SIGKILL);
  ASSERT_TRUE(Eventually([&] { return !IsAlive(guardian); }));
  ASSERT_THAT(InLab(directory), Not(IsEmpty()));
  ASSERT_TRUE(fs::exists(directory));
  EXPECT_THAT(Harness({"fault", "list"}).err, HasSubstr("no lab runs"));

  const Ended next = Lab("oj ping")->Wait();
  EXPECT_EQ(next.code, 0) << next.err;
  EXPECT_THAT(next.err, HasSubstr("removed " + directory));
  ExpectNothingLeft(directory);
}

// Anybody can make what has the name of a lab.
TEST_F(LabTest, OnlyADirectoryOfItsOwnIsTakenForALab) {
  const std::string treasure = dir_ + "/treasure";
  fs::create_directory(treasure);
  fs::permissions(treasure, fs::perms::owner_all);
  WriteFile(treasure + "/lock", "");
  WriteFile(treasure + "/file", "gold");
  fs::create_directory_symlink(treasure, dir_ + "/tmp/oj-lab-follow");
  fs::copy(treasure, dir_ + "/tmp/oj-lab-opened");
  fs::permissions(dir_ + "/tmp/oj-lab-opened", fs::perms::owner_all | fs::perms::others_all);
  const Ended ended = Lab("exit 3")->Wait();
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, Not(HasSubstr("had died")));
  EXPECT_EQ(ReadFile(treasure + "/file"), "gold");
  EXPECT_EQ(ReadFile(dir_ + "/tmp/oj-lab-opened/file"), "gold");
}

TEST_F(LabTest, WhatDiedBeforeItHadALockIsRemoved) {
  const std::string old = dir_ + "/tmp/oj-lab-oldone";
  const std::string young = dir_ + "/tmp/oj-lab-newone";
  for (const std::string& each : {old, young}) {
    fs::create_directory(each);
    fs::permissions(each, fs::perms::owner_all);
    WriteFile(each + "/lock.new", "");
  }
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_THAT(Lab("true")->Wait().err, HasSubstr("removed " + old));
  EXPECT_THAT(Directories(), testing::ElementsAre(young));
}

TEST_F(LabTest, WhatCannotBeRemovedIsToldAndTheNextLabRemovesIt) {
  if (!CanMount()) GTEST_SKIP() << "nothing can be mounted here";
  const Ended ended = MountingScript(R"(exec oj-harness lab -- /bin/sh -c '
    mount -t tmpfs none $OJ_LAB/home && echo $OJ_LAB >$T/lab')")
                          ->Wait();
  const std::string lab = Told("lab");
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr(lab + " is left"));
  EXPECT_TRUE(fs::exists(lab + "/lock"));
  EXPECT_THAT(Lab("true")->Wait().err, HasSubstr("removed " + lab));
  ExpectNothingLeft(lab);
}

TEST_F(LabTest, ClosedStandardStreamsAreNotTheGuardians) {
  const Ended ended = Script(R"(exec oj-harness lab -- /bin/sh -c '
    for i in 1 2 3 4 5 6 7 8 9 10; do oj ping || exit 1; done
    echo $OJ_LAB >$T/lab; exit 7' <&- >&- 2>&-)")
                          ->Wait();
  EXPECT_EQ(ended.code, 7);
  ExpectNothingLeft(Told("lab"));
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
  EXPECT_THAT(ended.out, HasSubstr("slow 1\n"));
  EXPECT_THAT(ended.err, HasSubstr("the real tools do as they do"));
  EXPECT_THAT(ended.out, HasSubstr("peek 124\n"));
  ExpectNothingLeft(directory);
}

// A shell in a terminal, as a person has it.
class LabTerminalTest : public LabTest {
 protected:
  void Open() {
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ != 0) return;
    for (const auto& [name, value] : Variables()) setenv(name.c_str(), value.c_str(), 1);
    execl(OJ_HARNESS, OJ_HARNESS, "lab", nullptr);
    _exit(127);
  }
  ~LabTerminalTest() override {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (terminal_ >= 0) close(terminal_);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  void Type(const std::string& text) {
    EXPECT_EQ(write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool Ends() {
    const bool ended =
        Eventually([this] { return waitpid(pid_, &status_, WNOHANG) == pid_; }, kLong);
    if (ended) pid_ = -1;
    return ended;
  }

  int terminal_ = -1;
  pid_t pid_ = -1;
  int status_ = 0;
};

TEST_F(LabTerminalTest, TheEndOfInputLeavesNothing) {
  Open();
  Type("(setsid sleep 300 &); echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  Type("\004");
  EXPECT_TRUE(Ends());
  EXPECT_EQ(status_, 0);
  ExpectNothingLeft(directory);
}

TEST_F(LabTerminalTest, AClosedTerminalLeavesNothing) {
  Open();
  Type("(setsid sleep 300 &); echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  close(terminal_);
  terminal_ = -1;
  EXPECT_TRUE(Ends());
  ExpectNothingLeft(directory);
}

TEST_F(LabTerminalTest, AShellThatStopsItselfGoesOn) {
  Open();
  Type("echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  Type("kill -STOP $$; echo on >$T/on\n");
  EXPECT_EQ(Told("on"), "on");
  Type("exit 0\n");
  EXPECT_TRUE(Ends());
  ExpectNothingLeft(directory);
}

TEST_F(LabTerminalTest, ControlCIsTheShellsAndNotTheLabs) {
  Open();
  Type("echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  Type("sleep 300\n");
  // The shell's child loses what comes before it is the program.
  ASSERT_TRUE(Eventually([&] { return Runs(directory, "sleep"); }, kLong));
  Type("\003");
  Type("oj ping && echo yes >$T/pinged\n");
  EXPECT_EQ(Told("pinged"), "yes");
  Type("exit 5\n");
  EXPECT_TRUE(Ends());
  EXPECT_EQ(WEXITSTATUS(status_), 5);
  ExpectNothingLeft(directory);
}

}  // namespace
}  // namespace oj::e2e
