// fake_git wraps: what the real tool says and does passes through unchanged, and rules cut in. The
// real tool is here a script that stands behind the fake on PATH, or git itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "fake_test.h"

namespace oj::fakes {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;
using Line = std::vector<std::string>;

const std::string kFakes = fs::path(OJ_FAKE_GIT).parent_path().string();

// Says what it got, NUL bytes and all, and ends as its first argument says.
constexpr const char* kScript = R"sh(#!/bin/sh
printf '%s\0' "$@"
printf 'bad \377\300 \0 bytes' >&2
echo "$$" >"$DIR/real"
echo "$PWD|$OJ_LEASE" >"$DIR/where"
case $1 in
  exit) exit "$2" ;;
  die) kill -"$2" $$ ;;
  wait) trap 'echo told >"$DIR/told"; trap - TERM; kill -TERM $$' TERM
        : >"$DIR/begun"
        while [ ! -e "$DIR/go" ]; do sleep 0.01; done
        : >"$DIR/done" ;;
esac
)sh";

class FakeGit : public FakeBehaviour {
 protected:
  void SetUp() override {
    Rules("");
    fs::create_directory(dir_.path() + "/bin");
    WriteFile(dir_.path() + "/bin/git", kScript);
    fs::permissions(dir_.path() + "/bin/git", fs::perms::owner_all);
  }
  Environment Before(const std::string& real) const {
    Environment all = environment();
    all.emplace_back("PATH", kFakes + ":" + real + ":" + std::getenv("PATH"));
    all.emplace_back("DIR", dir_.path());
    return all;
  }
  Environment Scripted() const { return Before(dir_.path() + "/bin"); }
  Ended Git(Line line) const {
    line.insert(line.begin(), kFakes + "/git");
    return RunTool(line, Scripted());
  }
  static Line Waiting() { return {kFakes + "/git", "wait"}; }
  void Rule(const std::string& keys) { Rules("[[rule]]\ntool = \"git\"\n" + keys); }
  std::string At(const std::string& name) const { return dir_.path() + "/" + name; }
  bool Appears(const std::string& name) const {
    return Eventually([&] { return fs::exists(At(name)); });
  }
  // A zombie, too: it is not this test that reaps it.
  static bool IsGone(pid_t pid) {
    const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  }
  pid_t Real() const { return std::atoi(ReadFile(At("real")).c_str()); }
  bool RealIsGone() const {
    return Eventually([&] { return IsGone(Real()); });
  }
};

TEST_F(FakeGit, ArgumentsOutputAndExitPassThroughUnchanged) {
  const Line odd{"exit", "7", "", "a b", "new\nline", "\xff\xfe", "*", "--", "-c", "'\"\\"};
  const Ended ended = Git(odd);
  std::string expected;
  for (const std::string& word : odd) expected += word + '\0';
  EXPECT_EQ(ended.value, 7);
  EXPECT_EQ(ended.out, expected);
  EXPECT_EQ(ended.err, std::string("bad \377\300 \0 bytes", 14));
  EXPECT_EQ(ReadFile(At("where")), fs::current_path().string() + "|7\n");
}

TEST_F(FakeGit, DiesOfWhatTheRealOneDiesOf) {
  for (const int number : {SIGTERM, SIGKILL, SIGSEGV, SIGPIPE}) {
    const Ended ended = Git({"die", std::to_string(number)});
    EXPECT_TRUE(ended.signaled);
    EXPECT_EQ(ended.value, number);
  }
}

TEST_F(FakeGit, JournalsItsLifeAndWhomItWaitsFor) {
  Git({"exit", "3"});
  const auto lines = Journal();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr(" 7 [\"git\",\"exit\",\"3\"] \""));
  EXPECT_THAT(lines[1], StartsWith("W "));
  EXPECT_THAT(lines[1], testing::EndsWith(" " + std::to_string(Real())));
  EXPECT_THAT(lines[2], testing::EndsWith(" 3"));
}

TEST_F(FakeGit, PassesTermOnAndTheRealOneDiesItsWay) {
  Program git(Waiting(), Scripted());
  ASSERT_TRUE(Appears("begun"));
  git.Signal(SIGTERM);
  const Ended ended = git.Wait();
  EXPECT_TRUE(ended.signaled);
  EXPECT_EQ(ended.value, SIGTERM);
  EXPECT_TRUE(Appears("told"));
}

TEST_F(FakeGit, TheRealOneDiesWithIt) {
  Program git(Waiting(), Scripted());
  ASSERT_TRUE(Appears("begun"));
  git.Signal(SIGKILL);
  git.Wait();
  EXPECT_TRUE(RealIsGone());
}

// A shell would let the signals through again.
TEST_F(FakeGit, WhoIgnoresTermMakesTheRealOneDeafToIt) {
  if (!fs::exists("/bin/sleep")) GTEST_SKIP() << "no sleep here";
  fs::remove(At("bin/git"));
  fs::create_symlink("/bin/sleep", At("bin/git"));
  Rule("ignore_term = true\n");
  Program git({kFakes + "/git", "60"}, Scripted());
  ASSERT_TRUE(Started(2));
  for (int i = 0; i < 20; ++i) ShortPause();
  kill(-git.pid(), SIGTERM);
  ASSERT_TRUE(Started(3));
  for (int i = 0; i < 20; ++i) ShortPause();
  EXPECT_TRUE(git.Running());
  kill(-git.pid(), SIGKILL);
  EXPECT_EQ(git.Wait().value, SIGKILL);
}

TEST_F(FakeGit, ExitsZeroOnTermAndTakesTheRealOneWithIt) {
  Rule("exit_zero_on_term = true\n");
  Program git(Waiting(), Scripted());
  ASSERT_TRUE(Appears("begun"));
  git.Signal(SIGTERM);
  const Ended ended = git.Wait();
  EXPECT_FALSE(ended.signaled);
  EXPECT_EQ(ended.value, 0);
  EXPECT_TRUE(RealIsGone());
}

TEST_F(FakeGit, WithoutItsWorkTheRealOneIsNotStarted) {
  Rule("exit = 5\n");
  EXPECT_EQ(Git({"exit", "0"}).value, 5);
  EXPECT_FALSE(fs::exists(At("real")));
}

TEST_F(FakeGit, OutputOfTheRealOneIsShaped) {
  Rule("cut = true\nerr = \"said\"\n");
  const Ended ended = Git({"exit", "2"});
  EXPECT_EQ(ended.value, 2);
  EXPECT_EQ(ended.out, "exi");
  EXPECT_EQ(ended.err, "sa");
}

TEST_F(FakeGit, StrikesTheRealOneWhenAPathAppears) {
  Rule("at_path = \"" + At("begun") + "\"\nsignal = 9\nlock_file = \"" + At("a.lock") + "\"\n");
  const Ended ended = RunTool(Waiting(), Scripted());
  EXPECT_TRUE(ended.signaled);
  EXPECT_EQ(ended.value, SIGKILL);
  EXPECT_TRUE(RealIsGone());
  EXPECT_TRUE(fs::exists(At("a.lock")));
}

TEST_F(FakeGit, StrikesTheRealOneAfterSoLong) {
  Rule("at_ms = 50\nexit = 4\n");
  EXPECT_EQ(RunTool(Waiting(), Scripted()).value, 4);
  EXPECT_TRUE(RealIsGone());
}

TEST_F(FakeGit, HangsInTheMiddleWithTheRealOneStopped) {
  Rule("at_path = \"" + At("begun") + "\"\nhang = true\nrelease = \"" + At("released") + "\"\n");
  Program git(Waiting(), Scripted());
  ASSERT_TRUE(Appears("begun"));
  const std::string stat = "/proc/" + std::to_string(Real()) + "/stat";
  EXPECT_TRUE(Eventually([&] { return ReadFile(stat).find(") T ") != std::string::npos; }));
  WriteFile(At("go"), "");
  for (int i = 0; i < 20; ++i) ShortPause();
  EXPECT_FALSE(fs::exists(At("done")));
  WriteFile(At("released"), "");
  EXPECT_EQ(git.Wait().value, 0);
  EXPECT_TRUE(fs::exists(At("done")));
}

TEST_F(FakeGit, TermReachesTheRealOneThatHangsInTheMiddle) {
  Rule("at_path = \"" + At("begun") + "\"\nhang = true\n");
  Program git(Waiting(), Scripted());
  ASSERT_TRUE(Appears("begun"));
  const std::string stat = "/proc/" + std::to_string(Real()) + "/stat";
  EXPECT_TRUE(Eventually([&] { return ReadFile(stat).find(") T ") != std::string::npos; }));
  git.Signal(SIGTERM);
  EXPECT_EQ(git.Wait().value, SIGTERM);
  EXPECT_TRUE(fs::exists(At("told")));
}

// It cleans up as it does on TERM, and says what it says then: nothing of the rule.
TEST_F(FakeGit, TermInTheMiddleComesBeforeWhatTheRuleHasLeftToDo) {
  Rule("at_path = \"" + At("begun") + "\"\nhang = true\nexit = 4\nflood_bytes = 10\nout = \"o\"\n");
  Program git(Waiting(), Scripted());
  ASSERT_TRUE(Appears("begun"));
  const std::string stat = "/proc/" + std::to_string(Real()) + "/stat";
  EXPECT_TRUE(Eventually([&] { return ReadFile(stat).find(") T ") != std::string::npos; }));
  git.Signal(SIGTERM);
  const Ended ended = git.Wait();
  EXPECT_TRUE(ended.signaled);
  EXPECT_EQ(ended.value, SIGTERM);
  EXPECT_EQ(ended.out, "");
  EXPECT_TRUE(fs::exists(At("told")));
}

TEST_F(FakeGit, AfterItsWorkItHangsAndDies) {
  Rule("after = true\nhang = true\n");
  Program git({kFakes + "/git", "exit", "0"}, Scripted());
  EXPECT_TRUE(Eventually([&] { return fs::exists(At("where")) && IsGone(Real()); }));
  EXPECT_TRUE(git.Running());
  git.Signal(SIGKILL);
  EXPECT_EQ(git.Wait().value, SIGKILL);
  Rule("after = true\nsignal = 11\n");
  EXPECT_EQ(Git({"exit", "0"}).value, SIGSEGV);
  Rule("after = true\nexit = 6\n");
  EXPECT_EQ(Git({"exit", "0"}).value, 6);
}

TEST_F(FakeGit, DoesItsWorkAfterItsDeath) {
  Rule("hang = true\nlate_ms = 100\n");
  Program git({kFakes + "/git", "exit", "0"}, Scripted());
  ASSERT_TRUE(Started(2));
  EXPECT_FALSE(fs::exists(At("real")));
  kill(-git.pid(), SIGKILL);
  EXPECT_EQ(git.Wait().value, SIGKILL);
  EXPECT_TRUE(Appears("where"));
}

TEST_F(FakeGit, DoesItsWorkOnceIfItLives) {
  Rule("delay_ms = 10\nlate_ms = 0\n");
  EXPECT_EQ(Git({"exit", "0"}).value, 0);
  const auto ends = [&] {
    const auto lines = Journal();
    return std::count_if(lines.begin(), lines.end(), [](const auto& l) { return l[0] == 'E'; });
  };
  EXPECT_TRUE(Eventually([&] { return ends() == 2; }));
  EXPECT_EQ(Journal().size(), 5U);  // with one start of the real one
}

// Or else two fakes would find each other for ever.
TEST_F(FakeGit, TheRealOneIsTheNextAfterIt) {
  fs::create_directory(At("before"));
  fs::copy_file(OJ_FAKE_TMUX, At("before/git"));
  Environment all = Scripted();
  for (auto& [name, value] : all) {
    if (name == "PATH") value.insert(0, At("before") + ":");
  }
  EXPECT_EQ(RunTool({kFakes + "/git", "exit", "3"}, all).value, 3);
}

TEST_F(FakeGit, WithoutARealOneItSaysSo) {
  Environment all = environment();
  all.emplace_back("PATH", kFakes);
  const Ended ended = RunTool({kFakes + "/git", "status"}, all);
  EXPECT_EQ(ended.value, 127);
  EXPECT_EQ(ended.err, "fake git: no other git on PATH\n");
}

TEST_F(FakeGit, TmuxWrapsTheRealOneIfARuleSaysSo) {
  fs::copy_file(At("bin/git"), At("bin/tmux"));
  Rules("[[rule]]\ntool = \"tmux\"\nwrap = true\n");
  EXPECT_EQ(RunTool({kFakes + "/tmux", "exit", "6"}, Scripted()).value, 6);
}

// The daemon's own command lines, on git itself.
TEST_F(FakeGit, AnswersAsGitDoes) {
  if (!fs::exists("/usr/bin/git")) GTEST_SKIP() << "no git here";
  Environment all = Before("/usr/bin");
  for (const char* each : {"AUTHOR", "COMMITTER"}) {
    all.emplace_back("GIT_" + std::string(each) + "_NAME", "a");
    all.emplace_back("GIT_" + std::string(each) + "_EMAIL", "a@b");
  }
  all.emplace_back("GIT_CONFIG_GLOBAL", "/dev/null");
  const std::string repo = At("repo");
  RunTool({"/usr/bin/git", "init", "-q", "-b", "main", repo}, all);
  WriteFile(repo + "/f\xff", "one");
  RunTool({"/usr/bin/git", "-C", repo, "add", "-A"}, all);
  RunTool({"/usr/bin/git", "-C", repo, "commit", "-q", "-m", "one"}, all);
  for (const Line& words : std::vector<Line>{
           {"rev-parse", "--path-format=absolute", "--git-common-dir"},
           {"rev-parse", "--quiet", "--verify", "--end-of-options", "none^{commit}"},
           {"worktree", "list", "--porcelain", "-z"},
           {"status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all"},
           {"ls-files", "-v", "--stage", "-z"},
           {"rev-list", "--single-worktree", "--count", "HEAD", "--not", "--all", "--"},
           {"update-ref", "-d", "refs/heads/none", std::string(40, '1')},
           {"worktree", "remove", "--force", "--force", "--", "/none"},
           {"no-such-command"}}) {
    Line line{"/usr/bin/git", "-C", repo, "--no-optional-locks", "-c", "gc.auto=0"};
    line.insert(line.end(), words.begin(), words.end());
    const Ended real = RunTool(line, all);
    line[0] = kFakes + "/git";
    const Ended fake = RunTool(line, all);
    SCOPED_TRACE(words[0]);
    EXPECT_EQ(fake.value, real.value);
    EXPECT_EQ(fake.out, real.out);
    EXPECT_EQ(fake.err, real.err);
  }
}

TEST_F(FakeGit, AWorktreeIsLeftHalfMadeWhenItsEntryAppears) {
  if (!fs::exists("/usr/bin/git")) GTEST_SKIP() << "no git here";
  Environment all = Before("/usr/bin");
  for (const char* each : {"AUTHOR", "COMMITTER"}) {
    all.emplace_back("GIT_" + std::string(each) + "_NAME", "a");
    all.emplace_back("GIT_" + std::string(each) + "_EMAIL", "a@b");
  }
  const std::string repo = At("repo");
  RunTool({"/usr/bin/git", "init", "-q", "-b", "main", repo}, all);
  RunTool({"/usr/bin/git", "-C", repo, "commit", "-q", "--allow-empty", "-m", "one"}, all);
  Rule("match = \"worktree add\"\nat_path = \"" + repo + "/.git/worktrees/w\"\nsignal = 9\n");
  // Or else git could be done before anybody looks.
  const std::string hook = repo + "/.git/hooks/reference-transaction";
  WriteFile(hook, "#!/bin/sh\n[ ! -e '" + repo + "/.git/worktrees/w' ] || exec sleep 20\n");
  fs::permissions(hook, fs::perms::owner_all);
  Program git({kFakes + "/git", "-C", repo, "worktree", "add", "-b", "w", At("w")}, all);
  EXPECT_TRUE(git.Wait().signaled);
  kill(-git.pid(), SIGKILL);
  EXPECT_TRUE(fs::exists(repo + "/.git/worktrees/w"));
  EXPECT_TRUE(fs::exists(repo + "/.git/refs/heads/w"));
}

}  // namespace
}  // namespace oj::fakes
