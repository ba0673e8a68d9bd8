#include "core/tree_runner.h"

#include <algorithm>

namespace oj {
namespace {

using std::chrono::milliseconds;

// How long what is left in the pipes of a dead tree may take. Only a stranger that holds them,
// such as a tmux server, makes this matter.
constexpr Duration kLastOutput = milliseconds(20);
// From one look at the survivors of a signal to the next.
constexpr Duration kFirstLook = std::chrono::microseconds(200);
constexpr Duration kSlowestLook = milliseconds(8);
// A loop that was late finds every limit passed; what forked meanwhile gets a fair kill even then.
constexpr int kLeastLooks = 8;
constexpr Duration kRetryQuarantine = milliseconds(250);

}  // namespace

Task<ProcessResult> TreeRunner::Run(ProcessSpec spec) {
  ProcessResult result;
  SpawnFailure failure;
  std::unique_ptr<ChildProcess> child;
  result.end = ProcessResult::End::kCancelled;
  try {
    // A start that is held up counts against the command's limit like the rest of it.
    auto spawn = host_.Spawn(spec, &failure);
    auto bounded = WithDeadline(clock_, spec.deadline, std::move(spawn));
    auto spawned = co_await std::move(bounded);
    result.end = spawned ? ProcessResult::End::kSpawnFailed : ProcessResult::End::kTimedOut;
    if (spawned) child = std::move(*spawned);
  } catch (const Cancelled&) {
    // The gate was shut: nothing has run. The result says so; the next wait throws.
  }
  if (child == nullptr) {
    result.status = failure.error;
    co_return result;
  }
  const int pid = child->pid();
  result.started = true;
  if (spec.observer != nullptr) spec.observer->OnStarted(pid);
  auto watch = Watch(*child, spec.deadline);
  result.end = co_await std::move(watch);
  const bool by_itself = result.end == ProcessResult::End::kExited;
  if (!by_itself && spec.observer != nullptr) spec.observer->OnEnding(pid);

  // Every wait in there has a bound of its own. One on the whole would, in a loop that is late,
  // leave a tree that is neither dead nor in quarantine.
  auto finish = Finish(std::move(child), spec, result);
  auto shielded = Shield(clock_, Deadline::Never(), std::move(finish));
  co_await std::move(shielded);
  if (spec.observer != nullptr) spec.observer->OnEnded(pid);
  co_return result;
}

Task<ProcessResult::End> TreeRunner::Watch(ChildProcess& child, Deadline deadline) {
  const Here here = co_await WhereAmI();
  DeadlineScope scope(&here.scope, clock_, deadline);
  auto ended = child.EndedOrFlooded();
  co_await ended.EndIn(scope);
  // A cancel is handed on in the result, once the tree is dead.
  if (ended.cancelled() && !scope.struck()) co_return ProcessResult::End::kCancelled;
  if (ended.cancelled()) co_return ProcessResult::End::kTimedOut;
  ended.Take();
  co_return child.Flooded() ? ProcessResult::End::kFlooded : ProcessResult::End::kExited;
}

Task<void> TreeRunner::Finish(std::unique_ptr<ChildProcess> child, const ProcessSpec& spec,
                              ProcessResult& result) {
  const bool by_itself = result.end == ProcessResult::End::kExited;
  auto ending = EndTree(*child, spec.kill, !by_itself);
  const bool dead = co_await std::move(ending);
  if (dead) {
    auto closed = child->OutputClosed();
    const Deadline soon = Deadline::After(clock_.Now(), kLastOutput);
    auto bounded = WithDeadline(clock_, soon, std::move(closed));
    co_await std::move(bounded);
  }
  result.out = child->TakeOut();
  result.err = child->TakeErr();
  if (!dead) {
    result.quarantine = std::make_shared<Quarantine>();
    result.quarantine->pid = child->pid();
    result.quarantine->state = child->State();
    undead_.push_back(Undead{std::move(child), result.quarantine});
    if (!idle_.empty()) idle_.WakeFront();
    co_return;
  }
  const ExitStatus status = child->Reap();
  result.status = status.value;
  if (by_itself && status.signaled) result.end = ProcessResult::End::kSignaled;
}

Task<bool> TreeRunner::EndTree(ChildProcess& child, const KillPolicy& policy, bool leader_too) {
  if (!leader_too && child.Sweep().count == 0) co_return true;
  if (policy.term_first) {
    child.Send(Signal::kTerm);
    const Deadline grace = Deadline::After(clock_.Now(), policy.grace);
    auto obeyed = AllDead(child, grace, false);
    if (co_await std::move(obeyed)) co_return true;
  }
  child.Send(Signal::kKill);
  const Deadline limit = Deadline::After(clock_.Now(), policy.reap_limit);
  auto killed = AllDead(child, limit, true);
  const bool dead = co_await std::move(killed);
  co_return dead;
}

Task<bool> TreeRunner::AllDead(ChildProcess& child, Deadline until, bool kill) {
  auto ended = child.LeaderEnded();
  auto bounded = WithDeadline(clock_, until, std::move(ended));
  const bool leader_dead = co_await std::move(bounded);
  if (!leader_dead) co_return false;
  Duration pause = kFirstLook;
  for (int looks = 1;; ++looks, pause = std::min(2 * pause, kSlowestLook)) {
    if (child.Sweep().count == 0) co_return true;
    const bool looked = !kill || looks >= kLeastLooks;
    if (looked && until.PassedAt(clock_.Now())) co_return false;
    if (kill) child.Send(Signal::kKill);  // a survivor may have forked
    co_await SleepFor(clock_, pause);
  }
}

Task<void> TreeRunner::Tend() {
  while (true) {
    if (undead_.empty()) {
      auto turn = idle_.Enter(true);
      co_await turn;
    }
    for (Undead& each : undead_) {
      each.child->Send(Signal::kKill);
      if (!each.child->HasEnded() || each.child->Sweep().count > 0) continue;
      each.child->Reap();
      each.quarantine->dead.Set();
    }
    std::erase_if(undead_, [](const Undead& each) { return each.quarantine->dead.is_set(); });
    co_await SleepFor(clock_, kRetryQuarantine);
  }
}

}  // namespace oj
