#include "sim/sim_loop.h"

#include <algorithm>

#include "sim/sites.h"

namespace oj::sim {
namespace {

// Timers this close may fire in any order: no clock tells them apart.
constexpr Duration kTogether = std::chrono::microseconds(20);
constexpr WallMillis kWallStart = 1'700'000'000'000;

}  // namespace

WallMillis SimLoop::WallNow() const { return kWallStart + Millis(now_.time_since_epoch() + wall_); }

void SimLoop::Sleep(Duration time) {
  now_ += time;
  slept_ += time;
  max_time_ += time;
}

bool SimLoop::Step() {
  if (steps_ >= max_steps_ || now_.time_since_epoch() > max_time_) {
    exhausted_ = true;
    return false;
  }
  const std::uint32_t ready = CountReady();
  Timer* timer = timers_.Earliest();
  if (ready == 0 && timer == nullptr) return false;
  ++steps_;
  if (ready == 0) {
    FireEarliest();
  } else if (timer != nullptr && Overtakes(*timer)) {
    stalled_ += std::max(Duration::zero(), timer->due() - now_);
    Fire(*timer);
  } else {
    RunStrand(ready);
  }
  return true;
}

void SimLoop::Extend(std::uint64_t steps, Duration time) {
  max_steps_ = steps_ + steps;
  max_time_ = now_.time_since_epoch() + time;
  exhausted_ = false;
}

std::size_t SimLoop::armed_timers() {
  due_.clear();
  timers_.Due(Instant::max(), due_);
  return due_.size();
}

// Also drops what was kept in the list only because it was running.
std::uint32_t SimLoop::CountReady() {
  std::uint32_t count = 0;
  ready_.ForEach([&count](Strand& strand) {
    if (strand.ready()) {
      ++count;
    } else {
      strand.Unlink();
    }
  });
  return count;
}

bool SimLoop::Overtakes(const Timer& timer) {
  const Duration wait = timer.due() - now_;
  if (wait <= Duration::zero()) return decisions_.Pick(sites::kTogether, 0, 2) == 1;
  if (wait > kLongestStall || stalled_ + wait > kMostStall) return false;
  return decisions_.Pick(sites::kStall, 0, 2) == 1;
}

// The strand stays linked while it runs: it may be destroyed then, and takes itself out.
void SimLoop::RunStrand(std::uint32_t count) {
  if (count > 1 && decisions_.AskWho()) {
    who_.clear();
    ready_.ForEach([this](Strand& strand) { who_.push_back(strand.id()); });
    decisions_.Among(who_);
  }
  const std::uint32_t choice = decisions_.Pick(sites::kStrand, ready_.Front().id(), count);
  std::uint32_t at = 0;
  Strand* chosen = nullptr;
  ready_.ForEach([&](Strand& strand) {
    if (at++ == choice) chosen = &strand;
  });
  Note(chosen->id(), choice);
  chosen->Unlink();
  ready_.PushBack(*chosen);
  chosen->RunOne();
}

void SimLoop::FireEarliest() {
  due_.clear();
  timers_.Due(timers_.Earliest()->due() + kTogether, due_);
  const auto count = static_cast<std::uint32_t>(due_.size());
  Fire(*due_[decisions_.Pick(sites::kTimerOrder, 0, count)]);
}

void SimLoop::Fire(Timer& timer) {
  now_ = std::max(now_, timer.due());
  Note(0, 0);
  timer.Disarm();
  timer.OnDue();
}

void SimLoop::Note(std::uint64_t who, std::uint64_t choice) {
  digest_.Add(steps_ << 32 | who);
  digest_.Add(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  digest_.Add(choice);
}

}  // namespace oj::sim
