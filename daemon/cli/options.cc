#include "cli/options.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "os/config_file.h"
#include "os/state_dir.h"

namespace oj::cli {
namespace {

Failure Usage(std::string message) { return {kExitUsage, std::move(message), "see `oj --help`"}; }

// A limit as the file and the environment have left it.
Limit FromConfig(const char* key, const char* variable, Duration value, Duration otherwise) {
  if (std::getenv(variable) != nullptr) return {value, variable};
  if (value != otherwise) return {value, std::string(key) + " in config.toml"};
  return {value, std::string("the default of ") + variable};
}

Outcome<std::string> StateDirectory(const GlobalOptions& options) {
  auto directory = StateDirPath(options.state_dir);
  if (!directory) return Usage(directory.error().message);
  std::error_code error;
  const auto absolute = std::filesystem::absolute(*directory, error).lexically_normal();
  if (error) return Failure{kExitError, "no working directory: " + error.message()};
  // "DIR/" and "DIR" are one directory, but only one of them may be a link.
  return absolute.has_filename() ? absolute.string() : absolute.parent_path().string();
}

}  // namespace

std::string Limit::Text() const { return std::to_string(Millis(value)) + " ms (" + origin + ")"; }

Outcome<Settings> ReadSettings(const GlobalOptions& options) {
  // All of it is read, the daemon's part too: a daemon that is started now reads the same.
  auto config = LoadConfig("");
  if (!config) return Usage(config.error().message);
  const Config standard;
  Settings settings;
  settings.ipc = FromConfig("client.timeout_ipc", "OJ_TIMEOUT_IPC_MS", config->client_ipc,
                            standard.client_ipc);
  if (!options.timeout.empty()) {
    const Status set = SetConfig(*config, "client.timeout_ipc", options.timeout, "--timeout");
    if (!set) return Usage(set.error().message);
    settings.ipc = {config->client_ipc, "--timeout"};
  }
  settings.connect = FromConfig("client.timeout_connect", "OJ_TIMEOUT_CONNECT_MS",
                                config->client_connect, standard.client_connect);
  settings.exit = FromConfig("client.timeout_exit", "OJ_TIMEOUT_EXIT_MS", config->client_exit,
                             standard.client_exit);
  settings.config = std::move(*config);
  settings.json = options.output == "json";
  settings.no_start = options.no_start;
  auto state_dir = StateDirectory(options);
  if (!state_dir) return state_dir.error();
  settings.state_dir = *std::move(state_dir);
  return settings;
}

}  // namespace oj::cli
