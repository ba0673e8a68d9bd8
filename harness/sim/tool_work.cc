// What the simulated tools do: their work, what they say, and the trouble that rules make.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "sim/sim_process_host.h"
#include "sim/sim_processes.h"
#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Moment = Behaviour::Moment;
using Trouble = SimTree::Trouble;

constexpr int kSegv = 11, kSigterm = 15;
constexpr Duration kExit = microseconds(100);     // from the last work to the end
constexpr Duration kGitStep = microseconds(200);  // of a command that changes something
constexpr Duration kSlowGit = milliseconds(300);
constexpr Duration kPassing = milliseconds(25);  // from its last session to a tmux server's end
constexpr std::size_t kMostFlood = 65536;  // bytes that are really kept of a flood beyond the limit
constexpr std::int64_t kSlicesPerSecond = 100;  // of what is written slowly

void Append(std::string more, std::string& to) {
  if (to.empty()) {
    to = std::move(more);
  } else {
    to += more;
  }
}

// Takes the first `bytes` of it.
std::string TakeFrom(std::string& text, std::size_t bytes) {
  std::string taken = text.substr(0, bytes);
  text.erase(0, taken.size());
  return taken;
}

}  // namespace

void SimProcesses::Work(SimTree& tree) {
  SimProcess& leader = tree.leader();
  const Behaviour& how = tree.behaviour;
  if (leader.state != SimProcess::State::kAlive) return;
  if (tree.said) return Finish(tree);
  if (!tree.unsaid.out.empty() || !tree.unsaid.err.empty()) return SaySlowly(tree);
  if (how.hang && how.moment == Moment::kBefore) return;
  if (tree.tool == 0) DrawHang(tree);
  Tool& tool = tools_[tree.tool];
  if (tool.hung > 0) {
    tool.waiting.push_back(&tree);
    return;
  }
  if (tree.tool == 1 && !WorkAsGit(tree)) return;
  Perform(tree, true);
}

bool SimProcesses::WorkAsGit(SimTree& tree) {
  const Behaviour& how = tree.behaviour;
  if (how.moment == Moment::kBefore && IsTroubled(tree)) return false;
  if (!tree.git_began) tree.git_began = loop_.Now();
  if (tree.git == nullptr) {
    tree.git = std::make_unique<GitCommand>(git_, tree.argv);
    DismissHeir(tree);
  }
  if (how.moment == Moment::kAmid && IsAmid(tree) && IsTroubled(tree)) return false;
  if (!tree.git->Step()) return true;
  enum : std::uint32_t { kGoesOn, kSlow, kStands, kDies, kWays };
  SimProcess& leader = tree.leader();
  const std::uint32_t way = decisions_.Pick(sites::kGitStops, how.entity, kWays);
  if (way == kDies) {
    tree.misstepped = true;
    Exit(leader, -kSegv);
  } else if (way != kStands) {
    const Duration pause = way == kSlow ? kSlowGit : kGitStep;
    loop_.Arm(leader.work, Deadline::After(loop_.Now(), pause));
  }
  return false;
}

void SimProcesses::WorkLate(SimProcess& process) {
  SimTree& tree = process.tree;
  if (process.state != SimProcess::State::kAlive) return;
  if (tree.git == nullptr) tree.git = std::make_unique<GitCommand>(git_, tree.argv);
  if (!tree.git->Step()) return Exit(process, 0);
  loop_.Arm(process.work, Deadline::After(loop_.Now(), kGitStep));
}

bool SimProcesses::IsAmid(const SimTree& tree) {
  const ToolRule& rule = *tree.behaviour.rule;
  if (tree.trouble != Trouble::kAhead) return true;
  if (rule.at && loop_.Now() - *tree.git_began >= *rule.at) return true;
  return !rule.at_path.empty() && git_.disk().Exists(rule.at_path);
}

void SimProcesses::LeaveLock(const SimTree& tree) {
  const std::string& file = tree.behaviour.rule->lock_file;
  if (!file.empty() && !git_.disk().Exists(file)) git_.disk().Write(file, "");
}

bool SimProcesses::IsTroubled(SimTree& tree) {
  const Behaviour& how = tree.behaviour;
  SimProcess& leader = tree.leader();
  if (tree.trouble == Trouble::kAhead && how.moment != Moment::kBefore) {
    tree.trouble = Trouble::kWaits;
    LeaveLock(tree);
    const bool speaks = how.moment == Moment::kAmid && !how.rule->ShapesOutput();
    if (speaks) Write(tree, tree.git->TakeAnswer());
    if (how.hang) return true;
    if (how.pause > Duration::zero()) {
      loop_.Arm(leader.work, Deadline::After(loop_.Now(), how.pause));
      return true;
    }
  }
  if (tree.trouble == Trouble::kOver) return false;
  tree.trouble = Trouble::kOver;
  if (how.rule != nullptr) Flood(tree, static_cast<std::size_t>(how.rule->flood_bytes));
  if (tree.flooded) return true;  // a full pipe holds it up
  if (!how.signal && !how.exit) return false;
  const int status = how.exit ? *how.exit : -*how.signal;
  if (how.exit && how.moment == Moment::kBefore) DismissHeir(tree);
  if (how.moment == Moment::kAfter || (how.moment == Moment::kBefore && !how.exit)) {
    Exit(leader, status);
    return true;
  }
  ToolAnswer answer;
  if (tree.git != nullptr) answer = tree.git->TakeAnswer();  // what it had said so far
  if (tree.git != nullptr && status == -kSigterm) tree.git->OnTerm();
  if (how.rule == nullptr) answer.err = "fault injected\n";
  answer.exit = status;
  Say(tree, std::move(answer));
  return true;
}

// A server without sessions exits when it has served its clients: soon, not at once.
Passing SimProcesses::DrawPassing(SimTree& tree) {
  const ToolRule* rule = tree.behaviour.rule;
  if (rule != nullptr && rule->passing != ToolRule::Passing::kNo) {
    return rule->passing == ToolRule::Passing::kServes ? Passing::kServes : Passing::kExits;
  }
  if (tmux_.running() || !tmux_emptied_ || loop_.Now() - *tmux_emptied_ > kPassing) {
    return Passing::kGone;
  }
  return static_cast<Passing>(decisions_.Pick(sites::kTmuxPasses, tree.behaviour.entity, 3));
}

ToolAnswer SimProcesses::AskTmux(SimTree& tree) {
  if (!promises_.empty()) KeepPromises();
  const Passing passing = DrawPassing(tree);
  const bool ran = tmux_.running();
  const std::uint64_t before = tmux_.version();
  ToolAnswer answer = tmux_.Execute(tree.argv, passing);
  if (tree.life != life_) tmux_.MarkLate(before);
  if (ran && !tmux_.running()) tmux_emptied_ = loop_.Now();
  return answer;
}

void SimProcesses::KeepPromises() {
  const auto promises = std::exchange(promises_, {});
  for (SimTree* tree : promises) {
    if (tree->worked) continue;
    if (tree->leader().state != SimProcess::State::kAlive) Perform(*tree, false);
    if (!tree->worked) promises_.push_back(tree);
  }
}

void SimProcesses::Perform(SimTree& tree, bool alive) {
  const Behaviour& how = tree.behaviour;
  if (tree.worked) return;
  if (alive && how.moment == Moment::kBefore && IsTroubled(tree)) return;
  const bool promised = how.rule != nullptr && how.rule->late.has_value();
  const bool ends = how.moment == Moment::kBefore && (how.exit || how.signal);
  if (!alive && ends && !promised) return;
  if (!alive && promised && loop_.Now() < tree.began + *how.rule->late) return;  // it may yet come
  tree.worked = true;
  ToolAnswer answer;
  if (tree.tool == 0) {
    answer = AskTmux(tree);
  } else if (tree.tool == 1) {
    answer = tree.git->TakeAnswer();
  }
  if (alive) Say(tree, std::move(answer));
}

// Its own output, or what the rule has in its place; then it ends.
void SimProcesses::Say(SimTree& tree, ToolAnswer answer) {
  const Behaviour& how = tree.behaviour;
  tree.exit = answer.exit;
  if (how.cut_output) answer.out.resize(answer.out.size() / 2);
  if (how.rule != nullptr) {
    const ToolRule& rule = *how.rule;
    if (rule.out) answer.out = *rule.out;
    if (rule.err) answer.err = *rule.err;
    answer.out = fakes::Spoiled(std::move(answer.out), rule.non_utf8, rule.cut);
    answer.err = fakes::Spoiled(std::move(answer.err), rule.non_utf8, rule.cut);
    if (rule.bytes_per_s > 0) {
      tree.unsaid = std::move(answer);
      return SaySlowly(tree);
    }
  }
  if (how.floods) Flood(tree, std::size_t{1} << 40);
  Write(tree, std::move(answer));
  Finish(tree);
}

// A slice each time, after the time that it takes: of stdout, then of stderr.
void SimProcesses::SaySlowly(SimTree& tree) {
  const std::int64_t rate = tree.behaviour.rule->bytes_per_s;
  const std::int64_t slice = std::max<std::int64_t>(1, rate / kSlicesPerSecond);
  const auto bytes = static_cast<std::size_t>(slice);
  if (tree.dripping) {
    std::string& from = tree.unsaid.out.empty() ? tree.unsaid.err : tree.unsaid.out;
    const bool is_out = &from == &tree.unsaid.out;
    std::string some = TakeFrom(from, bytes);
    ToolAnswer said;
    (is_out ? said.out : said.err) = std::move(some);
    Write(tree, std::move(said));
    if (tree.flooded) return;
  }
  tree.dripping = true;
  if (tree.unsaid.out.empty() && tree.unsaid.err.empty()) return Finish(tree);
  const double seconds = static_cast<double>(slice) / static_cast<double>(rate);
  const Duration time = std::chrono::nanoseconds(std::llround(seconds * 1e9));
  loop_.Arm(tree.leader().work, Deadline::After(loop_.Now(), time));
}

void SimProcesses::Finish(SimTree& tree) {
  const Behaviour& how = tree.behaviour;
  tree.said = true;
  if (how.hang_after || tree.flooded) return;  // a full pipe holds it up
  if (how.moment == Moment::kAfter && IsTroubled(tree)) return;
  Exit(tree.leader(), how.crash_after ? -kSegv : tree.exit);
}

void SimProcesses::Flood(SimTree& tree, std::size_t bytes) {
  if (bytes == 0) return;
  const std::size_t room = tree.output_limit - std::min(tree.output_limit, tree.out.size());
  tree.out.append(bytes > room ? std::min(room, kMostFlood) : bytes, 'x');
  tree.flooded = tree.flooded || bytes > room;
  if (tree.flooded && tree.child != nullptr) tree.child->OnFlooded();
}

void SimProcesses::Write(SimTree& tree, ToolAnswer answer) {
  Append(std::move(answer.out), tree.out);
  Append(std::move(answer.err), tree.err);
  tree.flooded =
      tree.flooded || tree.out.size() > tree.output_limit || tree.err.size() > tree.output_limit;
  if (tree.flooded && tree.child != nullptr) tree.child->OnFlooded();
}

void SimProcesses::Exit(SimProcess& process, int status) {
  process.status = status;
  loop_.Arm(process.death, Deadline::After(loop_.Now(), kExit));
}

}  // namespace oj::sim
