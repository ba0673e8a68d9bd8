// The daemon's and the client's configuration: one table of keys for the file, the environment,
// the command line and scenarios.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "oj/deadline.h"
#include "oj/error.h"

namespace oj {

enum class HalfClose : std::uint8_t { kCancel, kKeep };

struct Config {
  // timeouts.*
  Duration tmux = std::chrono::seconds(10);          // one tmux command
  Duration git_worktree = std::chrono::seconds(60);  // one git worktree command
  Duration handler = std::chrono::seconds(120);      // one whole handler
  Duration kill_grace = std::chrono::milliseconds(500);
  Duration request_read = std::chrono::seconds(5);
  Duration response_write = std::chrono::seconds(5);
  Duration drain = std::chrono::seconds(5);
  // client.*
  Duration client_ipc = std::chrono::seconds(5);
  Duration client_connect = std::chrono::seconds(5);
  Duration client_exit = std::chrono::seconds(2);
  // limits.*
  std::size_t max_connections = 2048;
  std::size_t max_requests = 512;  // in flight
  std::size_t max_children = 256;
  std::size_t max_request_bytes = 1 << 20;
  std::size_t max_reply_bytes = 64 << 20;
  std::size_t max_output_bytes = 16 << 20;  // of one command's stdout, and of its stderr
  Duration reply_cache = std::chrono::seconds(60);
  // connection.*
  HalfClose half_close = HalfClose::kCancel;
  // tools.*: a path, or a name that is found on the daemon's PATH
  std::string tmux_tool = "tmux";
  std::string git_tool = "git";
  // recorder.*
  std::size_t recorder_bytes = 4 << 20;
  bool recorder_redact = false;
  std::string log_level = "info";
};

// One key: "timeouts.tmux", its environment variable or "", and its unit for help texts ("ms",
// "bytes", "", ...).
struct ConfigKey {
  std::string_view key;
  std::string_view env;
  std::string_view unit;
  std::string_view about;
};
std::span<const ConfigKey> ConfigKeys();

// Sets `key` from text, as the environment has it. Durations and sizes are positive integers.
// Error (kInvalidRequest): names `origin` (the variable, or file and line), the value and what it
// must be; the configuration is unchanged.
Status SetConfig(Config& config, std::string_view key, std::string_view value,
                 std::string_view origin);

// The value of `key` as SetConfig takes it.
std::string GetConfig(const Config& config, std::string_view key);

}  // namespace oj
