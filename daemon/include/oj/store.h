// Store: the durable state. The core keeps all of it in memory; the store loads it once and then
// makes changes durable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "oj/deadline.h"
#include "oj/error.h"
#include "oj/task.h"

namespace oj {

enum class SessionStatus : std::uint8_t { kLive, kGone, kUnknown };
enum class WorkspaceStatus : std::uint8_t { kCreating, kReady, kRemoving, kFailed };
enum class AgentStatus : std::uint8_t { kStarting, kRunning, kExited, kGone, kUnknown };

struct SessionRecord {
  std::string id;
  std::string name_space;
  std::optional<std::string> agent_id;
  std::string cwd;
  std::vector<std::string> command;
  WallMillis created_at_ms = 0;
  SessionStatus status = SessionStatus::kUnknown;
  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

struct WorkspaceRecord {
  std::string id;
  std::string name_space;
  std::string repo;
  std::string path;
  std::optional<std::string> branch;
  std::optional<std::string> agent_id;
  WorkspaceStatus status = WorkspaceStatus::kCreating;
  WallMillis created_at_ms = 0;
  std::optional<std::string> error;
  friend bool operator==(const WorkspaceRecord&, const WorkspaceRecord&) = default;
};

struct AgentRecord {
  std::string id;
  std::string name;
  std::string name_space;
  std::optional<std::string> session_id;
  std::optional<std::string> workspace_id;
  std::vector<std::string> command;
  AgentStatus status = AgentStatus::kStarting;
  WallMillis created_at_ms = 0;
  WallMillis updated_at_ms = 0;
  std::optional<int> exit;
  friend bool operator==(const AgentRecord&, const AgentRecord&) = default;
};

// Something begun that must be finished or undone after a crash.
struct IntentRecord {
  std::string id;
  std::string kind;
  std::string subject;
  std::string detail;  // JSON text
  WallMillis created_at_ms = 0;
  friend bool operator==(const IntentRecord&, const IntentRecord&) = default;
};

struct ReplyRecord {
  std::string request_id;
  std::string digest;
  std::string reply;  // JSON text
  WallMillis finished_at_ms = 0;
  friend bool operator==(const ReplyRecord&, const ReplyRecord&) = default;
};

enum class RecordKind : std::uint8_t { kSession, kWorkspace, kAgent, kIntent, kReply };

// Put inserts or replaces by id; Delete removes by id (the request_id of a reply) and is no error
// if there is none.
struct Delete {
  RecordKind kind = RecordKind::kSession;
  std::string id;
};
using Change =
    std::variant<SessionRecord, WorkspaceRecord, AgentRecord, IntentRecord, ReplyRecord, Delete>;

// Everything, each list ordered by id.
struct StateSnapshot {
  std::vector<SessionRecord> sessions;
  std::vector<WorkspaceRecord> workspaces;
  std::vector<AgentRecord> agents;
  std::vector<IntentRecord> intents;
  std::vector<ReplyRecord> replies;
  friend bool operator==(const StateSnapshot&, const StateSnapshot&) = default;
};

// Implementations: SqliteStore (os, on a thread of its own), MemoryStore (simulation). What has
// begun cannot be cancelled: await it inside a Shield. An operation whose awaiter has gone is
// carried out all the same.
class Store {
 public:
  virtual ~Store() = default;
  virtual Task<Result<StateSnapshot>> Load() = 0;
  // All changes or none, in order, durable when it returns. Error: kUnavailable, names the cause.
  virtual Task<Status> Commit(std::vector<Change> changes) = 0;
};

}  // namespace oj
