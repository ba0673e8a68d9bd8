#include "os/signals.h"

#include <csignal>
#include <deque>

namespace oj {

void IgnoreSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

// Held by the handler too, which runs once more after the set was destroyed.
struct Signals::State {
  explicit State(boost::asio::io_context& io) : set(io, SIGTERM, SIGINT) {}
  boost::asio::signal_set set;
  std::deque<int> arrived;
  SlotWait* waiter = nullptr;
};

class Signals::NextWait final : public SlotWait {
 public:
  explicit NextWait(State& state) : state_(state) {}

 private:
  bool Start() override {
    if (!state_.arrived.empty()) return true;
    Enter(state_.waiter);
    return false;
  }
  State& state_;
};

Signals::Signals(AsioLoop& loop) : state_(std::make_shared<State>(loop.io())) {
  WaitForSignal(state_);
}

Signals::~Signals() {
  if (state_->waiter != nullptr) state_->waiter->Detach();
  state_->waiter = nullptr;
  state_->set.cancel();
}

void Signals::WaitForSignal(const std::shared_ptr<State>& state) {
  state->set.async_wait([state](const boost::system::error_code& error, int signal) {
    if (error) return;
    state->arrived.push_back(signal);
    if (state->waiter != nullptr) state->waiter->Finish();
    WaitForSignal(state);
  });
}

Task<int> Signals::NextSignal() {
  NextWait wait(*state_);
  co_await wait;
  const int signal = state_->arrived.front();
  state_->arrived.pop_front();
  co_return signal;
}

}  // namespace oj
