#include "sim/sim_process_host.h"

namespace oj::sim {
namespace {

constexpr int kSigkill = 9, kSigterm = 15;

// A wait that no cancel ends: what it waits for cannot be taken back.
class Fixed final : public Wait, private Timer {
 public:
  Fixed(SimLoop& loop, Duration wait) : loop_(loop), wait_(wait), shield_(nullptr) {}
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    handle = awaiter;
    return Begin(*awaiter.promise().strand, shield_);
  }
  void await_resume() const noexcept {}

 private:
  bool Start() override {
    loop_.Arm(*this, Deadline::After(loop_.Now(), wait_));
    return false;
  }
  void Abandon() noexcept override {}
  void OnDue() noexcept override { Complete(); }

  SimLoop& loop_;
  Duration wait_;
  CancelScope shield_;
};

}  // namespace

SimChild::SimChild(SimProcesses& world, SimTree& tree, std::vector<WorldViolation>& violations)
    : world_(world), tree_(tree), violations_(violations) {
  tree_.child = this;
}

SimChild::~SimChild() {
  if (reaped_) {
    tree_.child = nullptr;
  } else {
    world_.Abandon(tree_);
  }
}

void SimChild::Complain(const char* what) {
  std::string text(what);
  text.append(" (pid ").append(std::to_string(pid())).append(")");
  violations_.push_back({"L3", std::move(text)});
}

void SimChild::Send(Signal signal) {
  if (reaped_) return Complain("a signal to a process group that was reaped");
  world_.Signal(tree_, signal == Signal::kTerm ? kSigterm : kSigkill);
}

// Escapees of a tree without a tag are strangers.
Survivors SimChild::Sweep() {
  if (reaped_) Complain("a look for survivors of a group that was reaped");
  Survivors found;
  for (SimProcess* each : tree_.members) {
    if (each == &tree_.leader() || (each->escaped && !tree_.tagged)) continue;
    if (each->state == SimProcess::State::kZombie && ended_.is_set()) world_.Reap(*each);
    if (each->state != SimProcess::State::kAlive) continue;
    if (found.count++ > 0) continue;
    found.pid = each->pid;
    found.state.push_back('S');
  }
  return found;
}

ExitStatus SimChild::Reap() {
  SimProcess& leader = tree_.leader();
  if (reaped_ || leader.state != SimProcess::State::kZombie) {
    Complain("reaped twice, or before its end");
    return {true, kSigkill};
  }
  reaped_ = true;
  world_.Reap(leader);
  return {leader.status < 0, leader.status < 0 ? -leader.status : leader.status};
}

std::string SimChild::State() const {
  const SimProcess& leader = tree_.leader();
  if (leader.state != SimProcess::State::kAlive) return "Z";
  return leader.doomed && tree_.behaviour.uninterruptible > Duration::zero() ? "D" : "S";
}

void SimChild::OnLeaderEnded() {
  ended_.Set();
  ended_or_flooded_.Set();
}

Task<std::unique_ptr<ChildProcess>> SimProcessHost::Spawn(const ProcessSpec& spec,
                                                          SpawnFailure* failure) {
  if (const Duration queue = world_.Queue(spec); queue > Duration::zero()) {
    auto stand = SleepFor(loop_, queue);
    co_await stand;
  }
  const Behaviour behaviour = world_.Plan(spec);
  if (behaviour.queue > Duration::zero()) {
    auto queue = SleepFor(loop_, behaviour.queue);
    co_await queue;
  }
  co_await CancellationPoint();
  // The gate: from here on there is a process, and no wait that a cancel could end.
  Fixed starting(loop_, behaviour.spawn);
  if (behaviour.spawn_error != 0) {
    co_await starting;
    failure->error = behaviour.spawn_error;
    co_return nullptr;
  }
  SimTree& tree = world_.Start(spec, behaviour);
  auto child = std::make_unique<SimChild>(world_, tree, violations_);
  co_await starting;
  co_return std::move(child);
}

}  // namespace oj::sim
