#include "core/protocol.h"

#include <algorithm>
#include <boost/json.hpp>

namespace oj {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxRequestIdBytes = 128;
// tmux takes a command of at most 16 KiB from its client; this leaves room for the rest of it.
constexpr std::size_t kMaxInputBytes = 15 << 10;
constexpr std::int64_t kMaxLines = 1'000'000;
constexpr std::int64_t kMaxMillis = 315'360'000'000;  // ten years

// Reads the fields of one object; keeps the first error, so that readers need not look at each.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  std::optional<Error> error() const { return error_; }

  std::string String(std::string_view name) {
    const json::value* value = Need(name, "a string");
    if (value == nullptr) return {};
    if (!value->is_string()) return Fail(name, "must be a string"), std::string();
    return std::string(value->get_string());
  }
  std::string Id(std::string_view name) {
    std::string id = String(name);
    if (!error_ && !IsValidId(id)) {
      Fail(name, "must be 1 to 128 characters of A-Z a-z 0-9 . _ -, not beginning with - or .");
    }
    return id;
  }
  // tmux replaces '.' in names of sessions, and reads it in a target as the beginning of a pane.
  std::string SessionId(std::string_view name) {
    std::string id = Id(name);
    if (!error_ && id.find('.') != std::string::npos) {
      Fail(name, "must not contain '.': tmux gives it a meaning of its own");
    }
    return id;
  }
  bool Bool(std::string_view name, bool otherwise) {
    const json::value* value = Find(name);
    if (value == nullptr) return otherwise;
    if (!value->is_bool()) return Fail(name, "must be true or false"), otherwise;
    return value->get_bool();
  }
  std::optional<std::int64_t> Positive(std::string_view name, std::int64_t most) {
    const json::value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    const std::int64_t* number = value->if_int64();
    if (number == nullptr || *number <= 0 || *number > most) {
      Fail(name, "must be an integer from 1 to " + std::to_string(most));
      return std::nullopt;
    }
    return *number;
  }
  std::optional<Duration> Millis(std::string_view name) {
    const auto number = Positive(name, kMaxMillis);
    if (!number) return std::nullopt;
    return std::chrono::milliseconds(*number);
  }
  std::vector<std::string> Strings(std::string_view name) {
    std::vector<std::string> all;
    const json::value* value = Need(name, "an array of strings");
    if (value == nullptr) return all;
    if (!value->is_array()) return Fail(name, "must be an array of strings"), all;
    for (const json::value& item : value->get_array()) {
      if (!item.is_string()) return Fail(name, "must be an array of strings"), all;
      all.emplace_back(item.get_string());
    }
    return all;
  }
  std::vector<std::pair<std::string, std::string>> Map(std::string_view name) {
    std::vector<std::pair<std::string, std::string>> all;
    const json::value* value = Find(name);
    if (value == nullptr) return all;
    if (!value->is_object()) return Fail(name, "must be an object of strings"), all;
    for (const auto& [key, item] : value->get_object()) {
      if (!item.is_string()) return Fail(name, "must be an object of strings"), all;
      all.emplace_back(key, item.get_string());
    }
    return all;
  }
  const json::object* Object(std::string_view name) {
    const json::value* value = Need(name, "an object");
    if (value == nullptr) return nullptr;
    if (!value->is_object()) return Fail(name, "must be an object"), nullptr;
    return &value->get_object();
  }

  void Fail(std::string_view name, std::string_view what) {
    if (error_) return;
    error_ = Error{ErrorCode::kInvalidRequest,
                   "field '" + std::string(name) + "' " + std::string(what), ""};
  }

 private:
  // Null reads as absent.
  const json::value* Find(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  const json::value* Need(std::string_view name, std::string_view what) {
    const json::value* value = Find(name);
    if (value == nullptr) Fail(name, "is missing: it must be " + std::string(what));
    return value;
  }

  const json::object& object_;
  std::optional<Error> error_;
};

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
  for (const std::string& argument : body.command) {
    ForbidNul(in, "command", argument);
    bytes += argument.size() + 1;
  }
  for (const auto& [key, value] : body.env) {
    if (key.empty() || key.find('=') != std::string::npos) {
      in.Fail("env", "must have names that are not empty and contain no '='");
    }
    ForbidNul(in, "env", key);
    ForbidNul(in, "env", value);
    bytes += key.size() + value.size() + 2;
  }
  if (bytes > kMaxInputBytes) {
    in.Fail("command", "with cwd and env must not exceed " + std::to_string(kMaxInputBytes) +
                           " bytes (the limit of one tmux command)");
  }
  return body;
}

RequestBody ReadSessionSend(Fields& in) {
  SessionSendRequest body;
  body.id = in.SessionId("id");
  body.input = in.String("input");
  ForbidNul(in, "input", body.input);
  if (body.input.size() > kMaxInputBytes) {
    in.Fail("input", "must not exceed " + std::to_string(kMaxInputBytes) +
                         " bytes (the limit of one tmux command)");
  }
  return body;
}

RequestBody ReadPeek(Fields& in) {
  PeekSessionRequest body;
  body.session_id = in.SessionId("session_id");
  body.with_color = in.Bool("with_color", false);
  body.lines = in.Positive("lines", kMaxLines).value_or(body.lines);
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
  } else if (!of.error() && type != "ListSessions") {
    of.Fail("type", "must be ListSessions or GetSession, not " + Quoted(type));
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
    {"Requests", [](Fields&) -> RequestBody { return RequestsRequest{}; }},
    {"CancelRequest", [](Fields& in) -> RequestBody { return CancelRequestRequest{in.Id("id")}; }},
    {"Locks", [](Fields&) -> RequestBody { return LocksRequest{}; }},
    {"Query", ReadQuery},
    {"Query", ReadQuery},
};
static_assert(std::size(kKinds) == std::variant_size_v<RequestBody>);

Result<Request> ReadRequest(const json::object& object) {
  Fields in(object);
  const std::string type = in.String("type");
  const Kind* kind = nullptr;
  for (const Kind& each : kKinds) {
    if (each.type == type) kind = &each;
  }
  if (!in.error() && kind == nullptr) in.Fail("type", "names no request: " + Quoted(type));
  if (in.error()) return *in.error();
  Request request{kind->read(in), in.Millis("timeout_ms"), {}, in.Bool("progress", false)};
  if (const json::value* id = object.if_contains("request_id"); id != nullptr && !id->is_null()) {
    request.request_id = in.String("request_id");
    if (request.request_id.empty() || request.request_id.size() > kMaxRequestIdBytes) {
      in.Fail("request_id", "must be 1 to 128 bytes");
    }
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
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    clean += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

}  // namespace oj
