#include "core/reconcile.h"

#include <utility>

#include "core/workspace_intents.h"

namespace oj {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds(2);

// The repository of a workspace's intent, by its common directory; nothing: no workspace's.
Result<std::string> RepoOf(const IntentRecord& record) {
  if (record.kind == "add") {
    auto intent = AddIntentOf(record);
    if (!intent) return std::move(intent).error();
    return intent->repo;
  }
  if (record.kind == "remove") {
    auto intent = RemoveIntentOf(record);
    if (!intent) return std::move(intent).error();
    return intent->repo;
  }
  return std::string();
}

Task<Status> SettleOne(Core& core, Flight& recover, IntentRecord record) {
  auto repo = RepoOf(record);
  if (!repo) co_return std::move(repo).error();
  if (repo->empty()) co_return Ok{};
  const Repository repository{*repo, *repo};
  std::vector<std::string> ids{record.subject};
  auto lock = LockRepository(core, recover, repository, std::move(ids));
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto settle = SettleWorkspace(core, *lease, record.subject);
  auto settled = co_await std::move(settle);
  co_return std::move(settled);
}

}  // namespace

Task<void> Reconcile(Core& core) {
  Flight recover(0, "Recover", "", 0, core.seams.clock.Now(), core.seams.log);
  while (!core.Alone()) co_await SleepFor(core.seams.clock, kAskAgain);
  std::vector<IntentRecord> found;
  for (const auto& [id, record] : core.state.All<IntentRecord>()) found.push_back(record);
  for (const IntentRecord& record : found) {
    auto settle = SettleOne(core, recover, record);
    const Status settled = co_await std::move(settle);
    if (!settled) {
      core.seams.log.Record({EventKind::kUnsettled, 0, 0, 0, settled.error().message});
    }
  }
}

}  // namespace oj
