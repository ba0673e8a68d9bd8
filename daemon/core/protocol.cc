#include "core/protocol.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "core/fields.h"

namespace oj {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxRequestIdBytes = 128;
// tmux takes a command of at most 16 KiB from its client; this leaves room for the rest of it.
constexpr std::size_t kMaxInputBytes = 15 << 10;
constexpr std::size_t kMaxBranchBytes = 200;
constexpr std::size_t kMaxAgentNameBytes = 64;  // an agent's id is longer by a suffix
constexpr std::int64_t kMaxLines = 1'000'000;

// What a client sent, for a line that people read.
std::string Quoted(std::string_view text) {
  constexpr std::size_t kMost = 64;
  std::string line = "'";
  for (const char c : ToUtf8(text.substr(0, kMost))) {
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return line + (text.size() > kMost ? "...'" : "'");
}

void ForbidNul(Fields& in, std::string_view name, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) in.Fail(name, "must not contain a NUL byte");
}

// `others`: bytes of what goes to tmux with it.
void CheckCommand(Fields& in, const std::vector<std::string>& command, std::size_t others) {
  std::size_t bytes = others;
  for (const std::string& argument : command) {
    ForbidNul(in, "command", argument);
    bytes += argument.size() + 1;
  }
  if (bytes > kMaxInputBytes) {
    in.Fail("command", "with cwd and env must not exceed " + std::to_string(kMaxInputBytes) +
                           " bytes (the limit of one tmux command)");
  }
}

void CheckInput(Fields& in, std::string_view name, std::string_view input) {
  ForbidNul(in, name, input);
  if (input.size() > kMaxInputBytes) {
    in.Fail(name, "must not exceed " + std::to_string(kMaxInputBytes) +
                      " bytes (the limit of one tmux command)");
  }
}

RequestBody ReadSessionNew(Fields& in) {
  SessionNewRequest body;
  body.id = in.SessionId("id");
  body.cwd = in.String("cwd");
  body.command = in.Strings("command");
  body.env = in.Map("env");
  if (!in.error() && body.cwd.substr(0, 1) != "/") in.Fail("cwd", "must be an absolute path");
  if (!in.error() && body.command.empty()) in.Fail("command", "must not be empty");
  ForbidNul(in, "cwd", body.cwd);
  if (body.cwd.find("#[") != std::string::npos) {
    in.Fail("cwd", "must not contain '#[': tmux cannot be told of such a directory");
  }
  std::size_t bytes = body.cwd.size();
  for (const auto& [key, value] : body.env) {
    if (key.empty() || key.find('=') != std::string::npos) {
      in.Fail("env", "must have names that are not empty and contain no '='");
    }
    ForbidNul(in, "env", key);
    ForbidNul(in, "env", value);
    bytes += key.size() + value.size() + 2;
  }
  CheckCommand(in, body.command, bytes);
  return body;
}

RequestBody ReadSessionSend(Fields& in) {
  SessionSendRequest body;
  body.id = in.SessionId("id");
  body.input = in.String("input");
  CheckInput(in, "input", body.input);
  return body;
}

RequestBody ReadPeek(Fields& in) {
  PeekSessionRequest body;
  body.session_id = in.SessionId("session_id");
  body.with_color = in.Bool("with_color", false);
  body.lines = in.Positive("lines", kMaxLines).value_or(body.lines);
  return body;
}

RequestBody ReadSessionPrune(Fields& in) {
  return SessionPruneRequest{in.Bool("all", false), in.Bool("dry_run", false),
                             in.OptionalString("namespace")};
}

// The beginnings of what git would take for an option or a revision of another kind are refused;
// the rest is for `git check-ref-format`.
std::optional<std::string> ReadBranch(Fields& in) {
  auto branch = in.OptionalString("branch");
  if (!branch) return branch;
  const bool bad = branch->empty() || branch->size() > kMaxBranchBytes ||
                   branch->starts_with('-') || branch->starts_with('/') ||
                   branch->find_first_of(std::string_view(" ~^:?*[\\\0", 9)) != std::string::npos ||
                   branch->find("..") != std::string::npos || *branch == "@" ||
                   branch->find("@{") != std::string::npos;
  if (bad) in.Fail("branch", "must be a branch's name, such as fix/login");
  return branch;
}

RequestBody ReadWorkspaceAdd(Fields& in) {
  WorkspaceAddRequest body;
  body.repo = in.Path("repo");
  body.branch = ReadBranch(in);
  body.name = in.OptionalId("name");
  body.name_space = in.OptionalString("namespace").value_or("");
  return body;
}

Removal ReadRemoval(Fields& in) {
  return Removal{in.Bool("force", false), in.Bool("delete_branch", false),
                 in.Bool("dry_run", false)};
}

RequestBody ReadWorkspacePrune(Fields& in) {
  return WorkspacePruneRequest{in.Bool("all", false), in.OptionalString("namespace"),
                               ReadRemoval(in)};
}

RequestBody ReadAgentRun(Fields& in) {
  AgentRunRequest body;
  body.name = in.SessionId("name");
  if (body.name.size() > kMaxAgentNameBytes) {
    in.Fail("name", "must not exceed " + std::to_string(kMaxAgentNameBytes) + " characters");
  }
  body.command = in.Strings("command");
  body.workspace = in.OptionalId("workspace");
  body.repo = in.OptionalPath("repo");
  body.cwd = in.OptionalPath("cwd");
  body.name_space = in.OptionalString("namespace").value_or("");
  if (!in.error() && body.command.empty()) in.Fail("command", "must not be empty");
  if (body.workspace.has_value() + body.repo.has_value() + body.cwd.has_value() != 1) {
    in.Fail("workspace", "must be given, or else repo, or else cwd: one of them");
  }
  CheckCommand(in, body.command, body.cwd ? body.cwd->size() : 0);
  return body;
}

RequestBody ReadAgentSend(Fields& in) {
  AgentSendRequest body;
  body.agent_id = in.SessionId("agent_id");
  body.message = in.String("message");
  CheckInput(in, "message", body.message);
  return body;
}

RequestBody ReadAgentResume(Fields& in) {
  AgentResumeRequest body;
  const bool all = in.Bool("all", false);
  body.kill = in.Bool("kill", false);
  body.agent_id = in.String("agent_id");
  if (body.agent_id.empty() != all) {
    in.Fail("agent_id", all ? "must be empty where all is true" : "must not be empty without all");
  }
  if (!body.agent_id.empty()) body.agent_id = in.SessionId("agent_id");
  return body;
}

RequestBody ReadShutdown(Fields& in) {
  ShutdownRequest body;
  body.kill = in.Bool("kill", false);
  body.drain = in.Millis("drain_ms");
  return body;
}

RequestBody ReadQuery(Fields& in) {
  const json::object* query = in.Object("query");
  if (query == nullptr) return PingRequest{};
  Fields of(*query);
  const std::string type = of.String("type");
  RequestBody body = ListSessionsQuery{};
  if (type == "GetSession") {
    body = GetSessionQuery{of.SessionId("id")};
  } else if (type == "ListWorkspaces") {
    body = ListWorkspacesQuery{};
  } else if (type == "GetWorkspace") {
    body = GetWorkspaceQuery{of.Id("id")};
  } else if (type == "ListAgents") {
    body = ListAgentsQuery{of.OptionalString("status")};
  } else if (!of.error() && type != "ListSessions") {
    of.Fail("type",
            "must be ListSessions, GetSession, ListWorkspaces, GetWorkspace or ListAgents, not " +
                Quoted(type));
  }
  if (of.error()) in.Fail("query", "is wrong: " + of.error()->message);
  return body;
}

using Reader = RequestBody (*)(Fields&);
struct Kind {
  std::string_view type;
  Reader read;
};

// In the order of RequestBody's alternatives; the queries share the last name.
constexpr Kind kKinds[] = {
    {"Ping", [](Fields&) -> RequestBody { return PingRequest{}; }},
    {"Hello", [](Fields& in) -> RequestBody { return HelloRequest{in.String("version")}; }},
    {"Status", [](Fields&) -> RequestBody { return StatusRequest{}; }},
    {"Shutdown", ReadShutdown},
    {"SessionNew", ReadSessionNew},
    {"SessionSend", ReadSessionSend},
    {"SessionKill",
     [](Fields& in) -> RequestBody { return SessionKillRequest{in.SessionId("id")}; }},
    {"PeekSession", ReadPeek},
    {"SessionPrune", ReadSessionPrune},
    {"WorkspaceAdd", ReadWorkspaceAdd},
    {"WorkspaceDrop",
     [](Fields& in) -> RequestBody { return WorkspaceDropRequest{in.Id("id"), ReadRemoval(in)}; }},
    {"WorkspaceDropFailed",
     [](Fields& in) -> RequestBody { return WorkspaceDropFailedRequest{ReadRemoval(in)}; }},
    {"WorkspaceDropAll",
     [](Fields& in) -> RequestBody { return WorkspaceDropAllRequest{ReadRemoval(in)}; }},
    {"WorkspacePrune", ReadWorkspacePrune},
    {"AgentRun", ReadAgentRun},
    {"AgentSend", ReadAgentSend},
    {"AgentResume", ReadAgentResume},
    {"Requests", [](Fields&) -> RequestBody { return RequestsRequest{}; }},
    {"CancelRequest", [](Fields& in) -> RequestBody { return CancelRequestRequest{in.Id("id")}; }},
    {"Locks", [](Fields&) -> RequestBody { return LocksRequest{}; }},
    {"DebugDump",
     [](Fields& in) -> RequestBody { return DebugDumpRequest{in.Bool("redact", false)}; }},
    {"Query", ReadQuery},
    {"Query", ReadQuery},
    {"Query", ReadQuery},
    {"Query", ReadQuery},
    {"Query", ReadQuery},
};
static_assert(std::size(kKinds) == std::variant_size_v<RequestBody>);

// The same for the same request, in every build and whatever the order of its fields.
std::string DigestOf(const json::object& object) {
  std::map<std::string_view, std::string> fields;
  for (const auto& [name, value] : object) {
    if (name == "request_id" || name == "timeout_ms" || name == "progress") continue;
    fields[name] = json::serialize(value);
  }
  std::uint64_t hash = StableHash("");
  const auto add = [&hash](std::string_view text) {
    hash = StableHash(text, hash);
    hash = (hash ^ 0x100u) * 0x100000001b3u;
  };
  for (const auto& [name, text] : fields) {
    add(name);
    add(text);
  }
  std::string digest;
  for (int shift = 60; shift >= 0; shift -= 4) digest += "0123456789abcdef"[hash >> shift & 15];
  return digest;
}

Result<Request> ReadRequest(const json::object& object) {
  Fields in(object);
  const std::string type = in.String("type");
  const Kind* kind = nullptr;
  for (const Kind& each : kKinds) {
    if (each.type == type) kind = &each;
  }
  if (!in.error() && kind == nullptr) in.Fail("type", "names no request: " + Quoted(type));
  if (in.error()) return *in.error();
  Request request{kind->read(in), in.Millis("timeout_ms"), {}, {}, in.Bool("progress", false)};
  if (const json::value* id = object.if_contains("request_id"); id != nullptr && !id->is_null()) {
    request.request_id = in.String("request_id");
    if (request.request_id.empty() || request.request_id.size() > kMaxRequestIdBytes) {
      in.Fail("request_id", "must be 1 to 128 bytes");
    }
    request.digest = DigestOf(object);
  }
  if (in.error()) return *in.error();
  return request;
}

}  // namespace

std::string_view TypeOf(const RequestBody& body) { return kKinds[body.index()].type; }

Result<Request> ParseRequest(std::string_view payload) {
  // One request is parsed into a buffer on the stack where it fits, else on the heap.
  unsigned char buffer[4096];
  json::monotonic_resource memory(buffer, sizeof buffer);
  json::parse_options options;
  options.max_depth = 16;
  json::error_code error;
  const json::value value = json::parse(payload, error, &memory, options);
  if (error) {
    return Error{ErrorCode::kInvalidRequest, "the frame is not UTF-8 JSON: " + error.message(), ""};
  }
  if (!value.is_object()) {
    return Error{ErrorCode::kInvalidRequest, "the frame is not a JSON object", ""};
  }
  return ReadRequest(value.get_object());
}

std::string ErrorReply(const Error& error) {
  unsigned char buffer[4096];
  json::monotonic_resource memory(buffer, sizeof buffer);
  json::object reply(&memory);
  reply["type"] = "Error";
  reply["code"] = Name(error.code);
  reply["message"] = ToUtf8(error.message);
  if (!error.detail.empty()) reply["detail"] = json::parse(error.detail, &memory);
  return json::serialize(reply);
}

std::string Frame(std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string frame;
  frame.reserve(payload.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift);
  frame += payload;
  return frame;
}

bool IsValidId(std::string_view id) {
  if (id.empty() || id.size() > 128 || id[0] == '-' || id[0] == '.') return false;
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return id.find_first_not_of(kAllowed) == std::string_view::npos;
}

namespace {
// Length of the valid UTF-8 sequence at the front of `text`, or 0.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) {
    return 0;
  }
  return length;
}
}  // namespace

std::string ToUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  std::size_t valid = 0;  // bytes at the front that are
  while (valid < text.size()) {
    const std::size_t length = SequenceLength(text.substr(valid));
    valid += length;
    if (length > 0) continue;
    clean.append(text.substr(0, valid)).append("\xef\xbf\xbd");
    text.remove_prefix(valid + 1);
    valid = 0;
  }
  return clean.append(text);
}

}  // namespace oj
