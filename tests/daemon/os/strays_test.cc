// Processes of a dead daemon: found by their tag, wherever they went, and ended. Each test has a
// prefix of its own, so that nothing but what it started can be meant.
#include "os/strays.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "os/proc_fs.h"
#include "process_test_support.h"

namespace oj {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr auto kLong = 10000ms;

// Polls `condition` for as long as anything here may take.
template <class Condition>
bool Soon(Condition condition) {
  for (const auto end = std::chrono::steady_clock::now() + kLong; !condition();) {
    if (std::chrono::steady_clock::now() > end) return false;
    usleep(1000);
  }
  return true;
}

// A shell of this test's. The destructor ends and reaps it.
class Shell {
 public:
  Shell(const std::string& tag, const std::string& script, std::size_t more_environment = 0) {
    std::vector<std::string> environment{"PATH=/usr/bin:/bin"};
    environment.push_back("MORE=" + std::string(more_environment, '.'));
    if (!tag.empty()) environment.push_back("OJ_LEASE=" + tag);
    std::vector<char*> names;
    for (std::string& each : environment) names.push_back(each.data());
    names.push_back(nullptr);
    std::string sh = "sh", c = "-c", text = script;
    char* argv[] = {sh.data(), c.data(), text.data(), nullptr};
    if (posix_spawn(&pid_, "/bin/sh", nullptr, nullptr, argv, names.data()) != 0) pid_ = 0;
    // It is let go a moment before its memory is its own: until then its tag is that of the test.
    Soon([&] { return LeaseOf(pid_) == tag; });
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

class StraysTest : public ::testing::Test {
 protected:
  pid_t PidIn(const std::string& name) {
    pid_t pid = 0;
    Soon([&] { return (std::ifstream(dir_.path() / name) >> pid) && pid > 0; });
    return pid;
  }

  const test::TempDirectory dir_;
  // Of a daemon with a state directory that nobody else has.
  const std::string prefix_ = LeasePrefix(dir_.path() / "state");
};

TEST_F(StraysTest, ATreeIsEndedWithWhatLeftItsGroupAndWhatIgnoresSigterm) {
  const std::string file = dir_.path() / "escaped";
  Shell tree(prefix_ + "1.r-7", "trap '' TERM; setsid sh -c 'echo $$ > " + file +
                                    "; trap \"\" TERM HUP; while :; do sleep 100; done' & wait");
  const pid_t escaped = PidIn("escaped");
  ASSERT_GT(escaped, 0);
  ASSERT_NE(escaped, tree.pid());

  EXPECT_THAT(EndStrays(prefix_, kLong), IsEmpty());

  EXPECT_FALSE(test::Lives(tree.pid()));
  EXPECT_FALSE(test::Lives(escaped));
}

TEST_F(StraysTest, AllLivesOfTheDaemonAreMeantAndNoOtherDaemons) {
  Shell of_one_life(prefix_ + "1.r-7", "exec sleep 100");
  Shell of_another(prefix_ + "2.r-1", "exec sleep 100");
  Shell of_another_daemon(LeasePrefix(dir_.path() / "state2") + "1.r-7", "exec sleep 100");
  Shell of_nobody("", "exec sleep 100");

  EXPECT_THAT(EndStrays(prefix_, kLong), IsEmpty());

  EXPECT_FALSE(test::Lives(of_one_life.pid()));
  EXPECT_FALSE(test::Lives(of_another.pid()));
  EXPECT_TRUE(test::Lives(of_another_daemon.pid()));
  EXPECT_TRUE(test::Lives(of_nobody.pid()));
  // What this one started: it has the tag, too.
  EXPECT_THAT(EndStrays(LeasePrefix(dir_.path() / "state2"), kLong), IsEmpty());
}

// One that is found may have forked between the look and the kill.
TEST_F(StraysTest, ATreeThatForksWithoutEndIsEndedWhole) {
  const std::filesystem::path marks = dir_.path() / "marks";
  std::filesystem::create_directory(marks);
  const auto generations = [&] {
    return std::distance(std::filesystem::directory_iterator(marks), {});
  };
  Shell storm(prefix_ + "1.r-7", "n=0; next() { [ $n -gt 2000 ] && return; n=$((n+1)); : >" +
                                     marks.string() + "/$n; sleep 0.001; (next) & exit; }; next");
  ASSERT_TRUE(Soon([&] { return generations() > 2; }));

  EXPECT_THAT(EndStrays(prefix_, kLong), IsEmpty());

  const auto seen = generations();
  usleep(50000);
  EXPECT_EQ(generations(), seen) << "somebody goes on";
  EXPECT_LT(seen, 2000) << "it had ended by itself";
}

// In the middle of an exec a process has no tag, and what is read of its environment may end early.
TEST_F(StraysTest, OneThatExecsWithoutEndIsEnded) {
  const std::string file = dir_.path() / "hop";
  std::ofstream(file) << "exec sh " << file << "\n";
  for (std::size_t round = 0; round < 60; ++round) {
    Shell hopper(prefix_ + "1.r-7", "exec sh " + file, round % 3 * 50'000);
    EXPECT_THAT(EndStrays(prefix_, kLong), IsEmpty());
    ASSERT_FALSE(test::Lives(hopper.pid())) << "in round " << round;
  }
}

TEST_F(StraysTest, WhatIsAliveAtTheLimitIsTold) {
  // It starts no other program, in the middle of which its tag could not be read.
  Shell held(prefix_ + "1.r-7", "kill -STOP $$");
  // No time for it to be dead in: what was signalled counts until it is seen to be gone.
  EXPECT_THAT(EndStrays(prefix_, 0ms), Contains(Field(&Stray::pid, held.pid())));
  EXPECT_TRUE(Soon([&] { return !test::Lives(held.pid()); }));
}

TEST_F(StraysTest, NobodyThereIsNoWait) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_THAT(EndStrays(prefix_, kLong), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, kLong);
}

TEST(LeasePrefix, IsTheSameForADirectoryInEveryLifeAndOfNoOther) {
  EXPECT_EQ(LeasePrefix("/state"), LeasePrefix("/state"));
  EXPECT_NE(LeasePrefix("/state"), LeasePrefix("/state2"));
  // No prefix of a prefix: they are of one length.
  EXPECT_EQ(LeasePrefix("/state").size(), LeasePrefix("").size());
}

}  // namespace
}  // namespace oj
