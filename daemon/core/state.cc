#include "core/state.h"

#include <type_traits>

namespace oj {
namespace {

// A commit is an fsync. A disk that takes longer than this is as good as none.
constexpr Duration kStoreLimit = std::chrono::seconds(5);
const Error kTooSlow{ErrorCode::kUnavailable,
                     "the state file could not be read or written within 5000 ms", ""};

const std::string& IdOf(const ReplyRecord& record) { return record.request_id; }
template <class Record>
const std::string& IdOf(const Record& record) {
  return record.id;
}

template <class Record>
void Fill(std::vector<Record> records, State::Table<Record>& table) {
  for (Record& record : records) {
    std::string id = IdOf(record);
    table.emplace(std::move(id), std::move(record));
  }
}

}  // namespace

Task<Status> State::Load() {
  auto load = store_.Load();
  auto bounded = Shield(clock_, Deadline::After(clock_.Now(), kStoreLimit), std::move(load));
  auto loaded = co_await std::move(bounded);
  if (!loaded) co_return kTooSlow;
  if (!*loaded) co_return loaded->error();
  StateSnapshot& found = loaded->value();
  // Whoever made them is dead; whether they run, tmux will tell.
  for (SessionRecord& session : found.sessions) {
    if (session.status == SessionStatus::kLive) session.status = SessionStatus::kUnknown;
  }
  for (AgentRecord& agent : found.agents) {
    if (agent.status == AgentStatus::kStarting) agent.status = AgentStatus::kUnknown;
  }
  Fill(std::move(found.sessions), std::get<Table<SessionRecord>>(tables_));
  Fill(std::move(found.workspaces), std::get<Table<WorkspaceRecord>>(tables_));
  Fill(std::move(found.agents), std::get<Table<AgentRecord>>(tables_));
  Fill(std::move(found.intents), std::get<Table<IntentRecord>>(tables_));
  Fill(std::move(found.replies), std::get<Table<ReplyRecord>>(tables_));
  co_return Ok{};
}

Task<Status> State::Commit(Change change) {
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  auto commit = Commit(std::move(changes));
  auto status = co_await std::move(commit);
  co_return std::move(status);
}

Task<Status> State::Commit(std::vector<Change> changes) {
  auto commit = store_.Commit(changes);
  auto bounded = Shield(clock_, Deadline::After(clock_.Now(), kStoreLimit), std::move(commit));
  auto committed = co_await std::move(bounded);
  if (!committed) co_return kTooSlow;
  if (*committed) {
    for (Change& change : changes) Apply(std::move(change));
  }
  co_return std::move(*committed);
}

void State::Apply(Change change) {
  const auto apply = [this](auto record) {
    using Record = decltype(record);
    if constexpr (std::is_same_v<Record, Delete>) {
      const auto erase = [&record](auto& table) { table.erase(record.id); };
      switch (record.kind) {
        case RecordKind::kSession:
          return erase(std::get<Table<SessionRecord>>(tables_));
        case RecordKind::kWorkspace:
          return erase(std::get<Table<WorkspaceRecord>>(tables_));
        case RecordKind::kAgent:
          return erase(std::get<Table<AgentRecord>>(tables_));
        case RecordKind::kIntent:
          return erase(std::get<Table<IntentRecord>>(tables_));
        case RecordKind::kReply:
          return erase(std::get<Table<ReplyRecord>>(tables_));
      }
    } else {
      std::string id = IdOf(record);
      std::get<Table<Record>>(tables_).insert_or_assign(std::move(id), std::move(record));
    }
  };
  std::visit(apply, std::move(change));
}

}  // namespace oj
