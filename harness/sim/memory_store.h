// MemoryStore: the Store of the simulated world. Durable is what outlives the daemon; a MemoryStore
// is one daemon's life with it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "oj/store.h"
#include "oj/wait_queue.h"
#include "sim/sim_loop.h"

namespace oj::sim {

// What a commit takes at most.
inline constexpr Duration kLongestCommit = std::chrono::milliseconds(1500);

// Applies one change as a store does.
void ApplyChange(Change change, StateSnapshot& to);

class MemoryStore final : public Store {
 public:
  struct Hooks {
    std::function<void()> on_durable;  // after each commit that has become durable
    std::function<void()> crash;       // the daemon is to be killed at the next step
    Instant* full_until = nullptr;     // the disk is full until then, for all lives
  };
  MemoryStore(SimLoop& loop, Decisions& decisions, StateSnapshot& durable, Hooks hooks)
      : loop_(loop),
        decisions_(decisions),
        durable_(durable),
        hooks_(std::move(hooks)),
        done_(*this) {}
  // Carries out what was begun, unless the daemon has crashed.
  ~MemoryStore();

  Task<Result<StateSnapshot>> Load() override;
  Task<Status> Commit(std::vector<Change> changes) override;
  // The daemon's death: a commit that is under way is durable, or not; others are lost.
  void Crash();
  // Likewise, and all that was under way is lost.
  void LosePower() { orders_.clear(); }
  std::size_t armed_timers() const { return static_cast<std::size_t>(done_.armed()); }

 private:
  // One commit; carried out in order, whether or not somebody still waits for it.
  struct Order {
    std::vector<Change> changes;
    bool fails = false;
    bool crashes = false;  // the daemon, when it is durable
    Duration takes{};
    Event done;
  };
  void BeginNext();
  bool DiskIsFull();
  void OnDone();
  void Apply(Order& order);

  SimLoop& loop_;
  Decisions& decisions_;
  StateSnapshot& durable_;
  Hooks hooks_;
  std::deque<std::shared_ptr<Order>> orders_;
  WorldTimer<MemoryStore, &MemoryStore::OnDone> done_;
};

}  // namespace oj::sim
