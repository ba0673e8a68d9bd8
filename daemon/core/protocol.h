// The wire protocol: requests as types, parsing and its errors, replies as JSON text.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "oj/deadline.h"
#include "oj/error.h"

namespace oj {

inline constexpr int kProtocol = 1;
inline constexpr std::string_view kVersion = "0.1.0";

struct PingRequest {};
struct HelloRequest {
  std::string version;
};
struct StatusRequest {};
struct ShutdownRequest {
  bool kill = false;
  std::optional<Duration> drain;
};
struct SessionNewRequest {
  std::string id;
  std::string cwd;
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> env;
};
struct SessionSendRequest {
  std::string id;
  std::string input;
};
struct SessionKillRequest {
  std::string id;
};
struct PeekSessionRequest {
  std::string session_id;
  bool with_color = false;
  std::int64_t lines = 40;
};
// Without `name_space`: all of them.
struct SessionPruneRequest {
  bool all = false;  // also what is not old enough yet
  bool dry_run = false;
  std::optional<std::string> name_space;
};
struct WorkspaceAddRequest {
  std::string repo;                   // absolute path
  std::optional<std::string> branch;  // made unless it exists; absent: "oj/<id>"
  std::optional<std::string> name;    // the id; absent: one is made up
  std::string name_space;
};
// How workspaces are removed: what is clean and unused may go.
struct Removal {
  bool force = false;          // also what a user could lose, but never what is in use
  bool delete_branch = false;  // the branch too
  bool dry_run = false;        // only look
};
struct WorkspaceDropRequest {
  std::string id;
  Removal how;
};
struct WorkspaceDropFailedRequest {
  Removal how;
};
struct WorkspaceDropAllRequest {
  Removal how;
};
struct WorkspacePruneRequest {
  bool all = false;
  std::optional<std::string> name_space;
  Removal how;
};
// `workspace`: an id; `repo`: a new workspace of it; neither: the agent runs in `cwd`.
struct AgentRunRequest {
  std::string name;
  std::vector<std::string> command;
  std::optional<std::string> workspace;
  std::optional<std::string> repo;
  std::optional<std::string> cwd;
  std::string name_space;
};
struct AgentSendRequest {
  std::string agent_id;
  std::string message;
};
struct AgentResumeRequest {
  std::string agent_id;  // empty: all
  bool kill = false;     // also those that run
};
struct RequestsRequest {};
struct CancelRequestRequest {
  std::string id;
};
struct LocksRequest {};
struct DebugDumpRequest {
  bool redact = false;  // as always where recorder.redact is true
};
struct ListSessionsQuery {};
struct GetSessionQuery {
  std::string id;
};
struct ListWorkspacesQuery {};
struct GetWorkspaceQuery {
  std::string id;
};
struct ListAgentsQuery {
  std::optional<std::string> status;
};

using RequestBody =
    std::variant<PingRequest, HelloRequest, StatusRequest, ShutdownRequest, SessionNewRequest,
                 SessionSendRequest, SessionKillRequest, PeekSessionRequest, SessionPruneRequest,
                 WorkspaceAddRequest, WorkspaceDropRequest, WorkspaceDropFailedRequest,
                 WorkspaceDropAllRequest, WorkspacePruneRequest, AgentRunRequest, AgentSendRequest,
                 AgentResumeRequest, RequestsRequest, CancelRequestRequest, LocksRequest,
                 DebugDumpRequest, ListSessionsQuery, GetSessionQuery, ListWorkspacesQuery,
                 GetWorkspaceQuery, ListAgentsQuery>;

struct Request {
  RequestBody body;
  std::optional<Duration> timeout;  // how long the client will still wait
  std::string request_id;           // empty: none
  std::string digest;  // of the request but for these fields; where it has a request_id
  bool progress = false;
};

// What is taken off a client's timeout_ms, so that it has its answer before it gives up: 250 ms or
// a tenth, whichever is less.
inline Duration MarginOf(Duration timeout) {
  return std::min<Duration>(std::chrono::milliseconds(250), timeout / 10);
}

// The request's type on the wire, such as "PeekSession"; "Query" for all queries.
std::string_view TypeOf(const RequestBody& body);

// Parses one frame's payload. Error (kInvalidRequest): names the field and what it must be.
Result<Request> ParseRequest(std::string_view payload);

// `{"type":"Error",...}`.
std::string ErrorReply(const Error& error);

// A reply's frame: length and payload.
std::string Frame(std::string_view payload);

// Ids and names that reach a tool or a path: [A-Za-z0-9._-]{1,128}, not beginning with '-' or '.'.
bool IsValidId(std::string_view id);

// The same in every build and every life of a daemon (FNV-1a).
inline std::uint64_t StableHash(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325u) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// `text` with every byte sequence that is not UTF-8 replaced by U+FFFD.
std::string ToUtf8(std::string_view text);

}  // namespace oj
