// SimProcesses: the processes of the simulated world and the tools that they are: they live, hang,
// obey signals and die whether or not a daemon is there. Pids are never used twice in a run.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oj/process_host.h"
#include "sim/behaviour.h"
#include "sim/sim_git.h"
#include "sim/sim_loop.h"
#include "sim/sim_run.h"
#include "sim/sim_tmux.h"
#include "trace/trace.h"

namespace oj::sim {

class SimChild;
class SimProcesses;
struct SimTree;

struct SimProcess {
  enum class State : std::uint8_t { kAlive, kZombie, kReaped };

  SimProcess(SimProcesses& owner, SimTree& belongs, int number)
      : world(owner), tree(belongs), pid(number), work(*this), death(*this) {}
  void OnWork();
  void OnDeath();

  SimProcesses& world;
  SimTree& tree;
  const int pid;
  State state = State::kAlive;
  bool escaped = false;  // left group and session
  bool doomed = false;   // a SIGKILL is under way
  int status = 0;        // exit code or -signal, once it has ended or is about to
  WorldTimer<SimProcess, &SimProcess::OnWork> work;
  WorldTimer<SimProcess, &SimProcess::OnDeath> death;
};

// What one spawn began: the leader and its descendants, and their output.
struct SimTree {
  SimTree(SimProcesses& owner, const ProcessSpec& spec);
  void OnLateOutput();

  SimProcesses& world;
  std::vector<std::string> argv;
  std::string line;  // joined by blanks
  std::size_t tool;  // into SimProcesses' tools
  bool tagged;
  std::uint64_t request = 0;  // by the tag; 0: unknown
  std::uint32_t life = 0;     // the daemon's incarnation
  std::size_t output_limit;
  Behaviour behaviour;
  std::unique_ptr<GitCommand> git;   // what a git has begun
  Instant began;                     // the leader
  std::optional<Instant> git_began;  // its work
  bool misstepped = false;           // it died in the middle of its work
  enum class Trouble : std::uint8_t { kAhead, kWaits, kOver };
  Trouble trouble = Trouble::kAhead;
  bool worked = false;  // there is nothing left to be done for a dead one
  bool said = false;    // it has written what it had to say
  int exit = 0;         // with which it is to end then
  ToolAnswer unsaid;    // what it writes slowly, as yet
  bool dripping = false;
  std::vector<SimProcess*> members;  // the leader first
  SimProcess* heir = nullptr;        // one of them: of the work of a git that dies before it
  int forks = 0;                     // made
  std::string out;
  std::string err;
  bool flooded = false;
  bool late = false;          // the end of the output is still on its way
  SimChild* child = nullptr;  // the daemon's handle, while it has one
  WorldTimer<SimTree, &SimTree::OnLateOutput> late_output;

  SimProcess& leader() { return *members.front(); }
};

class SimProcesses {
 public:
  SimProcesses(SimLoop& loop, Decisions& decisions, Trace& trace, const Scenario& scenario,
               SimTmux& tmux, SimGit& git);
  ~SimProcesses();

  // Begins a tree at once.
  SimTree& Start(const ProcessSpec& spec, const Behaviour& behaviour);
  // Before it is planned: how long it stands in a queue, by the rules.
  Duration Queue(const ProcessSpec& spec) const;
  Behaviour Plan(const ProcessSpec& spec);
  // The pid of a living leader that runs `program` in one of the directories (as `-C` says), or 0.
  int FindUser(const std::string& program, const std::vector<std::string>& directories) const;
  // From a tree's handle. What has left the group is signalled only once the leader has ended: the
  // daemon's host knows it when it has adopted it.
  void Signal(SimTree& tree, int signal);
  void ReapMembers(SimTree& tree);
  void Reap(SimProcess& process);
  // The handle has gone without a reap: the daemon's host kills the tree; a dead daemon does not.
  void Abandon(SimTree& tree);

  void BeginLife(std::uint32_t life);
  // What the start of a daemon does to what has a tag of an earlier life: kills it once more.
  // False: some of it lives.
  bool EndStrays();
  bool TmuxHangs() const { return tools_[0].hung > 0; }
  // One of them that lives: "process 7"; or empty.
  std::string Stray() const;
  void EndLife() { life_ended_ = true; }
  // All end at once, and nobody reaps them.
  void PowerOff();
  // Faults stop: windows that were drawn end; those of the scenario stay.
  void Calm();
  std::vector<LeftProcess> Left() const;
  // The pids, ascending, of those that may have answered otherwise than their tool.
  void ListMisanswers(std::vector<std::uint64_t>& to);
  std::size_t armed_timers() const;

 private:
  friend struct SimProcess;
  friend struct SimTree;
  // A tool whose server may not answer for a while; who asked meanwhile is served in that order.
  struct Tool {
    std::string name;
    int hung = 0;  // windows that are open
    bool clients_ignore_term = false;
    std::vector<SimTree*> waiting;
  };
  class Window;

  bool IsStray(const SimTree& tree) const;
  void StrikeAll(SimTree& tree, int signal, bool escaped);
  SimProcess& Add(SimTree& tree, bool escaped);
  // What tools do is in tool_work.cc.
  void Work(SimTree& tree);
  // One step of a git's work; false: it goes on later, or never.
  bool WorkAsGit(SimTree& tree);
  // Of a git that died before its work, by a process that it left.
  void WorkLate(SimProcess& process);
  // The rule's trouble. True: the leader waits, or ends, and does not go on with its work.
  bool IsTroubled(SimTree& tree);
  void LeaveLock(const SimTree& tree);
  bool IsAmid(const SimTree& tree);  // the moment of the trouble has come
  // What the leader does where nothing keeps it from it; `alive` false: only the effect is left.
  void Perform(SimTree& tree, bool alive);
  void Say(SimTree& tree, ToolAnswer answer);
  void SaySlowly(SimTree& tree);
  void Finish(SimTree& tree);
  void Write(SimTree& tree, ToolAnswer answer);
  void Flood(SimTree& tree, std::size_t bytes);
  void Exit(SimProcess& process, int status);
  void BeginByRule(SimTree& tree);
  void Inherit(SimTree& tree);
  void DismissHeir(SimTree& tree);
  void OnEnded(SimProcess& process);
  void CloseOutput(SimTree& tree);
  void Strike(SimProcess& process, int signal);
  void Open(Tool& tool, bool ignore_term);
  void Shut(Tool& tool);
  void Resume(Tool& tool);
  void DrawHang(SimTree& tree);
  ToolAnswer AskTmux(SimTree& tree);
  // What clients asked for who are dead, as their rules say.
  void KeepPromises();
  Passing DrawPassing(SimTree& tree);

  SimLoop& loop_;
  Decisions& decisions_;
  Trace& trace_;
  SimTmux& tmux_;
  SimGit& git_;
  Behaviours behaviours_;
  std::vector<Tool> tools_;  // tmux, git, others
  std::vector<std::unique_ptr<Window>> windows_;
  std::optional<Instant> tmux_emptied_;  // when its last session went
  std::vector<SimTree*> promises_;       // of tmux clients whose change may come late
  int last_pid_ = 1000;
  std::uint32_t life_ = 0;
  bool life_ended_ = false;
  std::deque<SimTree> trees_;
  std::deque<SimProcess> processes_;
};

}  // namespace oj::sim
