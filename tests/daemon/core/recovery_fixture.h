// A daemon that starts on what another one left: intents of workspace w1, and what lies on the
// disk.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "core/workspace_intents.h"
#include "server_fixture.h"

namespace oj {

inline constexpr char kPath[] = "/state/workspaces/w1";
inline constexpr char kEntry[] = "/repo/.git/worktrees/w1";
inline constexpr char kTrash[] = "/state/workspaces/.trash/w1.7";

class RecoveryTest : public ServerTest {
 protected:
  RecoveryTest() { files.directories.emplace(); }

  void KnowWorkspace(WorkspaceStatus status) {
    WorkspaceRecord record;
    record.id = "w1";
    record.repo = "/repo";
    record.path = kPath;
    record.branch = "oj/w1";
    record.status = status;
    store.snapshot.workspaces.push_back(std::move(record));
  }
  void KnowAdd(std::optional<std::string> start) {
    KnowWorkspace(WorkspaceStatus::kCreating);
    const AddIntent intent{"/repo/.git", kPath, "oj/w1", kTrash, std::move(start)};
    store.snapshot.intents.push_back(ToRecord(intent, "w1", 0));
  }
  void KnowRemoval(bool delete_branch = false) {
    KnowWorkspace(WorkspaceStatus::kRemoving);
    RemoveIntent intent;
    intent.repo = "/repo/.git";
    intent.path = kPath;
    intent.trash = kTrash;
    intent.head = "aaaa";
    intent.branch = "oj/w1";
    intent.how.delete_branch = delete_branch;
    store.snapshot.intents.push_back(ToRecord(intent, "w1", 0));
  }
  void TreeIs(const std::string& more) {
    using namespace std::string_literals;
    runner.Answer("status", 0, "# branch.oid aaaa\0# branch.head oj/w1\0"s + more);
  }
  void TheEntryIsThere() {
    using namespace std::string_literals;
    runner.Answer("worktree list", 0, "worktree "s + kPath + "\0HEAD aaaa\0\0"s);
  }
  // Of the state as it is in the store now.
  Log Intents() const {
    std::set<std::string> ids;
    for (const auto& record : store.snapshot.intents) ids.insert(record.id);
    for (const auto& changes : store.commits) {
      for (const Change& change : changes) {
        if (const auto* put = std::get_if<IntentRecord>(&change)) ids.insert(put->id);
        const auto* gone = std::get_if<Delete>(&change);
        if (gone != nullptr && gone->kind == RecordKind::kIntent) ids.erase(gone->id);
      }
    }
    return {ids.begin(), ids.end()};
  }
  std::string Ask(std::string_view payload) {
    Peer peer = Connect();
    peer.Ask(payload);
    const auto replies = peer.Replies();
    return replies.size() == 1 ? replies[0] : std::to_string(replies.size()) + " replies";
  }
  std::string Show() {
    return Ask(R"({"type":"Query","query":{"type":"GetWorkspace","id":"w1"}})");
  }
  void ExpectGone() {
    EXPECT_THAT(Show(), ::testing::HasSubstr(R"("workspace":null)"));
    EXPECT_THAT(Intents(), ::testing::IsEmpty());
    EXPECT_THAT(*files.directories, ::testing::IsEmpty());
  }
};

}  // namespace oj
