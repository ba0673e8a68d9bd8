// A World with a real repository: a bare origin is not needed, one commit is.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "world.h"

namespace oj::e2e {

// Of a directory: what every file in it holds, and where every link leads.
using Contents = std::map<std::string, std::string>;
Contents ContentsOf(const std::string& directory);

class GitWorld : public World {
 public:
  // The repository has one commit on `main`: file, other, and .gitignore with "*.log".
  explicit GitWorld(Tmux tmux = Tmux::kReal);

  std::string repo() const { return dir() + "/repo"; }
  std::string PathOf(const std::string& workspace) const {
    return state() + "/workspaces/" + workspace;
  }
  // Where the repository keeps what is the worktree's own: its index, its HEAD.
  std::string EntryOf(const std::string& workspace) const {
    return repo() + "/.git/worktrees/" + workspace;
  }

  Ended Git(const std::string& directory, std::vector<std::string> arguments);
  // As Git, which must succeed; what it says, without the last line's end.
  std::string GitSays(const std::string& directory, std::vector<std::string> arguments);
  // A hook of the repository, a shell script.
  void Hook(const std::string& name, const std::string& script) const;

  // On a connection of its own.
  boost::json::object Ask(const boost::json::object& request,
                          milliseconds limit = milliseconds(30000)) const;
  boost::json::object Add(const std::string& name) const;
  boost::json::object Drop(const std::string& id, const boost::json::object& how = {}) const;
  boost::json::object Prune(const boost::json::object& how = {}) const;
  boost::json::object Workspace(const std::string& id) const;  // empty: no record

  bool HasBranch(const std::string& name);
  bool HasEntry(const std::string& workspace);
  // No directory, no entry, no record; nothing in the trash, soon.
  bool IsGone(const std::string& workspace);
  // Everything of a user's in the workspace, and all that git keeps for it.
  Contents Kept(const std::string& workspace) const;
  // Of the state file: "add:w1", ...
  std::vector<std::string> Intents() const;
  std::vector<std::string> Trash() const;
  // Processes of this world's daemons, dead or alive, other than the daemon and tmux servers.
  std::vector<pid_t> Strays() const;
};

// The ids in a reply's list of objects with an id, or of strings.
std::vector<std::string> Ids(const boost::json::object& reply, std::string_view list);

}  // namespace oj::e2e
