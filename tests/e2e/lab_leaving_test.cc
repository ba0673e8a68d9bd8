// A lab leaves nothing behind, whatever way it is left.
#include <algorithm>
#include <csignal>

#include "lab_world.h"
#include "terminal_run.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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

// A shell in a terminal, as a person has it.
class LabTerminalTest : public LabTest {
 protected:
  void Open() {
    terminal_ =
        std::make_unique<Pty>(std::vector<std::string>{OJ_HARNESS, "lab"}, Variables(), 24, 80);
  }
  void Type(const std::string& text) const { terminal_->Type(text); }

  std::unique_ptr<Pty> terminal_;
};

TEST_F(LabTerminalTest, TheEndOfInputLeavesNothing) {
  Open();
  Type("(setsid sleep 300 &); echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  Type("\004");
  EXPECT_EQ(terminal_->ExitStatus(), 0);
  ExpectNothingLeft(directory);
}

TEST_F(LabTerminalTest, AClosedTerminalLeavesNothing) {
  Open();
  Type("(setsid sleep 300 &); echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  terminal_->HangUp();
  terminal_->ExitStatus();  // of SIGHUP, or of the shell, which sees the end of its input
  ExpectNothingLeft(directory);
}

TEST_F(LabTerminalTest, AShellThatStopsItselfGoesOn) {
  Open();
  Type("echo $OJ_LAB >$T/lab\n");
  const std::string directory = Told("lab");
  Type("kill -STOP $$; echo on >$T/on\n");
  EXPECT_EQ(Told("on"), "on");
  Type("exit 0\n");
  EXPECT_EQ(terminal_->ExitStatus(), 0);
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
  EXPECT_EQ(terminal_->ExitStatus(), 5);
  ExpectNothingLeft(directory);
}

}  // namespace
}  // namespace oj::e2e
