// A ProcessHost whose children do what a script says, and a record of what was done to them: the
// order of the steps of a kill, with the milliseconds at which each was taken.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core_test_support.h"
#include "oj/process_host.h"

namespace oj {

struct ChildScript {
  std::optional<Duration> ends_after;  // by itself; nothing: it never does
  std::optional<Duration> floods_after;
  std::optional<Duration> term_takes;                     // nothing: TERM is ignored
  std::optional<Duration> kill_takes = Duration::zero();  // nothing: state D
  ExitStatus exit;                                        // of its natural end, or after TERM
  int members = 0;                                        // besides the leader
  bool members_obey_term = false;
  bool output_stays_open = false;
  std::string out = "out";
};

class FakeHost final : public ProcessHost {
 public:
  explicit FakeHost(TestLoop& loop) : loop_(loop) {}

  Task<std::unique_ptr<ChildProcess>> Spawn(const ProcessSpec& spec,
                                            SpawnFailure* failure) override;

  ChildScript script;
  int spawn_errno = 0;
  bool spawn_hangs = false;
  Log steps;  // "TERM@10", "KILL@510", "sweep 1@0" (equal ones in a row once), "reap@512"
  class Child;
  Child* last = nullptr;

 private:
  friend class Child;
  void Step(std::string what) {
    if (!steps.empty() && what.starts_with("sweep") && steps.back().starts_with(what)) return;
    if (!steps.empty() && what == "KILL" && steps.back().starts_with(what)) return;
    steps.push_back(std::move(what) + "@" + std::to_string(Millis(loop_.elapsed())));
  }
  TestLoop& loop_;
};

class FakeHost::Child final : public ChildProcess {
 public:
  explicit Child(FakeHost& host) : host_(host), script_(host.script), members_(script_.members) {
    if (script_.ends_after) Arm(end_, *script_.ends_after);
    if (script_.floods_after) Arm(flood_, *script_.floods_after);
  }
  ~Child() override {
    if (!reaped_) host_.Step("abandoned");
    if (host_.last == this) host_.last = nullptr;
  }

  int pid() const override { return 100; }
  Task<void> LeaderEnded() override { return ended_.WaitSet(); }
  bool HasEnded() override { return ended_.is_set(); }
  Task<void> EndedOrFlooded() override { return ended_or_flooded_.WaitSet(); }
  bool Flooded() const override { return flooded_; }
  Task<void> OutputClosed() override { return closed_.WaitSet(); }
  std::string TakeOut() override { return script_.out; }
  std::string TakeErr() override { return "err"; }
  void Send(Signal signal) override {
    EXPECT_FALSE(reaped_) << "pid and group id belong to nobody any more";
    host_.Step(signal == Signal::kTerm ? "TERM" : "KILL");
    const bool kill = signal == Signal::kKill;
    const bool forks = kill && forks_on_kill > 0 && forks_on_kill-- > 0;
    if (kill || script_.members_obey_term) members_ = stubborn ? members_ : forks ? 1 : 0;
    const auto& takes = kill ? script_.kill_takes : script_.term_takes;
    if (!takes || ended_.is_set() || (kill && killed_)) return;
    killed_ = kill;
    Arm(end_, *takes);
  }
  Survivors Sweep() override {
    EXPECT_FALSE(reaped_);
    host_.Step("sweep " + std::to_string(members_));
    return Survivors{members_, members_ > 0 ? 101 : 0, members_ > 0 ? "S" : ""};
  }
  ExitStatus Reap() override {
    EXPECT_TRUE(ended_.is_set()) << "the leader is reaped only when it has ended";
    EXPECT_EQ(members_, 0) << "the leader is reaped last";
    host_.Step("reap");
    reaped_ = true;
    return killed_ ? ExitStatus{true, 9} : script_.exit;
  }
  std::string State() const override { return script_.kill_takes ? "S" : "D"; }

  void EndNow() {
    killed_ = true;
    OnEnd();
  }
  bool stubborn = false;  // members survive KILL
  int forks_on_kill = 0;  // so often one is forked that the KILL does not reach

 private:
  void Arm(Alarm& alarm, Duration after) {
    host_.loop_.Arm(alarm, Deadline::After(host_.loop_.Now(), after));
  }
  void OnEnd() {
    ended_.Set();
    ended_or_flooded_.Set();
    if (!script_.output_stays_open) closed_.Set();
  }
  void OnFlood() {
    flooded_ = true;
    ended_or_flooded_.Set();
  }

  FakeHost& host_;
  ChildScript script_;
  int members_;
  bool flooded_ = false, killed_ = false, reaped_ = false;
  Event ended_, ended_or_flooded_, closed_;
  Alarm end_{[this] { OnEnd(); }};
  Alarm flood_{[this] { OnFlood(); }};
};

inline Task<std::unique_ptr<ChildProcess>> FakeHost::Spawn(const ProcessSpec&,
                                                           SpawnFailure* failure) {
  co_await CancellationPoint();
  if (spawn_hangs) co_await SleepUntil(loop_, Deadline::Never());
  Step("spawn");
  if (spawn_errno != 0) {
    failure->error = spawn_errno;
    co_return nullptr;
  }
  auto child = std::make_unique<Child>(*this);
  last = child.get();
  co_return child;
}

}  // namespace oj
