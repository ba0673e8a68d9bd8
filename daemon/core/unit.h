// Unit: work that goes on when the request that began it is cancelled: the commit point of a
// removal, the undoing of what was half made. It runs among the daemon's units, holds what leases
// it needs, and every command in it has a limit of its own. A daemon that stops gives it as long
// again as it gave to requests, then cuts it off: what it did not finish, its intent in the store
// tells the next one.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "oj/error.h"
#include "oj/event_log.h"
#include "oj/nursery.h"
#include "oj/wait_queue.h"

namespace oj {

template <class T>
class Unit {
 public:
  // Ends with the work's value; a defect in it is one of the daemon's.
  Task<Result<T>> Done() const {
    auto done = state_->done.WaitSet();
    co_await std::move(done);
    co_return *state_->outcome;
  }

  static Unit Begin(Nursery& units, EventLog& log, Task<Result<T>> work) {
    Unit unit;
    units.Start(Run(unit.state_, log, std::move(work)));
    return unit;
  }

 private:
  struct State {
    Event done;
    std::optional<Result<T>> outcome;
  };
  static Task<void> Run(std::shared_ptr<State> state, EventLog& log, Task<Result<T>> work) {
    const Here here = co_await WhereAmI();
    co_await work.EndIn(here.scope);
    if (work.cancelled()) co_return;
    try {
      state->outcome = work.Take();
    } catch (const std::exception& defect) {
      log.Record({EventKind::kDefect, 0, 0, 0, defect.what()});
      state->outcome = Error{ErrorCode::kInternal, std::string("a defect: ") + defect.what(), ""};
    }
    state->done.Set();
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace oj
