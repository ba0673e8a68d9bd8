#include "sim/memory_store.h"

#include <algorithm>
#include <utility>

#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A commit's ways: as it should be, slower and slower, and two failures.
constexpr Duration kTakes[] = {microseconds(150), milliseconds(10),  milliseconds(200),
                               kLongestCommit,    microseconds(150), milliseconds(100)};
constexpr std::uint32_t kFirstFailure = 4;
constexpr Duration kFull[] = {milliseconds(200), milliseconds(2000), milliseconds(8000)};

const std::string& KeyOf(const ReplyRecord& record) { return record.request_id; }
template <class Record>
const std::string& KeyOf(const Record& record) {
  return record.id;
}

template <class Record>
void Put(Record record, std::vector<Record>& to) {
  const auto at = std::lower_bound(
      to.begin(), to.end(), KeyOf(record),
      [](const Record& each, const std::string& key) { return KeyOf(each) < key; });
  if (at != to.end() && KeyOf(*at) == KeyOf(record)) {
    *at = std::move(record);
  } else {
    to.insert(at, std::move(record));
  }
}

template <class Record>
void Erase(const std::string& key, std::vector<Record>& from) {
  std::erase_if(from, [&key](const Record& each) { return KeyOf(each) == key; });
}

struct Applier {
  StateSnapshot& to;
  void operator()(SessionRecord record) const { Put(std::move(record), to.sessions); }
  void operator()(WorkspaceRecord record) const { Put(std::move(record), to.workspaces); }
  void operator()(AgentRecord record) const { Put(std::move(record), to.agents); }
  void operator()(IntentRecord record) const { Put(std::move(record), to.intents); }
  void operator()(ReplyRecord record) const { Put(std::move(record), to.replies); }
  void operator()(const Delete& gone) const {
    switch (gone.kind) {
      case RecordKind::kSession:
        return Erase(gone.id, to.sessions);
      case RecordKind::kWorkspace:
        return Erase(gone.id, to.workspaces);
      case RecordKind::kAgent:
        return Erase(gone.id, to.agents);
      case RecordKind::kIntent:
        return Erase(gone.id, to.intents);
      case RecordKind::kReply:
        return Erase(gone.id, to.replies);
    }
  }
};

}  // namespace

void ApplyChange(Change change, StateSnapshot& to) { std::visit(Applier{to}, std::move(change)); }

MemoryStore::~MemoryStore() {
  for (const auto& order : orders_) Apply(*order);
}

void MemoryStore::Crash() {
  if (orders_.empty()) return;
  const std::uint32_t lost = decisions_.Pick(sites::kCrashPoint, 0, 2);
  if (lost == 0) Apply(*orders_.front());
  orders_.clear();
}

Task<Result<StateSnapshot>> MemoryStore::Load() {
  co_await CancellationPoint();
  co_return durable_;
}

Task<Status> MemoryStore::Commit(std::vector<Change> changes) {
  co_await CancellationPoint();
  auto order = std::make_shared<Order>();
  order->changes = std::move(changes);
  const auto n = static_cast<std::uint32_t>(std::size(kTakes));
  const std::uint32_t way = decisions_.Pick(sites::kCommit, 0, n);
  order->fails = DiskIsFull() || way >= kFirstFailure;
  order->takes = kTakes[way];
  orders_.push_back(order);
  if (orders_.size() == 1) BeginNext();
  enum : std::uint32_t { kBefore = 1, kAfter, kCrashes };
  const std::uint32_t crash = decisions_.Pick(sites::kCrashAtCommit, 0, kCrashes);
  order->crashes = crash == kAfter;
  if (crash == kBefore && hooks_.crash) hooks_.crash();
  auto done = order->done.WaitSet();
  co_await std::move(done);
  if (order->fails) co_return Error{ErrorCode::kUnavailable, "state.db: disk full (simulated)", ""};
  co_return Ok{};
}

bool MemoryStore::DiskIsFull() {
  if (hooks_.full_until == nullptr) return false;
  if (loop_.Now() < *hooks_.full_until) return true;
  const std::uint32_t full = decisions_.Pick(sites::kDiskFull, 0, 1 + std::size(kFull));
  if (full == 0) return false;
  *hooks_.full_until = loop_.Now() + kFull[full - 1];
  return true;
}

void MemoryStore::BeginNext() {
  loop_.Arm(done_, Deadline::After(loop_.Now(), orders_.front()->takes));
}

void MemoryStore::OnDone() {
  const std::shared_ptr<Order> order = std::move(orders_.front());
  orders_.pop_front();
  Apply(*order);
  order->done.Set();
  if (order->crashes && hooks_.crash) hooks_.crash();
  if (!orders_.empty()) BeginNext();
}

void MemoryStore::Apply(Order& order) {
  if (order.fails) return;
  for (Change& change : order.changes) ApplyChange(std::move(change), durable_);
  if (hooks_.on_durable) hooks_.on_durable();
}

}  // namespace oj::sim
