// TwinSetup: what exists in a run on real processes before the daemon starts, and what is left of
// it when the daemon has ended: repositories, workspaces, the daemon's records.
#pragma once

#include <boost/process/environment.hpp>
#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace oj::sim {

// The paths "/repos/..." and "/state/..." of a scenario as they are below `root`, wherever in the
// text one begins after a blank, a quote or '='.
std::string PlacedBelow(const std::string& root, const std::string& text);

class TwinSetup {
 public:
  // `env` is of the daemon's tools, but `git` always the real one.
  TwinSetup(const Scenario& scenario, std::string root, boost::process::environment env);

  // Repositories and workspaces with their states; records of these and of agents. Error
  // (kUnavailable): what could not be made.
  Status Make();

  // In the words of SimResult::left, but for tmux; once the daemon has ended.
  std::vector<std::string> Left() const;

 private:
  Status Git(const std::string& directory, std::vector<std::string> words,
             std::string* out = nullptr) const;
  Status MakeRepo(const RepoSetup& repo) const;
  Status MakeWorkspace(const WorkspaceSetup& setup, const std::string& before) const;
  Status MakeState(const std::string& state, const WorkspaceSetup& setup) const;
  Status MakeRecords() const;
  std::string database() const { return root_ + "/state/state.db"; }

  const Scenario& scenario_;
  std::string root_;
  boost::process::environment env_;
  std::string git_;
};

}  // namespace oj::sim
