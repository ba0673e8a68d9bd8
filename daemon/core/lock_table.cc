#include "core/lock_table.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace oj {

Lease::Lease(Lease&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      holder_(other.holder_),
      held_(std::move(other.held_)) {}

Lease::~Lease() {
  if (table_ == nullptr) return;
  for (const LockRequest& each : held_) table_->Release(each.key, holder_);
}

void Lease::Quarantine(Lease lease, std::string why, int pid, Task<void> until) {
  LockTable& table = *lease.table_;
  for (const LockRequest& each : lease.held_) {
    LockTable::Key& key = table.keys_.find(each.key)->second;
    key.quarantines.push_back({lease.holder_, why, pid});
    table.log_.Record({EventKind::kKeyQuarantined, 0, lease.holder_, pid, each.key});
    // Whoever waits learns that it would wait in vain.
    while (!key.waiters.empty()) {
      key.waiters.front()->refusal = LockTable::Busy(each.key, key);
      key.waiters.WakeFront();
    }
  }
  table.background_.Start(table.KeepUntil(std::move(lease), std::move(until)));
}

Task<void> LockTable::KeepUntil(Lease lease, Task<void> until) {
  co_await std::move(until);
  for (const LockRequest& each : lease.held_) {
    std::erase_if(keys_.find(each.key)->second.quarantines,
                  [&lease](const Quarantined& one) { return one.holder == lease.holder_; });
    log_.Record({EventKind::kKeyFreed, 0, lease.holder_, 0, each.key});
  }
}

Task<Result<Lease>> LockTable::Acquire(std::uint64_t holder, std::vector<LockRequest> requests) {
  std::sort(requests.begin(), requests.end(),
            [](const LockRequest& a, const LockRequest& b) { return a.key < b.key; });
  Lease lease(*this, holder);
  for (LockRequest& request : requests) {
    auto acquire = AcquireOne(holder, request);
    Status status = co_await std::move(acquire);
    if (!status) co_return std::move(status).error();
    lease.held_.push_back(std::move(request));
  }
  co_return std::move(lease);
}

Task<Status> LockTable::AcquireOne(std::uint64_t holder, LockRequest request) {
  co_await CancellationPoint();  // a key that is free would be had without a wait
  Key& key = keys_[request.key];
  if (!key.quarantines.empty()) co_return Busy(request.key, key);
  if (key.waiters.empty() && key.Admits(request.mode)) {
    Grant(key, request.key, holder, request.mode);
    co_return Ok{};
  }
  log_.Record(
      {EventKind::kLeaseWaiting, 0, holder, request.mode == LockMode::kExclusive, request.key});
  Want want{holder, request.mode, false, {}};
  CancelReason cancelled = CancelReason::kNone;
  try {
    auto turn = key.waiters.Enter(&want);
    co_await turn;
  } catch (const Cancelled& cancel) {
    cancelled = cancel.reason;
  }
  if (cancelled != CancelReason::kNone) {
    HandOn(request.key);  // it may have been all that kept those behind it waiting
    throw Cancelled{cancelled};
  }
  // The key may be forgotten by now.
  if (!want.granted) co_return std::move(want.refusal);
  co_return Ok{};
}

void LockTable::Grant(Key& key, std::string_view name, std::uint64_t request, LockMode mode) {
  key.holders.push_back(Holder{request, mode, clock_.Now()});
  log_.Record({EventKind::kLeaseGranted, 0, request, mode == LockMode::kExclusive, name});
}

void LockTable::HandOn(const std::string& name) {
  const auto at = keys_.find(name);
  if (at == keys_.end()) return;
  Key& key = at->second;
  while (!key.waiters.empty() && key.Admits(key.waiters.front()->mode)) {
    Want& want = *key.waiters.front();
    want.granted = true;
    Grant(key, name, want.request, want.mode);
    key.waiters.WakeFront();
  }
  if (key.holders.empty() && key.waiters.empty()) keys_.erase(at);
}

void LockTable::Release(const std::string& name, std::uint64_t holder) {
  Key& key = keys_.find(name)->second;
  const auto at = std::find_if(key.holders.begin(), key.holders.end(),
                               [holder](const Holder& each) { return each.request == holder; });
  assert(at != key.holders.end());
  key.holders.erase(at);
  log_.Record({EventKind::kLeaseReleased, 0, holder, 0, name});
  HandOn(name);
}

Error LockTable::Busy(std::string_view name, const Key& key) {
  return {
      ErrorCode::kBusy,
      std::string(name) + " is in quarantine: " + key.quarantines.front().why + "; see `oj locks`",
      R"({"retry_after_ms":1000,"pid":)" + std::to_string(key.quarantines.front().pid) + "}"};
}

std::vector<LockTable::Row> LockTable::Rows() {
  std::vector<Row> rows;
  for (auto& [name, key] : keys_) {
    std::vector<std::uint64_t> waiters;
    key.waiters.ForEach([&waiters](const Want* want) { waiters.push_back(want->request); });
    for (const Holder& holder : key.holders) {
      const Quarantined* one = key.QuarantineOf(holder.request);
      rows.push_back(Row{name, holder, waiters, one == nullptr ? "" : one->why});
    }
  }
  return rows;
}

bool LockTable::InUse(const std::string& key) const {
  const auto at = keys_.find(key);
  if (at == keys_.end()) return false;
  const auto& holders = at->second.holders;
  return std::any_of(holders.begin(), holders.end(), [&](const Holder& each) {
    return at->second.QuarantineOf(each.request) == nullptr;
  });
}

}  // namespace oj
