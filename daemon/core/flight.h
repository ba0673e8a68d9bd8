// Flight: one request in flight, which identical requests may join: what it is doing, who waits for
// it, until when. FlightTable: all of them, and the one place where they begin, are cancelled and
// end.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oj/clock.h"
#include "oj/error.h"
#include "oj/event_log.h"
#include "oj/nursery.h"
#include "oj/wait_queue.h"

namespace oj {

// A reply's payload (JSON text), or an Error.
using Reply = Result<std::string>;

class Flight;

// A client's interest in a flight; lives in the connection's frame. The bell rings at news.
struct Waiter {
  explicit Waiter(Deadline until) : deadline(until) {}
  void Settle() {
    settled = true;
    bell.Ring();
  }
  void Tell() {
    progressed = true;
    bell.Ring();
  }

  Deadline deadline;
  bool settled = false;     // the flight has ended, or nobody waits for it any more
  bool progressed = false;  // the flight has, since this was last false
  Bell bell;
};

// How far a flight with several units has got.
struct Progress {
  std::size_t done = 0;
  std::size_t total = 0;
  std::string item;                    // the last that was done
  std::vector<std::string> under_way;  // those that have begun and not ended, a few
};

class Flight final : private Timer {
 public:
  struct Child {
    int pid = 0;
    std::string command;  // argv, with a NUL between
    Instant since;
    bool ending = false;  // it is being killed
  };

  Flight(std::uint64_t number, std::string request_type, std::string key, int pid, Instant now,
         EventLog& log, std::string name = "", std::string body = "")
      : id(number),
        type(std::move(request_type)),
        join_key(std::move(key)),
        request_id(std::move(name)),
        digest(std::move(body)),
        client_pid(pid),
        begun(now),
        log_(log) {}

  const std::uint64_t id;
  const std::string type;
  std::string join_key;          // of those who may share it, while what it sees is fresh; or empty
  const std::string request_id;  // the client's name for it; may be empty
  const std::string digest;      // of the request, where it has a name
  const int client_pid;          // of the first waiter
  const Instant begun;

  // What `oj requests` shows; kept by the handler's tools.
  std::string state = "running";
  std::string waiting_for;
  std::vector<std::string> locks;
  std::list<Child> children;
  // What is done and what remains, for the error of one that is cancelled: gives a JSON object;
  // may be empty.
  std::function<std::string()> outcome;

  // Each is a sign of life to who waits: how many units there are, that one begins, that it has
  // ended. Who is slow hears of the last state only.
  void Expect(std::size_t units) {
    progress_.total = units;
    Tell();
  }
  void Start(std::string item) {
    progress_.under_way.push_back(std::move(item));
    Tell();
  }
  void Advance(std::string item) {
    ++progress_.done;
    std::erase(progress_.under_way, item);
    progress_.item = std::move(item);
    Tell();
  }
  const Progress& progress() const { return progress_; }

  // Steps 1 and 2 of the order of a cancel: the first reason is latched, and nobody joins any more.
  void Latch(CancelReason reason) noexcept;
  CancelReason latched() const { return scope_.reason(); }
  bool joinable() const { return !scope_.cancelled() && !reply_; }
  Deadline deadline() const { return deadline_; }
  std::size_t waiters() const { return waiters_.size(); }
  bool ended() const { return reply_.has_value(); }
  // Once it has ended.
  const Reply& reply() const { return *reply_; }

 private:
  friend class FlightTable;
  void Tell() {
    for (Waiter* each : waiters_) each->Tell();
  }
  void OnDue() noexcept override { Latch(CancelReason::kDeadline); }

  EventLog& log_;
  CancelScope scope_{nullptr};  // ended by Latch only: every reason comes through there
  Deadline deadline_ = Deadline::Never();
  std::vector<Waiter*> waiters_;
  Progress progress_;
  std::optional<Reply> reply_;
};

class FlightTable {
 public:
  // Flights run in `nursery`, which must end before the table.
  FlightTable(Clock& clock, EventLog& log, Nursery& nursery)
      : clock_(clock), log_(log), nursery_(nursery) {}

  using Handler = std::function<Task<Reply>(Flight&)>;
  struct Launch {
    std::string type;
    std::string join_key;
    int client_pid = 0;
    std::uint64_t connection = 0;
    Handler handler;
    std::string request_id;
    std::string digest;
    std::size_t beyond = 0;  // limits.max_requests it may be by so many
  };

  // Joins the flight with the same key or request id if it can still be joined, else starts one.
  // `waiter` must stay until Leave. The flight's deadline is the latest of its waiters'.
  std::shared_ptr<Flight> Join(Launch launch, Waiter& waiter);
  // The waiter's deadline has changed.
  void Renew(Flight& flight) {
    if (flight.joinable()) SetDeadline(flight);
  }
  // The waiter has no interest any more; when it was the last, the flight is cancelled.
  void Leave(Flight& flight, Waiter& waiter, CancelReason reason) noexcept;

  std::shared_ptr<Flight> Find(std::uint64_t id) const;
  const std::map<std::uint64_t, std::shared_ptr<Flight>>& all() const { return flights_; }
  std::uint64_t begun() const { return last_id_; }
  void LatchAll(CancelReason reason) noexcept;
  // Waits until no flight is left.
  Task<void> Empty();

 private:
  Task<void> Fly(std::shared_ptr<Flight> flight, Handler handler);
  Task<Reply> Handle(Flight& flight, const Handler& handler);
  void SetDeadline(Flight& flight);

  Clock& clock_;
  EventLog& log_;
  Nursery& nursery_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<Flight>> flights_;
  WaitQueue<bool> empty_;
};

// The `detail` of a deadline_exceeded: the limit that was hit, the time it took, and what was
// waited for then.
std::string DeadlineDetail(const Flight& flight, Duration limit, Duration elapsed);

// "r17": a request's id as people see it, and back (0: it is none).
std::string RequestName(std::uint64_t id);
std::uint64_t RequestNumber(std::string_view name);

}  // namespace oj
