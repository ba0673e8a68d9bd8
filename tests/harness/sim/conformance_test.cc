// The models of git and tmux against the real tools: the same acts, one after the other, on both.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "run_tool.h"
#include "sim/sim_git.h"
#include "sim/sim_tmux.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Where git works and somebody edits.
class GitWorld {
 public:
  virtual ~GitWorld() = default;
  // git -C `directory` `words`, with what the daemon puts before them.
  virtual ToolAnswer Git(const std::string& directory, const Words& words) = 0;
  virtual void Write(const std::string& file, const std::string& text) = 0;
  virtual void Erase(const std::string& path) = 0;
  virtual void Move(const std::string& from, const std::string& to) = 0;
  virtual void CommitAll(const std::string& worktree) = 0;
  virtual void Detach(const std::string& worktree, const std::string& entry) = 0;

  std::string Id(const std::string& repo, const std::string& revision) {
    std::string id =
        Git(repo, {"rev-parse", "--quiet", "--verify", "--end-of-options", revision + "^{commit}"})
            .out;
    id.resize(std::min(id.size(), id.find('\n')));
    return id;
  }
};

Words Line(const std::string& directory, const Words& words) {
  Words line{"git", "-C", directory, "--no-optional-locks"};
  for (const char* setting : {"gc.auto=0", "maintenance.auto=false", "core.fsmonitor=false"}) {
    line.insert(line.end(), {"-c", setting});
  }
  line.insert(line.end(), words.begin(), words.end());
  return line;
}

class RealGit final : public GitWorld {
 public:
  explicit RealGit(std::string root) {
    const std::string repo = root + "/repo";
    fs::create_directories(repo);
    Must({"git", "-C", repo, "init", "-q", "-b", "main"});
    for (const auto& [name, text] :
         {std::pair{"f1", "one"}, {"f2", "two"}, {".gitignore", "*.log\n.env\n"}}) {
      Write(repo + "/" + name, text);
    }
    Must({"git", "-C", repo, "add", "-A"});
    Must({"git", "-C", repo, "commit", "-q", "-m", "one"});
  }
  ToolAnswer Git(const std::string& directory, const Words& words) override {
    const auto ended = fakes::RunTool(Line(directory, words), Environment());
    return {ended.value, ended.out, ended.err};
  }
  void Write(const std::string& file, const std::string& text) override {
    fs::create_directories(fs::path(file).parent_path());
    fakes::WriteFile(file, text);
  }
  void Erase(const std::string& path) override { fs::remove_all(path); }
  void Move(const std::string& from, const std::string& to) override { fs::rename(from, to); }
  void CommitAll(const std::string& worktree) override {
    Must({"git", "-C", worktree, "add", "-A"});
    Must({"git", "-C", worktree, "commit", "-q", "-m", "more"});
  }
  void Detach(const std::string& worktree, const std::string&) override {
    Must({"git", "-C", worktree, "checkout", "-q", "--detach"});
  }

 private:
  static fakes::Environment Environment() {
    return {{"LC_ALL", "C.UTF-8"},
            {"GIT_CONFIG_GLOBAL", "/dev/null"},
            {"GIT_CONFIG_SYSTEM", "/dev/null"},
            {"GIT_AUTHOR_NAME", "a"},
            {"GIT_AUTHOR_EMAIL", "a@b"},
            {"GIT_COMMITTER_NAME", "a"},
            {"GIT_COMMITTER_EMAIL", "a@b"}};
  }
  static void Must(const Words& words) {
    const auto ended = fakes::RunTool(words, Environment());
    EXPECT_EQ(ended.value, 0) << ended.err;
  }
};

class ModelOfGit final : public GitWorld {
 public:
  explicit ModelOfGit(const std::string& root) {
    disk_.Model(root);
    git_.CreateRepository(root + "/repo", {{"f1", "one"}, {"f2", "two"}});
  }
  ToolAnswer Git(const std::string& directory, const Words& words) override {
    GitCommand command(git_, Line(directory, words));
    while (command.Step()) {
    }
    return command.TakeAnswer();
  }
  void Write(const std::string& file, const std::string& text) override { disk_.Write(file, text); }
  void Erase(const std::string& path) override { disk_.Erase(path); }
  void Move(const std::string& from, const std::string& to) override { disk_.Rename(from, to); }
  void CommitAll(const std::string& worktree) override { git_.CommitAll(worktree); }
  void Detach(const std::string& worktree, const std::string& entry) override {
    disk_.Write(entry + "/HEAD", Id(worktree, "HEAD") + "\n");
  }

 private:
  SimDisk disk_;
  SimGit git_{disk_};
};

// Ids differ, and the subject of a commit is known to the real one only.
std::string Normal(std::string text) {
  std::replace(text.begin(), text.end(), '\0', '~');
  text = std::regex_replace(text, std::regex("[0-9a-f]{40}"), "ID");
  return std::regex_replace(text, std::regex("HEAD is now at [0-9a-f]{7}.*"), "HEAD is now at");
}

class GitConformance : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/bin/git")) GTEST_SKIP() << "no git here";
    real_ = std::make_unique<RealGit>(root_);
    model_ = std::make_unique<ModelOfGit>(root_);
  }
  // On both; "{main}" in a word is the id that main has there.
  void Alike(const std::string& directory, Words words) {
    std::string line;
    for (const std::string& word : words) line += " " + word;
    SCOPED_TRACE("git -C " + directory + line);
    const ToolAnswer real = real_->Git(directory, WordsFor(*real_, words));
    const ToolAnswer model = model_->Git(directory, WordsFor(*model_, words));
    EXPECT_EQ(model.exit, real.exit);
    EXPECT_EQ(Normal(model.out), Normal(real.out));
    EXPECT_EQ(Normal(model.err), Normal(real.err));
  }
  Words WordsFor(GitWorld& world, Words words) {
    for (std::string& word : words) {
      if (word == "{main}") word = world.Id(repo_, "refs/heads/main");
      if (word == "{HEAD}") word = world.Id(work_, "HEAD");
    }
    return words;
  }
  void Both(const std::function<void(GitWorld&)>& act) {
    act(*real_);
    act(*model_);
  }
  void AddWork() { Alike(common_, {"worktree", "add", "-b", "oj/w", work_, "{main}"}); }
  void LookAlike() {
    Alike(work_, status_);
    Alike(work_, files_);
    Alike(common_, list_);
  }

  fakes::TempDir dir_;
  const std::string root_ = fs::canonical(dir_.path()).string();
  const std::string repo_ = root_ + "/repo";
  const std::string common_ = repo_ + "/.git";
  const std::string work_ = root_ + "/trees/w";
  const Words status_{"status",
                      "--porcelain=v2",
                      "--branch",
                      "-z",
                      "--untracked-files=all",
                      "--ignored=matching",
                      "--ignore-submodules=none"};
  const Words files_{"ls-files", "-v", "--stage", "-z"};
  const Words list_{"worktree", "list", "--porcelain", "-z"};
  std::unique_ptr<GitWorld> real_;
  std::unique_ptr<GitWorld> model_;
};

TEST_F(GitConformance, FindsRepositories) {
  AddWork();
  for (const std::string& where : {repo_, common_, work_, root_, root_ + "/nowhere"}) {
    Alike(where, {"rev-parse", "--path-format=absolute", "--git-common-dir"});
    Alike(where, {"rev-parse", "--path-format=absolute", "--git-dir"});
  }
}

TEST_F(GitConformance, ResolvesRevisions) {
  for (const char* revision : {"HEAD", "refs/heads/main", "refs/heads/none"}) {
    Alike(common_, {"rev-parse", "--quiet", "--verify", "--end-of-options",
                    std::string(revision) + "^{commit}"});
  }
}

TEST_F(GitConformance, AddsAndListsWorktrees) {
  Alike(common_, list_);
  AddWork();
  LookAlike();
  // Whatever fails below has made its branch already, or not.
  Alike(common_, {"worktree", "add", "-b", "oj/w", root_ + "/trees/x", "{main}"});
  Alike(common_, {"worktree", "add", root_ + "/trees/x", "oj/w"});
  Alike(common_, {"worktree", "add", "-b", "oj/x", work_, "{main}"});
  Alike(common_,
        {"rev-parse", "--quiet", "--verify", "--end-of-options", "refs/heads/oj/x^{commit}"});
  Alike(common_, {"worktree", "add", root_ + "/trees/x", "oj/x"});
  Alike(common_, {"worktree", "add", "-b", "oj/y", root_ + "/trees/y", "nope"});
  Alike(common_, list_);
}

TEST_F(GitConformance, TellsWhatIsInAWorktree) {
  AddWork();
  Both([&](GitWorld& world) { world.Write(work_ + "/new", "n"); });
  LookAlike();
  Both([&](GitWorld& world) {
    world.Write(work_ + "/f1", "changed");
    world.Erase(work_ + "/f2");
    world.Write(work_ + "/d/deep", "n");
    world.Write(work_ + "/x.log", "n");
    world.Write(work_ + "/.env", "n");
  });
  LookAlike();
  Both([&](GitWorld& world) { world.CommitAll(work_); });
  LookAlike();
  Both([&](GitWorld& world) { world.Detach(work_, common_ + "/worktrees/w"); });
  LookAlike();
  Both([&](GitWorld& world) { world.Erase(common_ + "/worktrees/w/index"); });
  LookAlike();
}

TEST_F(GitConformance, CountsCommitsThatNoOtherRefReaches) {
  AddWork();
  const Words count{"rev-list", "--single-worktree",         "--count", "{HEAD}",
                    "--not",    "--exclude=refs/heads/oj/w", "--all",   "--"};
  const Words count_all{"rev-list", "--single-worktree", "--count", "{HEAD}", "--not", "--all",
                        "--"};
  const Words lost{"rev-list",
                   "--single-worktree",
                   "--ignore-missing",
                   "--max-count=1",
                   "{HEAD}",
                   "--not",
                   "--exclude=refs/heads/oj/w",
                   "--all",
                   "--"};
  for (int i = 0; i < 2; ++i) {
    Alike(common_, lost);
    Alike(common_, count);
    Alike(common_, count_all);
    Both([&](GitWorld& world) {
      world.Write(work_ + "/f1", "commit me " + std::to_string(i));
      world.CommitAll(work_);
    });
  }
  Alike(common_, count);
  Both([&](GitWorld& world) { world.Detach(work_, common_ + "/worktrees/w"); });
  Alike(common_, count_all);
}

TEST_F(GitConformance, DeregistersAWorktreeThatWasMovedAway) {
  AddWork();
  const std::string moved = root_ + "/trees/moved";
  Both([&](GitWorld& world) { world.Move(work_, moved); });
  Alike(moved, status_);
  Alike(moved, files_);
  Alike(common_, list_);
  Alike(common_, {"worktree", "add", "-b", "oj/again", work_, "{main}"});
  const Words remove{"worktree", "remove", "--force", "--force", "--", work_};
  Alike(common_, remove);
  Alike(common_, remove);
  Alike(moved, status_);
  Alike(moved, files_);
  Alike(common_, list_);
  Alike(common_, {"update-ref", "-d", "refs/heads/oj/w", std::string(40, '1')});
  Alike(common_, {"update-ref", "-d", "refs/heads/oj/w", "{main}"});
  Alike(common_, {"update-ref", "-d", "refs/heads/oj/w", "{main}"});
}

TEST_F(GitConformance, TreatsLockedAndBrokenWorktreesAlike) {
  AddWork();
  Both([&](GitWorld& world) { world.Write(common_ + "/worktrees/w/locked", "initializing\n"); });
  Alike(common_, list_);
  Both([&](GitWorld& world) { world.Move(work_, root_ + "/trees/moved"); });
  Alike(common_, list_);
  Alike(common_, {"worktree", "add", "-b", "oj/again", work_, "{main}"});
  Both([&](GitWorld& world) {
    world.Move(root_ + "/trees/moved", work_);
    world.Erase(work_ + "/.git");
  });
  Alike(common_, {"worktree", "remove", "--force", "--force", "--", work_});
  Both([&](GitWorld& world) { world.Write(common_ + "/worktrees/w/commondir", ""); });
  Alike(common_, list_);
  Alike(common_, {"worktree", "remove", "--force", "--force", "--", work_});
  Both([&](GitWorld& world) { world.Erase(common_ + "/worktrees/w/gitdir"); });
  Alike(common_, list_);
}

class TmuxConformance : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/bin/tmux")) GTEST_SKIP() << "no tmux here";
  }
  void TearDown() override { Real({"kill-server"}); }
  fakes::Ended Real(Words words) {
    words.insert(words.begin(), "/usr/bin/tmux");
    return fakes::RunTool(words, {{"TMUX_TMPDIR", dir_.path()}, {"LC_ALL", "C.UTF-8"}});
  }
  static std::string WithoutCode(const std::string& text) {
    return std::regex_replace(text, std::regex(" 1 0?\n"), " 1\n");
  }
  ToolAnswer Model(Words words) {
    words.insert(words.begin(), "tmux");
    return model_.Execute(words);
  }
  // A program's end is seen a little later by the real one; whether with its exit code is chance.
  void Alike(const Words& words) {
    SCOPED_TRACE(words[0]);
    const ToolAnswer model = Model(words);
    auto real = Real(words);
    if (words[0] == "list-panes") {
      fakes::Eventually(
          [&] { return WithoutCode((real = Real(words)).out) == WithoutCode(model.out); });
    }
    EXPECT_EQ(model.exit, real.value);
    EXPECT_EQ(WithoutCode(model.out), WithoutCode(real.out));
    EXPECT_EQ(model.err.substr(0, 16), real.err.substr(0, 16));  // then comes its socket
  }

  fakes::TempDir dir_;
  SimTmux model_;
};

TEST_F(TmuxConformance, TellsWhichProgramsHaveEndedAndHow) {
  const Words list{"list-panes", "-a", "-F", "#{session_name} #{pane_dead} #{pane_dead_status}"};
  const auto start = [](const char* id, const char* program, bool stays) {
    Words words{"new-session", "-d", "-s",          id,     "-c", "/tmp", "--",
                "sh",          "-c", "exec \"$0\"", program};
    if (!stays) return words;
    const std::string target = std::string("=") + id + ":";
    words.insert(words.end(), {";", "set-option", "-t", target, "remain-on-exit", "on"});
    return words;
  };
  Alike(list);
  Alike(start("a", "cat", false));
  Alike(list);
  Alike(start("b", "true", true));
  Alike(list);
  Alike(start("c", "true", false));
  Alike(list);
  Alike({"kill-session", "-t", "=b"});
  Alike(list);
  Alike({"set-option", "-t", "=none:", "remain-on-exit", "on"});
  Alike(start("d", "true", true));
  Alike(list);
  Alike({"run-shell", "-b", "true"});
  EXPECT_NE(Model(list).out.find("d 1 0\n"), std::string::npos);
  EXPECT_TRUE(fakes::Eventually([&] { return Real(list).out == Model(list).out; }));
}

}  // namespace
}  // namespace oj::sim
