#include "help.h"

#include <algorithm>

#include "core/config.h"
#include "core/protocol.h"
#include "terminal/man_page.h"

namespace oj {
namespace {

constexpr const char* kFooter =
    "A setting is taken from an option, else from the environment, else from the configuration\n"
    "file, $XDG_CONFIG_HOME/oj/config.toml, else it is the default. Settings:\n";
constexpr const char* kExamples =
    "Example:\n"
    "  ojd --state-dir /tmp/oj --log-level debug\n"
    "  OJ_TIMEOUT_TMUX_MS=2000 ojd";

// As one writes it into the file: numbers bare, all else in quotes.
std::string DefaultOf(const ConfigKey& key) {
  const std::string value = GetConfig(Config{}, key.key);
  const bool number = value.find_first_not_of("0123456789") == std::string::npos;
  if (!number) return "\"" + value + "\"";
  return key.unit.empty() ? value : value + " " + std::string(key.unit);
}

std::string Padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

}  // namespace

std::unique_ptr<CLI::App> MakeOjdApp(OjdOptions& options) {
  auto app = std::make_unique<CLI::App>(
      "ojd: the daemon behind oj. Runs in the foreground; prints READY once it serves.", "ojd");
  app->add_option("--state-dir", options.state_dir,
                  "Where state, socket and pid file are (default: $OJ_STATE_DIR, "
                  "$XDG_STATE_HOME/oj or ~/.local/state/oj)")
      ->type_name("DIR");
  app->add_option("--config", options.config_file, "A configuration file other than config.toml")
      ->type_name("FILE");
  app->add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->type_name("LEVEL");
  app->add_option("--log-file", options.log_file, "A file to log to, instead of standard error")
      ->type_name("FILE");
  app->set_version_flag("--version", "ojd " + std::string(kVersion));
  app->footer(kFooter + SettingsAsText() + kExamples);
  app->get_formatter()->column_width(28);
  return app;
}

std::string SettingsAsText() {
  std::string text;
  for (const ConfigKey& key : ConfigKeys()) {
    text += "  " + Padded(std::string(key.key), 25) + Padded(DefaultOf(key), 16) +
            std::string(key.about);
    if (!key.env.empty()) text += "; " + std::string(key.env);
    text += "\n";
  }
  return text;
}

std::string SettingsAsMarkdown() {
  std::string text;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string env = key.env.empty() ? "" : "`" + std::string(key.env) + "` ";
    text += "| `" + std::string(key.key) + "` | " + env + "| " + DefaultOf(key) + " | " +
            std::string(key.about) + " |\n";
  }
  return text;
}

std::string SettingsAsMan() {
  std::string text;
  for (const ConfigKey& key : ConfigKeys()) {
    std::string tag = "\\fB" + terminal::Escaped(key.key) + "\\fR";
    if (!key.env.empty()) tag += ", \\fB" + terminal::Escaped(key.env) + "\\fR";
    text += terminal::Tagged(tag, terminal::Escaped(std::string(key.about)) +
                                      " (default: " + terminal::Escaped(DefaultOf(key)) + ")\n");
  }
  return text;
}

std::string ClientVariablesAsMan() {
  std::string text;
  for (const ConfigKey& key : ConfigKeys()) {
    if (!key.key.starts_with("client.") || key.env.empty()) continue;
    text += terminal::Tagged("\\fB" + terminal::Escaped(key.env) + "\\fR",
                             terminal::Escaped(std::string(key.about)) +
                                 " (default: " + terminal::Escaped(DefaultOf(key)) + "; \\fB" +
                                 terminal::Escaped(key.key) + "\\fR)\n");
  }
  return text;
}

}  // namespace oj
