// SimUsers: those whose work lies in the workspaces of the simulated world: what a scenario sets
// up, what they do while the daemon works, and what of it is lost in the end.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "oj/store.h"
#include "scenario/scenario.h"
#include "sim/sim_git.h"
#include "sim/sim_run.h"
#include "sim/sim_tmux.h"

namespace oj::sim {

inline constexpr std::string_view kWorkspaces = "/state/workspaces";
std::string PathOf(const std::string& workspace);

class SimUsers {
 public:
  SimUsers(SimDisk& disk, SimGit& git, SimTmux& tmux, StateSnapshot& durable)
      : disk_(disk), git_(git), tmux_(tmux), durable_(durable) {}

  // The scenario's repositories, workspaces and agents, and the records of them.
  void SetUp(const Scenario& scenario, WallMillis now);

  enum class Edit : std::uint8_t { kNone, kNewFile, kChange, kIgnoredFile, kCommit, kEdits };
  // Only where somebody can know that it is a workspace for them: not while it is being made, and
  // not one that the daemon made for an agent.
  void Do(Edit edit, const std::string& workspace);

  // A request that says `force` gives up what is in the workspaces it names, and what will be: who
  // can tell when it is carried out?
  void OnRequest(std::string_view json);

  // The power was lost: of what was written after that version nobody was told that it is safe.
  void ForgetSince(std::uint64_t version);

  // L7: what is on no disk and in no commit that a ref leads to.
  std::vector<LostWork> Lost() const;
  std::uint64_t version() const { return disk_.version(); }
  // L5: what the reply to a request that was sent at that version of the disk says was done for it,
  // and was not; or empty.
  std::string UntrueIn(const boost::json::object& reply, std::uint64_t version) const;
  // L5: what the records say of workspaces and is not so.
  std::vector<std::string> Untrue() const;
  // L7: agents whose programs run in workspaces that are not there any more.
  std::vector<std::string> Homeless() const;
  // L6: entries of worktrees that git keeps and nobody knows of.
  std::vector<std::string> Orphans() const;
  // What is left of what the twin can compare: sessions, workspaces, branches, git's entries and
  // the daemon's records, a line each, sorted.
  std::vector<std::string> Left() const;
  // L6: the disk, the repositories, the records and tmux, one line each, without times.
  std::vector<std::string> Portrait() const;

 private:
  struct Work {
    std::string workspace;
    std::string what;           // for a person
    std::string content;        // of a file, unlike any other; or empty
    std::string commit;         // or empty
    std::uint64_t version = 0;  // of the disk, with it
  };
  void SetUpWorkspace(const WorkspaceSetup& setup, WallMillis now);
  void SetUpState(const std::string& state, const std::string& id);
  void SetUpAgent(const AgentSetup& setup, WallMillis now);
  void Write(const std::string& workspace, const std::string& name);
  void Commit(const std::string& workspace);
  void GiveUp(std::string_view prefix);
  bool IsGivenUp(const std::string& workspace) const;
  bool IsThere(const Work& work, const std::set<std::string>& contents) const;
  const WorkspaceRecord* Record(const std::string& id) const;

  SimDisk& disk_;
  SimGit& git_;
  SimTmux& tmux_;
  StateSnapshot& durable_;
  std::vector<std::string> repos_;  // common directories
  std::vector<Work> works_;
  std::vector<std::string> given_up_;  // beginnings of workspaces' ids
  int written_ = 0;
};

}  // namespace oj::sim
