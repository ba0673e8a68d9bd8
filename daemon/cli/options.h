// What was asked of `oj` besides the command itself: global options, and the settings that follow
// from them, the environment and the configuration file, in this order of precedence.
#pragma once

#include <string>

#include "cli/outcome.h"
#include "core/config.h"
#include "oj/deadline.h"
#include "os/state_dir.h"

namespace oj::cli {

// As given on the command line; empty or false: not given.
struct GlobalOptions {
  std::string output = "text";
  std::string timeout;
  std::string state_dir;
  bool no_start = false;
};

// A limit and who set it: "--timeout", "OJ_TIMEOUT_IPC_MS", "client.timeout_ipc in config.toml", or
// "the default of OJ_TIMEOUT_IPC_MS".
struct Limit {
  Duration value{};
  std::string origin = {};

  std::string Text() const;  // "1000 ms (OJ_TIMEOUT_IPC_MS)"
};

struct Settings {
  Config config = {};
  std::string state_dir = {};  // absolute
  Limit ipc = {};
  Limit connect = {};
  Limit exit = {};
  bool json = false;
  bool no_start = false;

  std::string Socket() const { return SocketPath(state_dir); }
  std::string PidFile() const { return PidFilePath(state_dir); }
  std::string LogFile() const { return state_dir + "/daemon.log"; }
};

// Failure (kExitUsage): names the flag, the variable, or the file that holds a bad value.
Outcome<Settings> ReadSettings(const GlobalOptions& options);

}  // namespace oj::cli
