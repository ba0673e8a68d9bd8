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
  // `on_durable` is called after each commit that has become durable.
  MemoryStore(SimLoop& loop, Decisions& decisions, StateSnapshot& durable,
              std::function<void()> on_durable = {})
      : loop_(loop),
        decisions_(decisions),
        durable_(durable),
        on_durable_(std::move(on_durable)),
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
    Duration takes{};
    Event done;
  };
  void BeginNext();
  void OnDone();
  void Apply(Order& order);

  SimLoop& loop_;
  Decisions& decisions_;
  StateSnapshot& durable_;
  std::function<void()> on_durable_;
  std::deque<std::shared_ptr<Order>> orders_;
  WorldTimer<MemoryStore, &MemoryStore::OnDone> done_;
};

}  // namespace oj::sim
