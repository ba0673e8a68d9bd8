#include "git_world.h"

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

namespace oj::e2e {

namespace fs = std::filesystem;
namespace json = boost::json;

Contents ContentsOf(const std::string& directory) {
  Contents contents;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = fs::relative(at->path(), directory).string();
    if (at->is_symlink()) {
      contents[name] = "-> " + fs::read_symlink(at->path()).string();
    } else if (at->is_regular_file()) {
      contents[name] = ReadFile(at->path().string());
    }
  }
  return contents;
}

GitWorld::GitWorld(Tmux tmux) : World(tmux) {
  WriteFile(dir() + "/home/.gitconfig",
            "[user]\nname = T\nemail = t@example.com\n[init]\ndefaultBranch = main\n"
            "[advice]\ndetachedHead = false\n[commit]\ngpgSign = false\n");
  fs::create_directories(repo());
  GitSays(repo(), {"init", "-q"});
  WriteFile(repo() + "/file", "one\n");
  WriteFile(repo() + "/other", "one\n");
  WriteFile(repo() + "/.gitignore", "*.log\n");
  GitSays(repo(), {"add", "."});
  GitSays(repo(), {"commit", "-qm", "first"});
}

Ended GitWorld::Git(const std::string& directory, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"git", "-C", directory});
  return Start(arguments)->Wait();
}

std::string GitWorld::GitSays(const std::string& directory, std::vector<std::string> arguments) {
  Ended ended = Git(directory, arguments);
  if (ended.code != 0 || !ended.in_time) {
    std::fprintf(stderr, "git %s: %s\n", arguments[0].c_str(), ended.err.c_str());
    return "git failed";
  }
  if (ended.out.ends_with('\n')) ended.out.pop_back();
  return ended.out;
}

void GitWorld::Hook(const std::string& name, const std::string& script) const {
  const std::string path = repo() + "/.git/hooks/" + name;
  fs::create_directories(repo() + "/.git/hooks");
  WriteFile(path, "#!/bin/sh\n" + script);
  fs::permissions(path, fs::perms::owner_all);
}

json::object GitWorld::Ask(const json::object& request, milliseconds limit) const {
  Wire client = Connect();
  client.Send(request);
  return client.Receive(limit);
}

json::object GitWorld::Add(const std::string& name) const {
  return Ask({{"type", "WorkspaceAdd"}, {"repo", repo()}, {"name", name}});
}

json::object GitWorld::Drop(const std::string& id, const json::object& how) const {
  json::object request = how;
  request["type"] = "WorkspaceDrop";
  request["id"] = id;
  return Ask(request);
}

json::object GitWorld::Prune(const json::object& how) const {
  json::object request = how;
  request["type"] = "WorkspacePrune";
  return Ask(request);
}

json::object GitWorld::Workspace(const std::string& id) const {
  const auto reply = Ask({{"type", "Query"}, {"query", {{"type", "GetWorkspace"}, {"id", id}}}});
  const json::value* record = reply.if_contains("workspace");
  return record != nullptr && record->is_object() ? record->get_object() : json::object();
}

bool GitWorld::HasBranch(const std::string& name) {
  return Git(repo(), {"show-ref", "--verify", "--quiet", "refs/heads/" + name}).code == 0;
}

bool GitWorld::HasEntry(const std::string& workspace) {
  const std::string listed = "\n" + GitSays(repo(), {"worktree", "list", "--porcelain"}) + "\n";
  return fs::exists(EntryOf(workspace)) ||
         listed.find("\nworktree " + PathOf(workspace) + "\n") != std::string::npos;
}

bool GitWorld::IsGone(const std::string& workspace) {
  return !fs::exists(PathOf(workspace)) && !HasEntry(workspace) && Workspace(workspace).empty() &&
         Eventually([this] { return Trash().empty() && Intents().empty(); });
}

Contents GitWorld::Kept(const std::string& workspace) const {
  Contents kept = ContentsOf(PathOf(workspace));
  for (auto& [name, text] : ContentsOf(EntryOf(workspace))) kept["entry/" + name] = text;
  return kept;
}

std::vector<std::string> GitWorld::Intents() const {
  std::vector<std::string> ids;
  sqlite3* database = nullptr;
  sqlite3_stmt* rows = nullptr;
  const std::string file = state() + "/state.db";
  if (sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_busy_timeout(database, 5000) == SQLITE_OK &&
      sqlite3_prepare_v2(database, "SELECT id FROM intents ORDER BY id", -1, &rows, nullptr) ==
          SQLITE_OK) {
    while (sqlite3_step(rows) == SQLITE_ROW) {
      ids.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(rows, 0)));
    }
  } else {
    ids.emplace_back("the state file cannot be read");
  }
  sqlite3_finalize(rows);
  sqlite3_close(database);
  return ids;
}

std::vector<std::string> GitWorld::Trash() const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(state() + "/workspaces/.trash", error), end; !error && at != end;
       at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  return names;
}

std::vector<pid_t> GitWorld::Strays() const {
  std::vector<pid_t> strays;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || !IsAlive(pid)) continue;
    const std::string environment = ReadFile(entry.path().string() + "/environ");
    if (environment.find("OJ_LEASE=") != std::string::npos &&
        environment.find("HOME=" + dir() + "/home") != std::string::npos) {
      strays.push_back(pid);
    }
  }
  return strays;
}

std::vector<std::string> Ids(const json::object& reply, std::string_view list) {
  std::vector<std::string> ids;
  const json::value* all = reply.if_contains(list);
  if (all == nullptr || !all->is_array()) return ids;
  for (const json::value& each : all->get_array()) {
    ids.push_back(each.is_object() ? Text(each.get_object(), "id")
                                   : std::string(each.get_string()));
  }
  return ids;
}

}  // namespace oj::e2e
