#include "scenario/twin_setup.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "os/asio_loop.h"
#include "os/sqlite_store.h"
#include "scenario/run_bounded.h"
#include "scenario/setup_records.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

constexpr Duration kGitLimit = std::chrono::seconds(30);

// The same in every run: what is committed has the same name then.
constexpr const char* kGitConfig =
    "[user]\nname = T\nemail = t@example.com\n[init]\ndefaultBranch = main\n"
    "[advice]\ndetachedHead = false\n[commit]\ngpgSign = false\n";
constexpr const char* kDate = "2026-01-01T00:00:00Z";

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Error Unavailable(const std::string& what) { return {ErrorCode::kUnavailable, what, ""}; }

Task<void> CommitAll(Store& store, std::vector<Change> changes, Status& status) {
  auto load = store.Load();
  const auto loaded = co_await std::move(load);
  if (!loaded) {
    status = loaded.error();
    co_return;
  }
  auto commit = store.Commit(std::move(changes));
  status = co_await std::move(commit);
}

Task<void> LoadAll(Store& store, StateSnapshot& snapshot) {
  auto load = store.Load();
  auto loaded = co_await std::move(load);
  if (loaded) snapshot = std::move(*loaded);
}

bool Is(const WorkspaceSetup& setup, std::string_view state) {
  return std::find(setup.states.begin(), setup.states.end(), state) != setup.states.end();
}

}  // namespace

std::string PlacedBelow(const std::string& root, const std::string& text) {
  std::string placed;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins =
        at == 0 || std::string_view(" \"'=").find(text[at - 1]) != std::string::npos;
    const std::string_view rest = std::string_view(text).substr(at);
    if (begins && (rest.starts_with("/repos/") || rest.starts_with("/state/"))) placed += root;
    placed += text[at];
  }
  return placed;
}

TwinSetup::TwinSetup(const Scenario& scenario, std::string root, boost::process::environment env)
    : scenario_(scenario), root_(std::move(root)), env_(std::move(env)), git_(FindTool("git")) {
  env_["GIT_AUTHOR_DATE"] = kDate;
  env_["GIT_COMMITTER_DATE"] = kDate;
}

Status TwinSetup::Git(const std::string& directory, std::vector<std::string> words,
                      std::string* out) const {
  std::string told = "git -C " + directory;
  for (const std::string& word : words) told += " " + word;
  words.insert(words.begin(), {git_, "-C", directory});
  if (git_.empty()) return Unavailable("there is no git on PATH");
  std::string why;
  if (RunBounded(words, env_, kGitLimit, out, &why) != 0) {
    return Unavailable(told + " failed: " + why);
  }
  if (out != nullptr && out->ends_with('\n')) out->pop_back();
  return Ok{};
}

Status TwinSetup::Make() {
  WriteFile(root_ + "/home/.gitconfig", kGitConfig);
  for (const RepoSetup& repo : scenario_.repos) {
    if (const Status made = MakeRepo(repo); !made) return made;
  }
  std::string before;
  for (const WorkspaceSetup& each : scenario_.workspaces) {
    if (const Status made = MakeWorkspace(each, before); !made) return made;
    before = each.id;
  }
  return MakeRecords();
}

// As SimUsers does.
Status TwinSetup::MakeRepo(const RepoSetup& repo) const {
  const std::string path = root_ + repo.path;
  fs::create_directories(path);
  for (int i = 1; i <= repo.files; ++i) {
    const std::string name = "f" + std::to_string(i);
    WriteFile(path + "/" + name, "tracked " + name);
  }
  WriteFile(path + "/.gitignore", "*.log\n.env\n");
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"init", "-q"}, {"add", "."}, {"commit", "-qm", "first"}}) {
    if (const Status done = Git(path, words); !done) return done;
  }
  return Ok{};
}

// `before`: the workspace that was made before this one, or empty.
Status TwinSetup::MakeWorkspace(const WorkspaceSetup& setup, const std::string& before) const {
  const std::string path = WorkspacePath(root_, setup.id);
  fs::create_directories(fs::path(path).parent_path());
  std::vector<std::string> add = {"worktree", "add", "-q", "-b", "oj/" + setup.id, path};
  if (Is(setup, "same-commit") && !before.empty()) add.push_back("oj/" + before);
  if (const Status added = Git(root_ + setup.repo, add); !added) return added;
  for (const std::string& state : setup.states) {
    if (const Status made = MakeState(state, setup); !made) return made;
  }
  if (Is(setup, "no-directory")) fs::remove_all(path);
  return Ok{};
}

Status TwinSetup::MakeState(const std::string& state, const WorkspaceSetup& setup) const {
  const std::string path = WorkspacePath(root_, setup.id);
  const std::string work = "work of a user in " + setup.id;
  if (state == "untracked") WriteFile(path + "/notes.txt", work);
  if (state == "ignored") WriteFile(path + "/.env", work);
  if (state == "changed") WriteFile(path + "/f1", work);
  if (state == "detached") return Git(path, {"checkout", "-q", "--detach"});
  if (state == "locked") {
    return Git(root_ + setup.repo, {"worktree", "lock", "--reason", "in use", path});
  }
  if (state == "committed") {
    WriteFile(path + "/f2", work);
    if (const Status added = Git(path, {"add", "-A"}); !added) return added;
    return Git(path, {"commit", "-qm", "work"});
  }
  if (state == "merging") {
    std::string head;
    if (const Status known = Git(path, {"rev-parse", "HEAD"}, &head); !known) return known;
    WriteFile(root_ + setup.repo + "/.git/worktrees/" + setup.id + "/MERGE_HEAD", head + "\n");
  }
  return Ok{};
}

// With the daemon's own store, before the daemon has it.
Status TwinSetup::MakeRecords() const {
  const WallMillis now = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  std::vector<Change> changes;
  const auto add = [&changes](std::vector<Change> more) {
    std::move(more.begin(), more.end(), std::back_inserter(changes));
  };
  for (const WorkspaceSetup& each : scenario_.workspaces) add(RecordsOf(each, root_, now));
  for (const AgentSetup& each : scenario_.agents) add(RecordsOf(each, root_, now));
  if (changes.empty()) return Ok{};
  AsioLoop loop;
  auto store = SqliteStore::Open(loop, database());
  if (!store) return store.error();
  Status status = Ok{};
  loop.Run(CommitAll(**store, std::move(changes), status));
  return status;
}

std::vector<std::string> TwinSetup::Left() const {
  std::vector<std::string> left;
  std::error_code error;
  for (fs::directory_iterator at(root_ + "/state/workspaces", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name != ".trash") left.push_back("workspace " + name);
  }
  for (const RepoSetup& repo : scenario_.repos) {
    std::string branches;
    const Status listed = Git(
        root_ + repo.path, {"for-each-ref", "--format=%(refname:short)", "refs/heads"}, &branches);
    if (!listed) left.push_back(listed.error().message);
    std::istringstream names(branches);
    for (std::string name; std::getline(names, name);) left.push_back("branch " + name);
    for (fs::directory_iterator at(root_ + repo.path + "/.git/worktrees", error), end;
         !error && at != end; at.increment(error)) {
      left.push_back("entry " + at->path().filename().string());
    }
  }
  if (!fs::exists(database())) return left;
  AsioLoop loop;
  auto store = SqliteStore::Open(loop, database());
  StateSnapshot snapshot;
  if (store) loop.Run(LoadAll(**store, snapshot));
  for (const auto& each : snapshot.workspaces) left.push_back("record of workspace " + each.id);
  for (const auto& each : snapshot.agents) left.push_back("record of agent " + each.id);
  return left;
}

}  // namespace oj::sim
