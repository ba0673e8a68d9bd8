// What every Store must do: held against SqliteStore and against the simulation's MemoryStore.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "oj/store.h"

namespace oj {

// A record of each kind with `id`, all fields set, and with text that is not ASCII.
inline std::vector<Change> FullRecords(const std::string& id) {
  return {
      SessionRecord{
          id, "ns", "agent", "/дом/me", {"sh", "-c", "echo \"é\"\n", ""}, 1, SessionStatus::kLive},
      WorkspaceRecord{id, "ns", "/repo", "/w/日本", "main", "agent", WorkspaceStatus::kFailed,
                      2'000'000'000'000, "it's; DROP TABLE"},
      AgentRecord{id,
                  "näme",
                  "ns",
                  "session",
                  "workspace",
                  {"agent", "--x"},
                  AgentStatus::kExited,
                  3,
                  4,
                  -7},
      IntentRecord{id, "prune", "workspace:w", "{\"step\":\"trashed\"}", 5},
      ReplyRecord{id, "digest", "{\"type\":\"Pong\"}", 6},
  };
}

// The same with all that is optional absent, and empty texts.
inline std::vector<Change> BareRecords(const std::string& id) {
  return {
      SessionRecord{id, "", std::nullopt, "", {}, 0, SessionStatus::kGone},
      WorkspaceRecord{id, "", "", "", std::nullopt, std::nullopt, WorkspaceStatus::kCreating, 0,
                      std::nullopt},
      AgentRecord{
          id, "", "", std::nullopt, std::nullopt, {}, AgentStatus::kStarting, 0, 0, std::nullopt},
      IntentRecord{id, "", "", "", 0},
      ReplyRecord{id, "", "", 0},
  };
}

// What a store holds after `puts`, given in the order of their ids.
inline StateSnapshot SnapshotOf(const std::vector<Change>& puts) {
  StateSnapshot all;
  struct Append {
    StateSnapshot& to;
    void operator()(const SessionRecord& r) const { to.sessions.push_back(r); }
    void operator()(const WorkspaceRecord& r) const { to.workspaces.push_back(r); }
    void operator()(const AgentRecord& r) const { to.agents.push_back(r); }
    void operator()(const IntentRecord& r) const { to.intents.push_back(r); }
    void operator()(const ReplyRecord& r) const { to.replies.push_back(r); }
    void operator()(const Delete&) const {}
  };
  for (const Change& put : puts) std::visit(Append{all}, put);
  return all;
}

// How the store's world runs a task to its end.
struct StoreRunner {
  std::function<Result<StateSnapshot>(Task<Result<StateSnapshot>>)> load;
  std::function<Status(Task<Status>)> commit;
};

// `store` must be empty; it is left with records.
inline void RunStoreConformance(Store& store, const StoreRunner& run) {
  const auto commit = [&](std::vector<Change> changes) {
    const Status status = run.commit(store.Commit(std::move(changes)));
    return status.ok() ? std::string() : status.error().message;
  };
  const auto holds = [&](const std::vector<Change>& puts, const char* what) {
    auto all = run.load(store.Load());
    ASSERT_TRUE(all.ok()) << what << ": " << all.error().message;
    EXPECT_TRUE(*all == SnapshotOf(puts)) << what;
  };
  const auto joined = [](std::vector<Change> a, const std::vector<Change>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };

  holds({}, "a new store is empty");
  EXPECT_EQ(commit({}), "");
  EXPECT_EQ(commit(BareRecords("b")), "");
  EXPECT_EQ(commit(FullRecords("a")), "");
  holds(joined(FullRecords("a"), BareRecords("b")), "all fields come back, ordered by id");

  EXPECT_EQ(commit(FullRecords("b")), "");
  holds(joined(FullRecords("a"), FullRecords("b")), "a put replaces the whole record");
  EXPECT_EQ(commit(BareRecords("b")), "");
  holds(joined(FullRecords("a"), BareRecords("b")), "also what was set and is absent now");

  std::vector<Change> changes = FullRecords("c");
  for (const auto kind : {RecordKind::kSession, RecordKind::kWorkspace, RecordKind::kAgent,
                          RecordKind::kIntent, RecordKind::kReply}) {
    changes.emplace_back(Delete{kind, "c"});
    changes.emplace_back(Delete{kind, "a"});
    changes.emplace_back(Delete{kind, "never was"});
  }
  EXPECT_EQ(commit(changes), "");
  holds(BareRecords("b"), "changes are made in order; deleting nothing is no error");
  EXPECT_EQ(commit({Delete{RecordKind::kAgent, "b"}}), "");
  auto all = run.load(store.Load());
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->agents.size(), 0U);
  EXPECT_EQ(all->sessions.size(), 1U) << "a delete is of its kind only";
}

}  // namespace oj
