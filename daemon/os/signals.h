// Signals, delivered into the loop.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <memory>

#include "oj/task.h"
#include "os/asio_loop.h"
#include "os/slot_wait.h"

namespace oj {

// SIGPIPE (a client that has gone is an error of its write), SIGXFSZ (so is a file that may not
// grow) and SIGHUP (the terminal that the daemon was started from) are ignored. Children must start
// with the defaults.
void IgnoreSignals();

// SIGTERM and SIGINT, from construction to destruction.
class Signals {
 public:
  explicit Signals(AsioLoop& loop);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next signal, in the order of arrival; none is lost between two calls, except that equal
  // ones may have become one. One wait at a time.
  Task<int> NextSignal();

 private:
  class NextWait;
  struct State;
  static void WaitForSignal(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace oj
