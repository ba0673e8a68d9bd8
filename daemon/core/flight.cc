#include "core/flight.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <exception>

namespace oj {
namespace {

std::string OutcomeOf(const Flight& flight) { return flight.outcome ? flight.outcome() : ""; }

Error CancelledError(const Flight& flight, Instant now) {
  const std::string what = flight.type + " (" + RequestName(flight.id) + ")";
  switch (flight.latched()) {
    case CancelReason::kDeadline:
      return {ErrorCode::kDeadlineExceeded,
              what + " was cancelled at its deadline of " +
                  std::to_string(Millis(flight.deadline().at() - flight.begun)) + " ms" +
                  (flight.waiting_for.empty() ? "" : ", waiting for " + flight.waiting_for),
              DeadlineDetail(flight, flight.deadline().at() - flight.begun, now - flight.begun)};
    case CancelReason::kOperator:
      return {ErrorCode::kCancelled, what + " was cancelled by the operator", OutcomeOf(flight)};
    case CancelReason::kShutdown:
      return {ErrorCode::kCancelled, what + " was cancelled: the daemon is shutting down",
              OutcomeOf(flight)};
    default:
      return {ErrorCode::kCancelled, what + " was cancelled: its client has gone", ""};
  }
}

}  // namespace

void Flight::Latch(CancelReason reason) noexcept {
  if (scope_.cancelled() || reply_) return;
  log_.Record({EventKind::kRequestLatched, 0, id, 0, Name(reason)});
  state = "cancelling";
  scope_.Cancel(reason);
}

std::shared_ptr<Flight> FlightTable::Join(Launch launch, Waiter& waiter) {
  for (const auto& [id, flight] : flights_) {
    const bool same = (!launch.join_key.empty() && flight->join_key == launch.join_key) ||
                      (!launch.request_id.empty() && flight->request_id == launch.request_id);
    if (!same || !flight->joinable()) continue;
    log_.Record({EventKind::kRequestJoined, launch.connection, id, 0, launch.type});
    flight->waiters_.push_back(&waiter);
    SetDeadline(*flight);
    return flight;
  }
  const std::uint64_t id = ++last_id_;
  log_.Record({EventKind::kRequestBegun, launch.connection, id, launch.client_pid, launch.type});
  auto flight = std::make_shared<Flight>(id, std::move(launch.type), std::move(launch.join_key),
                                         launch.client_pid, clock_.Now(), log_,
                                         std::move(launch.request_id), std::move(launch.digest));
  flight->waiters_.push_back(&waiter);
  SetDeadline(*flight);
  flights_.emplace(id, flight);
  nursery_.Start(Fly(flight, std::move(launch.handler)));
  return flight;
}

void FlightTable::SetDeadline(Flight& flight) {
  flight.deadline_ = flight.waiters_.front()->deadline;
  for (const Waiter* each : flight.waiters_) {
    flight.deadline_ = std::max(flight.deadline_, each->deadline);
  }
  clock_.Arm(flight, flight.deadline_);
}

void FlightTable::Leave(Flight& flight, Waiter& waiter, CancelReason reason) noexcept {
  std::erase(flight.waiters_, &waiter);
  if (flight.waiters_.empty()) {
    flight.Latch(reason);
  } else if (flight.joinable()) {
    SetDeadline(flight);
  }
}

Task<void> FlightTable::Fly(std::shared_ptr<Flight> flight, Handler handler) {
  auto handle = Handle(*flight, handler);
  auto reply = co_await std::move(handle);
  flight->Disarm();
  flight->state = "done";
  log_.Record({EventKind::kRequestEnded, 0, flight->id, 0,
               reply ? std::string_view(flight->type) : Name(reply.error().code)});
  flight->reply_.emplace(std::move(reply));
  flights_.erase(flight->id);
  for (Waiter* each : flight->waiters_) each->Settle();
  if (flights_.empty()) {
    while (!empty_.empty()) empty_.WakeFront();
  }
}

Task<Reply> FlightTable::Handle(Flight& flight, const Handler& handler) {
  auto task = handler(flight);
  co_await task.EndIn(flight.scope_);
  if (task.cancelled()) co_return CancelledError(flight, clock_.Now());
  std::string defect;
  try {
    co_return task.Take();
  } catch (const std::exception& error) {
    defect = error.what();
  }
  log_.Record({EventKind::kDefect, 0, flight.id, 0, defect});
  co_return Error{ErrorCode::kInternal, flight.type + " failed by a defect: " + defect, ""};
}

std::shared_ptr<Flight> FlightTable::Find(std::uint64_t id) const {
  const auto at = flights_.find(id);
  return at == flights_.end() ? nullptr : at->second;
}

void FlightTable::LatchAll(CancelReason reason) noexcept {
  for (const auto& [id, flight] : flights_) flight->Latch(reason);
}

Task<void> FlightTable::Empty() {
  while (!flights_.empty()) {
    auto turn = empty_.Enter(true);
    co_await turn;
  }
}

std::string DeadlineDetail(const Flight& flight, Duration limit, Duration elapsed) {
  boost::json::object detail;
  if (flight.outcome) detail = boost::json::parse(flight.outcome()).as_object();
  detail["limit_ms"] = Millis(limit);
  detail["elapsed_ms"] = Millis(elapsed);
  if (!flight.waiting_for.empty()) detail["waiting_for"] = flight.waiting_for;
  return boost::json::serialize(detail);
}

std::string RequestName(std::uint64_t id) { return "r" + std::to_string(id); }

std::uint64_t RequestNumber(std::string_view name) {
  std::uint64_t id = 0;
  if (name.empty() || name[0] != 'r') return 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), id);
  return error == std::errc() && end == name.data() + name.size() ? id : 0;
}

}  // namespace oj
