#include "core/config.h"

#include <array>
#include <charconv>
#include <optional>
#include <variant>

#include "core/recorder.h"

namespace oj {
namespace {

using Field = std::variant<Duration Config::*, std::size_t Config::*, std::string Config::*,
                           HalfClose Config::*, bool Config::*>;

struct Entry {
  ConfigKey key;
  Field field;
};

constexpr std::size_t kKeys = 23;

const std::array<Entry, kKeys>& Table() {
  static const std::array<Entry, kKeys> table = {{
      {{"timeouts.tmux", "OJ_TIMEOUT_TMUX_MS", "ms", "one tmux command"}, &Config::tmux},
      {{"timeouts.git_worktree", "OJ_TIMEOUT_GIT_WORKTREE_MS", "ms", "one git command"},
       &Config::git_worktree},
      {{"timeouts.handler", "OJ_TIMEOUT_HANDLER_MS", "ms", "one whole request"}, &Config::handler},
      {{"timeouts.kill_grace", "OJ_KILL_GRACE_MS", "ms", "from SIGTERM to SIGKILL"},
       &Config::kill_grace},
      {{"timeouts.request_read", "OJ_TIMEOUT_REQUEST_READ_MS", "ms", "reading one request"},
       &Config::request_read},
      {{"timeouts.response_write", "OJ_TIMEOUT_RESPONSE_WRITE_MS", "ms", "writing one reply"},
       &Config::response_write},
      {{"timeouts.drain", "OJ_TIMEOUT_DRAIN_MS", "ms", "requests in flight at a shutdown"},
       &Config::drain},
      {{"client.timeout_ipc", "OJ_TIMEOUT_IPC_MS", "ms", "oj waits for a reply; --timeout"},
       &Config::client_ipc},
      {{"client.timeout_connect", "OJ_TIMEOUT_CONNECT_MS", "ms", "oj waits for the daemon's start"},
       &Config::client_connect},
      {{"client.timeout_exit", "OJ_TIMEOUT_EXIT_MS", "ms", "oj waits for the daemon's end"},
       &Config::client_exit},
      {{"limits.max_connections", "", "", "open connections; beyond: busy"},
       &Config::max_connections},
      {{"limits.max_requests", "", "", "requests in flight; beyond: busy"}, &Config::max_requests},
      {{"limits.max_children", "", "", "subprocesses alive; beyond: busy"}, &Config::max_children},
      {{"limits.max_request_bytes", "", "bytes", "one request; beyond: too_large"},
       &Config::max_request_bytes},
      {{"limits.max_reply_bytes", "", "bytes", "one reply; beyond: too_large"},
       &Config::max_reply_bytes},
      {{"limits.max_output_bytes", "", "bytes",
        "what a command writes to stdout, and to stderr; beyond: too_large"},
       &Config::max_output_bytes},
      {{"limits.reply_cache", "", "ms", "how long the reply to a request_id is kept"},
       &Config::reply_cache},
      {{"connection.half_close", "", "",
        "what a half-close does: \"cancel\", or \"keep\" (it is no disconnect)"},
       &Config::half_close},
      {{"tools.tmux", "", "", "a path, or a name on the daemon's PATH"}, &Config::tmux_tool},
      {{"tools.git", "", "", "a path, or a name on the daemon's PATH"}, &Config::git_tool},
      {{"recorder.bytes", "", "bytes",
        "the flight recorder; below 65536 nothing is recorded, at most 268435456"},
       &Config::recorder_bytes},
      {{"recorder.redact", "", "",
        "\"true\": each dump with tokens in place of arguments, paths, ids and what tools said"},
       &Config::recorder_redact},
      {{"log.level", "OJ_LOG", "", "debug, info, warn or error"}, &Config::log_level},
  }};
  return table;
}

// No limit or timeout makes sense beyond ten years; it also keeps sums of durations in range.
constexpr std::int64_t kMostMillis = 315'360'000'000;

std::optional<std::int64_t> ParsePositive(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number <= 0 || number > kMostMillis) return std::nullopt;
  return number;
}

Error Wrong(std::string_view origin, std::string_view value, std::string_view must_be) {
  return {ErrorCode::kInvalidRequest,
          std::string(origin) + ": '" + std::string(value) + "' is not " + std::string(must_be),
          ""};
}

struct Setter {
  Config& config;
  std::string_view value;
  std::string_view origin;

  Status operator()(Duration Config::* field) const {
    const auto number = ParsePositive(value);
    if (!number) return Wrong(origin, value, "a positive whole number of milliseconds");
    config.*field = std::chrono::milliseconds(*number);
    return Ok{};
  }
  Status operator()(std::size_t Config::* field) const {
    const auto number = ParsePositive(value);
    if (!number) return Wrong(origin, value, "a positive whole number");
    config.*field = static_cast<std::size_t>(*number);
    return Ok{};
  }
  Status operator()(HalfClose Config::* field) const {
    if (value != "cancel" && value != "keep") return Wrong(origin, value, "'cancel' or 'keep'");
    config.*field = value == "keep" ? HalfClose::kKeep : HalfClose::kCancel;
    return Ok{};
  }
  Status operator()(bool Config::* field) const {
    if (value != "true" && value != "false") return Wrong(origin, value, "'true' or 'false'");
    config.*field = value == "true";
    return Ok{};
  }
  Status operator()(std::string Config::* field) const {
    if (value.empty()) return Wrong(origin, value, "a name");
    config.*field = value;
    return Ok{};
  }
};

struct Getter {
  const Config& config;

  std::string operator()(Duration Config::* field) const {
    return std::to_string(Millis(config.*field));
  }
  std::string operator()(std::size_t Config::* field) const {
    return std::to_string(config.*field);
  }
  std::string operator()(HalfClose Config::* field) const {
    return config.*field == HalfClose::kKeep ? "keep" : "cancel";
  }
  std::string operator()(bool Config::* field) const { return config.*field ? "true" : "false"; }
  std::string operator()(std::string Config::* field) const { return config.*field; }
};

}  // namespace

std::string GetConfig(const Config& config, std::string_view key) {
  for (const Entry& entry : Table()) {
    if (entry.key.key == key) return std::visit(Getter{config}, entry.field);
  }
  return "";
}

std::span<const ConfigKey> ConfigKeys() {
  static const auto keys = [] {
    std::array<ConfigKey, kKeys> all{};
    for (std::size_t i = 0; i < kKeys; ++i) all[i] = Table()[i].key;
    return all;
  }();
  return keys;
}

Status SetConfig(Config& config, std::string_view key, std::string_view value,
                 std::string_view origin) {
  for (const Entry& entry : Table()) {
    if (entry.key.key != key) continue;
    if (key == "log.level" && value != "debug" && value != "info" && value != "warn" &&
        value != "error") {
      return Wrong(origin, value, "'debug', 'info', 'warn' or 'error'");
    }
    const auto bytes = key == "recorder.bytes" ? ParsePositive(value) : std::nullopt;
    if (bytes && *bytes > static_cast<std::int64_t>(Recorder::kMostBytes)) {
      return Wrong(origin, value,
                   "at most " + std::to_string(Recorder::kMostBytes) + " bytes (256 MiB)");
    }
    return std::visit(Setter{config, value, origin}, entry.field);
  }
  return Error{ErrorCode::kInvalidRequest,
               std::string(origin) + ": unknown key '" + std::string(key) + "'", ""};
}

}  // namespace oj
