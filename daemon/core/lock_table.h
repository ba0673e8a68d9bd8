// LockTable: leases on named resources, shared or exclusive, FIFO. A lease is held until every
// process that could still touch the resource is dead; if that cannot be achieved the key is
// quarantined: newcomers get `busy`, and nobody else gets the key until the condition is met.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "oj/clock.h"
#include "oj/error.h"
#include "oj/event_log.h"
#include "oj/nursery.h"
#include "oj/wait_queue.h"

namespace oj {

enum class LockMode : std::uint8_t { kShared, kExclusive };

struct LockRequest {
  std::string key;  // such as "session:work"
  LockMode mode = LockMode::kExclusive;
};

class LockTable;

// What a holder of the table has, from Acquire until it is destroyed. Must not outlive the table.
class Lease {
 public:
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  // The resource is not safe to hand on: keeps the keys, in the background, until `until` has
  // ended. `why` is a line for people; `pid` the process that cannot be ended, or 0.
  static void Quarantine(Lease lease, std::string why, int pid, Task<void> until);

  std::uint64_t holder() const { return holder_; }
  bool live() const { return table_ != nullptr; }  // false once moved from

 private:
  friend class LockTable;
  Lease(LockTable& table, std::uint64_t holder) : table_(&table), holder_(holder) {}

  LockTable* table_;  // null once moved from
  std::uint64_t holder_;
  std::vector<LockRequest> held_;  // in sorted order
};

class LockTable {
 public:
  // `background` runs what waits for quarantined keys; it must end before the table.
  LockTable(Clock& clock, EventLog& log, Nursery& background)
      : clock_(clock), log_(log), background_(background) {}

  // Waits for its turn on all keys, one after the other in sorted order. `holder` is a request's
  // id. Error kBusy: a key is, or becomes, quarantined. Throws Cancelled and then holds nothing.
  Task<Result<Lease>> Acquire(std::uint64_t holder, std::vector<LockRequest> requests);

  struct Holder {
    std::uint64_t request = 0;
    LockMode mode = LockMode::kShared;
    Instant since;
  };
  // What `oj locks` shows: one row for each holder of each key that is held.
  struct Row {
    std::string key;
    Holder holder;
    std::vector<std::uint64_t> waiters;
    std::string quarantine;  // why, or empty
  };
  std::vector<Row> Rows();
  // Whether somebody holds the key who is at work; not one who is in quarantine.
  bool InUse(const std::string& key) const;
  std::size_t held() const { return keys_.size(); }

 private:
  friend class Lease;
  struct Want {
    std::uint64_t request = 0;
    LockMode mode = LockMode::kShared;
    bool granted = false;
    Error refusal{};  // why it was woken without a grant
  };
  struct Quarantined {
    std::uint64_t holder = 0;
    std::string why;
    int pid = 0;
  };
  struct Key {
    std::list<Holder> holders;
    WaitQueue<Want*> waiters;
    std::vector<Quarantined> quarantines;  // of several holders, where the key is shared

    const Quarantined* QuarantineOf(std::uint64_t holder) const {
      for (const Quarantined& each : quarantines) {
        if (each.holder == holder) return &each;
      }
      return nullptr;
    }
    bool Admits(LockMode mode) const {
      return quarantines.empty() &&
             (holders.empty() ||
              (mode == LockMode::kShared && holders.front().mode == LockMode::kShared));
    }
  };

  Task<Status> AcquireOne(std::uint64_t holder, LockRequest request);
  void Grant(Key& key, std::string_view name, std::uint64_t request, LockMode mode);
  // Hands the key on to as many waiters as it admits; forgets it when nobody needs it.
  void HandOn(const std::string& name);
  void Release(const std::string& name, std::uint64_t holder);
  Task<void> KeepUntil(Lease lease, Task<void> until);
  static Error Busy(std::string_view name, const Key& key);

  Clock& clock_;
  EventLog& log_;
  Nursery& background_;
  std::map<std::string, Key, std::less<>> keys_;
};

}  // namespace oj
