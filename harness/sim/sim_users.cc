#include "sim/sim_users.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "scenario/setup_records.h"
#include "sim/memory_store.h"

namespace oj::sim {
namespace {

std::string Shown(const std::optional<std::string>& text) { return text ? *text : "-"; }

template <class List>
std::string Words(const List& list) {
  std::string text;
  for (const std::string& each : list) text += " " + each;
  return text;
}

}  // namespace

std::string PathOf(const std::string& workspace) { return WorkspacePath("", workspace); }

void SimUsers::SetUp(const Scenario& scenario, WallMillis now) {
  disk_.Model(std::string(kWorkspaces));
  for (const RepoSetup& repo : scenario.repos) {
    disk_.Model(repo.path);
    GitTree tree;
    for (int i = 1; i <= repo.files; ++i) {
      std::string name("f");
      name.append(std::to_string(i));
      tree[name] = "tracked " + name;
    }
    git_.CreateRepository(repo.path, tree);
    repos_.push_back(SimGit::CommonDir(repo.path));
  }
  for (const WorkspaceSetup& each : scenario.workspaces) SetUpWorkspace(each, now);
  for (const AgentSetup& each : scenario.agents) SetUpAgent(each, now);
}

void SimUsers::SetUpWorkspace(const WorkspaceSetup& setup, WallMillis now) {
  const std::string branch = "oj/" + setup.id;
  const std::string path = PathOf(setup.id);
  const auto is = [&setup](std::string_view state) {
    return std::find(setup.states.begin(), setup.states.end(), state) != setup.states.end();
  };
  const bool same = is("same-commit") && !works_.empty();
  git_.AddWorktree(setup.repo, path, branch, same ? works_.back().commit : "");
  for (const std::string& state : setup.states) SetUpState(state, setup.id);
  if (is("no-directory")) disk_.Erase(path);
  for (Change& each : RecordsOf(setup, "", now)) ApplyChange(std::move(each), durable_);
}

void SimUsers::SetUpState(const std::string& state, const std::string& id) {
  if (state == "untracked") Write(id, "notes.txt");
  if (state == "ignored") Write(id, ".env");
  if (state == "changed") Write(id, "f1");
  if (state == "committed") Commit(id);
  const std::string path = PathOf(id);
  for (const std::string& repo : repos_) {
    for (const GitEntry& entry : git_.Entries(repo)) {
      if (entry.path != path) continue;
      if (state == "locked") disk_.Write(entry.directory + "/locked", "in use\n");
      if (state == "merging") disk_.Write(entry.directory + "/MERGE_HEAD", entry.head + "\n");
      if (state == "detached") disk_.Write(entry.directory + "/HEAD", entry.head + "\n");
    }
  }
}

void SimUsers::SetUpAgent(const AgentSetup& setup, WallMillis now) {
  for (Change& each : RecordsOf(setup, "", now)) ApplyChange(std::move(each), durable_);
  if (setup.runs) tmux_.Create(setup.id, "");
}

const WorkspaceRecord* SimUsers::Record(const std::string& id) const {
  const auto at = std::find_if(durable_.workspaces.begin(), durable_.workspaces.end(),
                               [&id](const WorkspaceRecord& each) { return each.id == id; });
  return at == durable_.workspaces.end() ? nullptr : &*at;
}

void SimUsers::Do(Edit edit, const std::string& workspace) {
  const WorkspaceRecord* record = Record(workspace);
  const bool known =
      record != nullptr && !record->agent_id &&
      (record->status == WorkspaceStatus::kReady || record->status == WorkspaceStatus::kRemoving);
  if (!known || !disk_.Exists(record->path + "/.git")) return;
  std::string name("u");
  name.append(std::to_string(written_));
  if (edit == Edit::kNewFile) Write(workspace, name);
  if (edit == Edit::kIgnoredFile) Write(workspace, name + ".log");
  if (edit == Edit::kChange) Write(workspace, "f1");
  if (edit == Edit::kCommit) Commit(workspace);
}

// What was there before is given up for what is written now.
void SimUsers::Write(const std::string& workspace, const std::string& name) {
  const std::string file = PathOf(workspace) + "/" + name;
  const std::string before = disk_.Read(file);
  std::erase_if(works_, [&before](const Work& each) {
    return !each.content.empty() && each.content == before;
  });
  std::string content("work ");
  content.append(std::to_string(++written_)).append(" of a user");
  disk_.Write(file, content);
  if (IsGivenUp(workspace)) return;
  works_.push_back({workspace, workspace + "/" + name, content, "", disk_.version()});
}

void SimUsers::Commit(const std::string& workspace) {
  Write(workspace, "f2");
  if (!git_.HasHead(PathOf(workspace))) return;
  const std::string commit = git_.CommitAll(PathOf(workspace));
  if (IsGivenUp(workspace)) return;
  works_.push_back({workspace, "commit " + commit.substr(0, 7) + " in " + workspace, "", commit,
                    disk_.version()});
}

void SimUsers::ForgetSince(std::uint64_t version) {
  std::erase_if(works_, [version](const Work& each) { return each.version > version; });
}

void SimUsers::OnRequest(std::string_view text) {
  if (text.find("\"force\":true") == std::string_view::npos) return;
  const boost::json::value json = boost::json::parse(text);
  const boost::json::value* id = json.as_object().if_contains("id");
  GiveUp(id == nullptr ? std::string_view() : std::string_view(id->as_string()));
}

void SimUsers::GiveUp(std::string_view prefix) {
  given_up_.emplace_back(prefix);
  std::erase_if(works_, [prefix](const Work& each) { return each.workspace.starts_with(prefix); });
}

bool SimUsers::IsGivenUp(const std::string& workspace) const {
  return std::any_of(given_up_.begin(), given_up_.end(), [&workspace](const std::string& prefix) {
    return workspace.starts_with(prefix);
  });
}

bool SimUsers::IsThere(const Work& work, const std::set<std::string>& contents) const {
  if (work.commit.empty() && contents.contains(work.content)) return true;
  return std::any_of(repos_.begin(), repos_.end(), [&](const std::string& repo) {
    return work.commit.empty() ? git_.HasContent(repo, work.content)
                               : git_.IsReachable(repo, work.commit);
  });
}

std::vector<LostWork> SimUsers::Lost() const {
  std::vector<LostWork> lost;
  if (works_.empty()) return lost;
  std::set<std::string> contents;
  for (const auto& [path, node] : disk_.nodes()) contents.insert(node.content);
  for (const Work& each : works_) {
    if (!IsThere(each, contents))
      lost.push_back({each.what, each.content.size() + each.commit.size()});
  }
  return lost;
}

std::string SimUsers::UntrueIn(const boost::json::object& reply, std::uint64_t version) const {
  const std::string_view type = reply.at("type").as_string();
  if (type == "WorkspaceCreated") {
    const std::string path(reply.at("path").as_string());
    const bool was = disk_.Exists(path + "/.git") || disk_.GoneSince(path) > version;
    return was ? "" : "a reply says that '" + path + "' was made, and it was not";
  }
  for (const char* list : {"pruned", "dropped"}) {
    if (!type.starts_with("Workspace")) break;
    const boost::json::value* removed = reply.if_contains(list);
    if (removed == nullptr) continue;
    for (const boost::json::value& each : removed->as_array()) {
      const std::string path(each.at("path").as_string());
      const SimDisk::Node* node = disk_.Find(path);
      if (node == nullptr || node->since > version) continue;
      return "a reply says that '" + path + "' was removed, and it was there all the time";
    }
  }
  return "";
}

std::vector<std::string> SimUsers::Untrue() const {
  std::vector<std::string> untrue;
  for (const WorkspaceRecord& record : durable_.workspaces) {
    if (record.status != WorkspaceStatus::kReady || !disk_.Exists(record.path + "/.git")) {
      if (record.status == WorkspaceStatus::kReady) {
        untrue.push_back("workspace '" + record.id + "' is recorded as ready, and is not there");
      }
      continue;
    }
    const bool registered = std::any_of(repos_.begin(), repos_.end(), [&](const auto& repo) {
      const auto entries = git_.Entries(repo);
      return std::any_of(entries.begin(), entries.end(),
                         [&](const GitEntry& each) { return each.path == record.path; });
    });
    if (!registered) {
      untrue.push_back("workspace '" + record.id + "' is recorded as ready; git does not know it");
    }
  }
  return untrue;
}

std::vector<std::string> SimUsers::Homeless() const {
  std::vector<std::string> homeless;
  for (const AgentRecord& agent : durable_.agents) {
    const auto session = tmux_.sessions().find(agent.session_id.value_or(""));
    const bool lives =
        session != tmux_.sessions().end() && !session->second.dead && !session->second.ends;
    if (!lives || !agent.workspace_id || disk_.Exists(PathOf(*agent.workspace_id))) continue;
    homeless.push_back("agent '" + agent.id + "' runs in workspace '" + *agent.workspace_id +
                       "', which was removed");
  }
  return homeless;
}

std::vector<std::string> SimUsers::Orphans() const {
  std::vector<std::string> orphans;
  for (const std::string& repo : repos_) {
    for (const GitEntry& entry : git_.Entries(repo)) {
      if (!entry.path.starts_with(kWorkspaces) || disk_.Exists(entry.path)) continue;
      const std::string id = entry.path.substr(entry.path.rfind('/') + 1);
      const auto about = [&id](const IntentRecord& each) { return each.subject == id; };
      const auto& intents = durable_.intents;
      if (Record(id) != nullptr || std::any_of(intents.begin(), intents.end(), about)) continue;
      orphans.push_back("git keeps an entry of '" + entry.path + "', which nobody knows of");
    }
    for (const std::string& name : disk_.List(repo + "/worktrees")) {
      const std::string entry = repo + "/worktrees/" + name;
      if (!durable_.intents.empty() || disk_.Exists(entry + "/gitdir")) continue;
      orphans.push_back("a part of the entry '" + entry + "' is left, of which nobody knows");
    }
  }
  return orphans;
}

std::vector<std::string> SimUsers::Left() const {
  std::set<std::string> left;
  for (const std::string& path : disk_.Below(std::string(kWorkspaces))) {
    const std::string name = path.substr(kWorkspaces.size() + 1);
    if (!name.starts_with(".trash")) left.insert("workspace " + name.substr(0, name.find('/')));
  }
  for (const std::string& repo : repos_) {
    for (const auto& [branch, id] : git_.Branches(repo)) left.insert("branch " + branch);
    for (const std::string& each : disk_.List(repo + "/worktrees")) left.insert("entry " + each);
  }
  for (const auto& each : durable_.workspaces) left.insert("record of workspace " + each.id);
  for (const auto& each : durable_.agents) left.insert("record of agent " + each.id);
  for (const auto& [id, session] : tmux_.sessions()) left.insert("session " + id);
  return {left.begin(), left.end()};
}

std::vector<std::string> SimUsers::Portrait() const {
  std::vector<std::string> lines;
  for (const std::string& path : disk_.Below(std::string(kWorkspaces))) {
    if (!path.ends_with("/.trash")) lines.push_back(path + ": " + disk_.Read(path));
  }
  for (const std::string& repo : repos_) {
    for (const auto& [branch, id] : git_.Branches(repo)) lines.push_back(branch + " at " + id);
    for (const GitEntry& each : git_.Entries(repo)) {
      lines.push_back("entry of " + each.path + ": " + each.head + " " + each.branch + " " +
                      Shown(each.locked));
    }
  }
  for (const WorkspaceRecord& each : durable_.workspaces) {
    lines.push_back("workspace " + each.id + " " + each.repo + " " + Shown(each.branch) + " " +
                    Shown(each.agent_id) + " " + std::to_string(static_cast<int>(each.status)) +
                    " " + Shown(each.error));
  }
  for (const SessionRecord& each : durable_.sessions) {
    lines.push_back("session " + each.id + " " + Shown(each.agent_id) + " " + each.cwd + " " +
                    std::to_string(static_cast<int>(each.status)) + Words(each.command));
  }
  for (const AgentRecord& each : durable_.agents) {
    lines.push_back("agent " + each.id + " " + Shown(each.session_id) + " " +
                    Shown(each.workspace_id) + " " + std::to_string(static_cast<int>(each.status)) +
                    Words(each.command));
  }
  for (const IntentRecord& each : durable_.intents) lines.push_back("intent " + each.id);
  for (const auto& [id, session] : tmux_.sessions()) lines.push_back("tmux has " + id);
  return lines;
}

}  // namespace oj::sim
