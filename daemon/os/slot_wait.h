// SlotWait: the base of waits that their owner (a connection, a listener, ...) finds in a slot of
// its own while they wait, one per slot.
#pragma once

#include <cassert>
#include <utility>

#include "oj/cancel.h"

namespace oj {

class SlotWait : public Wait {
 public:
  ~SlotWait() override { Leave(); }
  void await_resume() const { ThrowIfCancelled(); }

  // Tries to do what is waited for; true: done, or failed for good.
  virtual bool Try() noexcept { return true; }
  // Leaves the slot and completes the wait.
  void Finish() noexcept {
    Leave();
    Complete();
  }
  // The slot is about to go; the wait stays, and nothing will complete it.
  void Detach() noexcept { slot_ = nullptr; }

 protected:
  void Enter(SlotWait*& slot) noexcept {
    assert(slot == nullptr && "one wait at a time");
    slot = this;
    slot_ = &slot;
  }
  void Leave() noexcept {
    if (slot_ != nullptr) *std::exchange(slot_, nullptr) = nullptr;
  }

 private:
  void Abandon() noexcept final { Leave(); }
  SlotWait** slot_ = nullptr;
};

}  // namespace oj
