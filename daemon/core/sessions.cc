#include "core/sessions.h"

#include <utility>

namespace oj {
namespace {
// A commit is an fsync. A disk that takes longer than this is as good as none.
constexpr Duration kStoreLimit = std::chrono::seconds(5);
const Error kTooSlow{ErrorCode::kUnavailable,
                     "the state file could not be read or written within 5000 ms", ""};
}  // namespace

Task<Status> Sessions::Load() {
  auto load = store_.Load();
  auto bounded = Shield(clock_, Deadline::After(clock_.Now(), kStoreLimit), std::move(load));
  auto loaded = co_await std::move(bounded);
  if (!loaded) co_return kTooSlow;
  if (!*loaded) co_return loaded->error();
  for (SessionRecord& record : loaded->value().sessions) {
    std::string id = record.id;
    records_.emplace(std::move(id), std::move(record));
  }
  co_return Ok{};
}

const SessionRecord* Sessions::Find(const std::string& id) const {
  const auto at = records_.find(id);
  return at == records_.end() ? nullptr : &at->second;
}

Task<Status> Sessions::Put(SessionRecord record) {
  auto commit = Commit(record);
  Status status = co_await std::move(commit);
  if (status) records_.insert_or_assign(record.id, record);
  co_return status;
}

Task<Status> Sessions::Remove(std::string id) {
  auto commit = Commit(Delete{RecordKind::kSession, id});
  Status status = co_await std::move(commit);
  if (status) records_.erase(id);
  co_return status;
}

Task<Status> Sessions::Commit(Change change) {
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  auto commit = store_.Commit(std::move(changes));
  auto bounded = Shield(clock_, Deadline::After(clock_.Now(), kStoreLimit), std::move(commit));
  auto committed = co_await std::move(bounded);
  if (!committed) co_return kTooSlow;
  co_return std::move(*committed);
}

}  // namespace oj
