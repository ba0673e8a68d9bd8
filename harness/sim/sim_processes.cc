#include "sim/sim_processes.h"

#include <algorithm>
#include <span>

#include "sim/sim_process_host.h"
#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kSigkill = 9, kSigterm = 15;
constexpr Duration kDeath = microseconds(200);      // from a signal to the end
constexpr Duration kStranger = milliseconds(3000);  // the life of what nobody is to kill
constexpr Duration kHangs[] = {milliseconds(80), milliseconds(700), milliseconds(3000),
                               milliseconds(9000)};

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Joined by blanks.
std::string Join(std::span<const std::string> words) {
  std::size_t size = 0;
  for (const std::string& each : words) size += each.size() + 1;
  std::string line;
  line.reserve(size);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) line += ' ';
    line += words[i];
  }
  return line;
}

// "<instance>.r<N>"
std::uint64_t RequestOf(std::string_view tag) {
  const std::size_t at = tag.rfind(".r");
  std::uint64_t number = 0;
  if (at == std::string_view::npos) return 0;
  for (const char c : tag.substr(at + 2)) number = number * 10 + static_cast<unsigned>(c - '0');
  return number;
}

}  // namespace

void SimProcess::OnWork() {
  if (this == &tree.leader()) {
    world.Work(tree);
  } else {
    world.WorkLate(*this);
  }
}
void SimProcess::OnDeath() { world.OnEnded(*this); }
void SimTree::OnLateOutput() {
  late = false;
  world.CloseOutput(*this);
}

SimTree::SimTree(SimProcesses& owner, const ProcessSpec& spec)
    : world(owner),
      argv(spec.argv),
      line(Join(argv)),
      tool(0),
      tagged(!spec.lease_tag.empty()),
      request(RequestOf(spec.lease_tag)),
      output_limit(spec.output_limit),
      late_output(*this) {}

// The time during which a tool's server does not answer.
class SimProcesses::Window {
 public:
  Window(SimProcesses& world, std::uint64_t number, Tool& tool, const Hang& hang, bool lasting)
      : world_(world),
        number_(number),
        tool_(tool),
        hang_(hang),
        lasting_(lasting),
        begin_(*this),
        end_(*this) {
    if (lasting) world_.loop_.Arm(begin_, Deadline(Instant(hang.from)));
  }
  void Begin() { OnBegin(); }
  // Ends what was drawn; what the scenario says stays.
  void Calm() {
    if (!lasting_ && open_) OnEnd();
  }
  std::size_t armed() const {
    return static_cast<std::size_t>(begin_.armed()) + static_cast<std::size_t>(end_.armed());
  }

 private:
  void OnBegin() {
    open_ = true;
    world_.trace_.Add(world_.loop_.Now(), TraceKind::kFaultBegan, number_, 0, 0,
                      hang_.tool + " hangs");
    if (hang_.until) world_.loop_.Arm(end_, Deadline(Instant(*hang_.until)));
    world_.Open(tool_, hang_.ignore_term);
  }
  void OnEnd() {
    open_ = false;
    end_.Disarm();
    world_.trace_.Add(world_.loop_.Now(), TraceKind::kFaultEnded, number_, 0, 0, "");
    world_.Shut(tool_);
  }

  SimProcesses& world_;
  std::uint64_t number_;
  Tool& tool_;
  const Hang hang_;
  bool lasting_;
  bool open_ = false;
  WorldTimer<Window, &Window::OnBegin> begin_;
  WorldTimer<Window, &Window::OnEnd> end_;
};

SimProcesses::SimProcesses(SimLoop& loop, Decisions& decisions, Trace& trace,
                           const Scenario& scenario, SimTmux& tmux, SimGit& git)
    : loop_(loop),
      decisions_(decisions),
      trace_(trace),
      tmux_(tmux),
      git_(git),
      behaviours_(scenario, decisions) {
  tools_.resize(3);
  tools_[0].name = "tmux";
  tools_[1].name = "git";
  for (const Hang& hang : scenario.hangs) {
    Tool& tool = tools_[hang.tool == "git" ? 1 : 0];
    windows_.push_back(std::make_unique<Window>(*this, windows_.size() + 1, tool, hang, true));
  }
}

SimProcesses::~SimProcesses() = default;

Duration SimProcesses::Queue(const ProcessSpec& spec) const {
  if (!behaviours_.queue()) return {};
  return behaviours_.Queue(BaseName(spec.argv[0]), Join(std::span(spec.argv).subspan(1)));
}

Behaviour SimProcesses::Plan(const ProcessSpec& spec) {
  const std::string arguments = Join(std::span(spec.argv).subspan(1));
  return behaviours_.Next(BaseName(spec.argv[0]), arguments, !spec.lease_tag.empty());
}

SimTree& SimProcesses::Start(const ProcessSpec& spec, const Behaviour& behaviour) {
  SimTree& tree = trees_.emplace_back(*this, spec);
  const std::string_view name = BaseName(tree.argv[0]);
  tree.tool = name == tools_[0].name ? 0 : name == tools_[1].name ? 1 : 2;
  tree.behaviour = behaviour;
  tree.life = life_;
  tree.began = loop_.Now();
  SimProcess& leader = Add(tree, false);
  loop_.Arm(leader.work, Deadline::After(loop_.Now(), behaviour.delay));
  if (behaviour.grandchild) Add(tree, behaviour.setsid);
  if (behaviour.rule != nullptr) BeginByRule(tree);
  return tree;
}

// What the rule says of the beginning, but for its delay.
void SimProcesses::BeginByRule(SimTree& tree) {
  const ToolRule& rule = *tree.behaviour.rule;
  for (int i = 0; i < rule.forks; ++i) Add(tree, false);
  if (rule.late && tree.tool == 0) promises_.push_back(&tree);
  if (rule.late && tree.tool == 1) tree.heir = &Add(tree, true);
  if (tree.behaviour.moment != Behaviour::Moment::kBefore) return;
  LeaveLock(tree);
  tree.trouble = SimTree::Trouble::kWaits;
}

SimProcess& SimProcesses::Add(SimTree& tree, bool escaped) {
  SimProcess& process = processes_.emplace_back(*this, tree, ++last_pid_);
  process.escaped = escaped;
  tree.members.push_back(&process);
  const bool known = tree.tagged || !escaped;
  const int group = escaped ? process.pid : tree.leader().pid;
  trace_.Add(loop_.Now(), TraceKind::kProcessStarted, static_cast<std::uint64_t>(process.pid),
             known ? tree.request : 0, group, tree.line);
  if (!known) {  // as a tmux server does, it belongs to nobody; but a run must come to rest
    loop_.Arm(process.death, Deadline::After(loop_.Now(), kStranger));
  }
  return process;
}

int SimProcesses::FindUser(const std::string& program,
                           const std::vector<std::string>& directories) const {
  for (const SimTree& tree : trees_) {
    const SimProcess& leader = *tree.members.front();
    if (leader.state != SimProcess::State::kAlive || tools_[tree.tool].name != program) continue;
    const auto option = std::find(tree.argv.begin(), tree.argv.end(), "-C");
    if (tree.argv.end() - option < 2) continue;
    const std::string& at = *(option + 1);
    for (const std::string& each : directories) {
      if (at == each || at.starts_with(each + "/")) return leader.pid;
    }
  }
  return 0;
}

void SimProcesses::DrawHang(SimTree& tree) {
  if (tools_[0].hung > 0 || !tmux_.running()) return;
  const auto n = static_cast<std::uint32_t>(1 + std::size(kHangs));
  const std::uint32_t choice = decisions_.Pick(sites::kTmuxHangs, tree.behaviour.entity, n);
  if (choice == 0) return;
  Hang hang;
  hang.tool = "tmux";
  hang.from = loop_.Now().time_since_epoch();
  hang.until = hang.from + kHangs[choice - 1];
  windows_.push_back(std::make_unique<Window>(*this, windows_.size() + 1, tools_[0], hang, false));
  windows_.back()->Begin();
}

void SimProcesses::OnEnded(SimProcess& process) {
  process.work.Disarm();
  process.state = SimProcess::State::kZombie;
  trace_.Add(loop_.Now(), TraceKind::kProcessEnded, static_cast<std::uint64_t>(process.pid), 0,
             process.status, "");
  SimTree& tree = process.tree;
  if (&process == &tree.leader()) {
    if (tree.behaviour.late_output > Duration::zero()) {
      tree.late = true;
      loop_.Arm(tree.late_output, Deadline::After(loop_.Now(), tree.behaviour.late_output));
    }
    if (tree.behaviour.rule != nullptr) Inherit(tree);
    if (tree.child != nullptr) tree.child->OnLeaderEnded();
  }
  CloseOutput(tree);
  // Without a handle the daemon's host, or init, reaps whoever ends.
  if (tree.child == nullptr) ReapMembers(tree);
  if (tree.child == nullptr && process.state == SimProcess::State::kZombie) Reap(process);
}

// The heir of a git that died before it began does its work.
void SimProcesses::Inherit(SimTree& tree) {
  SimProcess* heir = tree.heir;
  if (heir == nullptr || tree.git != nullptr) return;
  if (heir->state != SimProcess::State::kAlive || heir->death.armed()) return;
  const Instant due = std::max(loop_.Now(), tree.began + *tree.behaviour.rule->late);
  loop_.Arm(heir->work, Deadline(due));
}

// It does its work itself, or says that it does not.
void SimProcesses::DismissHeir(SimTree& tree) {
  SimProcess* heir = tree.heir;
  if (heir != nullptr && heir->state == SimProcess::State::kAlive) Exit(*heir, 0);
}

void SimProcesses::CloseOutput(SimTree& tree) {
  if (tree.child == nullptr || tree.late) return;
  const bool held = std::any_of(tree.members.begin(), tree.members.end(), [](SimProcess* each) {
    return each->state == SimProcess::State::kAlive;
  });
  if (!held) tree.child->OnOutputClosed();
}

void SimProcesses::Signal(SimTree& tree, int signal) {
  StrikeAll(tree, signal, tree.leader().state != SimProcess::State::kAlive);
}

// The members are those at the time of the signal: what is forked then is not struck. `escaped`:
// also those that have left the group.
void SimProcesses::StrikeAll(SimTree& tree, int signal, bool escaped) {
  const std::size_t count = tree.members.size();
  const bool forks = tree.forks < tree.behaviour.forks &&
                     std::any_of(
                         tree.members.begin(), tree.members.end(),
                         [](SimProcess* each) {
                           return each->state == SimProcess::State::kAlive && !each->doomed;
                         });
  if (forks) {
    ++tree.forks;
    Add(tree, false);
  }
  for (std::size_t i = 0; i < count; ++i) {
    SimProcess& each = *tree.members[i];
    if (each.escaped && !(escaped && tree.tagged)) continue;
    if (each.state == SimProcess::State::kAlive) Strike(each, signal);
  }
}

void SimProcesses::Strike(SimProcess& process, int signal) {
  trace_.Add(loop_.Now(), TraceKind::kProcessSignaled, static_cast<std::uint64_t>(process.pid), 0,
             signal, "");
  if (process.doomed) return;
  const Behaviour& how = process.tree.behaviour;
  const Tool& tool = tools_[process.tree.tool];
  Duration wait = kDeath;
  if (signal == kSigterm) {
    const bool pending =
        &process == &process.tree.leader() && how.uninterruptible > Duration::zero();
    if (how.ignore_term || pending || (tool.hung > 0 && tool.clients_ignore_term)) return;
    SimTree& tree = process.tree;
    const bool cleans = &process == &tree.leader() && !how.exit_zero_on_term;
    if (cleans && tree.git != nullptr) tree.git->OnTerm();
    // A client of a hung tmux server exits 0 then.
    const bool zero = how.exit_zero_on_term || (process.tree.tool == 0 && tool.hung > 0);
    process.status = zero ? 0 : -kSigterm;
  } else {
    process.doomed = true;
    process.status = -kSigkill;
    const std::uint32_t slow = decisions_.Pick(sites::kSlowDeath, how.entity, 3);
    if (slow > 0) wait = slow == 1 ? milliseconds(3) : milliseconds(30);
    if (&process == &process.tree.leader()) wait += how.uninterruptible;
  }
  process.work.Disarm();
  loop_.Arm(process.death, Deadline::After(loop_.Now(), wait));
}

void SimProcesses::ReapMembers(SimTree& tree) {
  for (SimProcess* each : tree.members) {
    if (each != &tree.leader() && each->state == SimProcess::State::kZombie) Reap(*each);
  }
}

void SimProcesses::Reap(SimProcess& process) {
  process.state = SimProcess::State::kReaped;
  trace_.Add(loop_.Now(), TraceKind::kProcessReaped, static_cast<std::uint64_t>(process.pid), 0, 0,
             "");
}

void SimProcesses::Abandon(SimTree& tree) {
  tree.child = nullptr;
  if (!life_ended_) StrikeAll(tree, kSigkill, true);
  ReapMembers(tree);
  if (tree.leader().state == SimProcess::State::kZombie) Reap(tree.leader());
}

void SimProcesses::BeginLife(std::uint32_t life) {
  life_ = life;
  life_ended_ = false;
}

bool SimProcesses::EndStrays() {
  for (SimTree& tree : trees_) {
    if (IsStray(tree)) StrikeAll(tree, kSigkill, true);
  }
  return Stray().empty();
}

std::string SimProcesses::Stray() const {
  const auto stray = std::find_if(trees_.begin(), trees_.end(),
                                  [this](const SimTree& each) { return IsStray(each); });
  return stray == trees_.end() ? "" : "process " + std::to_string(stray->members.front()->pid);
}

// It is alive, and has a tag of an earlier life.
bool SimProcesses::IsStray(const SimTree& tree) const {
  return tree.life != life_ && tree.tagged &&
         std::any_of(tree.members.begin(), tree.members.end(), [](const SimProcess* each) {
           return each->state == SimProcess::State::kAlive;
         });
}

void SimProcesses::PowerOff() {
  for (SimProcess& each : processes_) {
    each.work.Disarm();
    each.death.Disarm();
    if (each.state == SimProcess::State::kAlive) {
      trace_.Add(loop_.Now(), TraceKind::kProcessEnded, static_cast<std::uint64_t>(each.pid), 0,
                 -kSigkill, "");
    }
    if (each.state != SimProcess::State::kReaped) Reap(each);
  }
  for (SimTree& tree : trees_) tree.late_output.Disarm();
  for (Tool& tool : tools_) tool.waiting.clear();
  promises_.clear();
}

void SimProcesses::ListMisanswers(std::vector<std::uint64_t>& to) {
  for (SimTree& tree : trees_) {
    if (tree.misstepped || tree.behaviour.Misanswers())
      to.push_back(static_cast<std::uint64_t>(tree.leader().pid));
  }
}

void SimProcesses::Open(Tool& tool, bool ignore_term) {
  ++tool.hung;
  tool.clients_ignore_term = tool.clients_ignore_term || ignore_term;
}

void SimProcesses::Shut(Tool& tool) {
  if (--tool.hung > 0) return;
  tool.clients_ignore_term = false;
  Resume(tool);
}

// What was asked of a server is done now, whether or not the one who asked still lives.
void SimProcesses::Resume(Tool& tool) {
  const std::vector<SimTree*> waiting = std::exchange(tool.waiting, {});
  for (SimTree* tree : waiting) {
    const SimProcess& leader = tree->leader();
    const bool alive = leader.state == SimProcess::State::kAlive && !leader.death.armed();
    if (&tool == &tools_[0]) {
      Perform(*tree, alive);
    } else if (alive) {  // no server of git's does it for a dead one
      Work(*tree);
    }
  }
}

void SimProcesses::Calm() {
  for (std::size_t i = 0; i < windows_.size(); ++i) windows_[i]->Calm();
}

std::vector<LeftProcess> SimProcesses::Left() const {
  std::vector<LeftProcess> left;
  for (const SimProcess& each : processes_) {
    if (each.state == SimProcess::State::kReaped) continue;
    // The start of a session by a dead daemon is nobody's, as the server that it starts.
    const bool of_tool = each.tree.tagged || (!each.escaped && each.tree.life == life_);
    left.push_back({each.pid, each.state == SimProcess::State::kZombie, of_tool});
  }
  return left;
}

std::size_t SimProcesses::armed_timers() const {
  std::size_t count = 0;
  for (const SimProcess& each : processes_) {
    count += static_cast<std::size_t>(each.work.armed());
    count += static_cast<std::size_t>(each.death.armed());
  }
  for (const SimTree& each : trees_) count += static_cast<std::size_t>(each.late_output.armed());
  for (const auto& each : windows_) count += each->armed();
  return count;
}

}  // namespace oj::sim
