#include "core/core.h"

#include <algorithm>

namespace oj {

Status Core::Alone() const {
  const std::string stray = identity.stray ? identity.stray() : "";
  if (stray.empty()) return Ok{};
  return Error{ErrorCode::kBusy,
               stray +
                   ", left behind by a daemon that was killed, cannot be ended and may still be "
                   "at work",
               R"({"retry_after_ms":1000})"};
}

Task<Result<Lease>> Core::Acquire(Flight& flight, std::vector<LockRequest> wanted) {
  if (const Status alone = Alone(); !alone) co_return alone.error();
  flight.state = "waiting";
  flight.waiting_for = wanted[0].key;
  auto acquire = locks.Acquire(flight.id, wanted);
  auto lease = co_await std::move(acquire);
  if (!lease) co_return std::move(lease).error();
  flight.state = "running";
  flight.waiting_for.clear();
  for (const LockRequest& each : wanted) flight.locks.push_back(each.key);
  co_return std::move(lease);
}

Task<Result<SessionLease>> Core::Lock(Flight& flight, std::string session, LockMode mode) {
  std::vector<LockRequest> wanted;
  wanted.push_back(LockRequest{"session:" + session, mode});
  auto acquire = Acquire(flight, std::move(wanted));
  auto lease = co_await std::move(acquire);
  if (!lease) co_return std::move(lease).error();
  SessionLease held(tmux, std::move(*lease));
  co_return std::move(held);
}

}  // namespace oj
