#include "os/config_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#endif
#include <toml++/toml.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace oj {
namespace {

Error Invalid(std::string message) { return {ErrorCode::kInvalidRequest, std::move(message), ""}; }

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// "" without a home.
std::string DefaultFile() {
  if (const auto xdg = Variable("XDG_CONFIG_HOME"); !xdg.empty()) return xdg + "/oj/config.toml";
  if (const auto home = Variable("HOME"); !home.empty()) return home + "/.config/oj/config.toml";
  return "";
}

// Which type a key has in the file, found by what it takes: every number is refused a word.
bool IsNumber(std::string_view key) {
  Config scratch;
  return !SetConfig(scratch, key, "a", "") && SetConfig(scratch, key, "1", "").ok();
}

bool IsKnown(std::string_view key) {
  for (const ConfigKey& known : ConfigKeys()) {
    if (known.key == key) return true;
  }
  return false;
}

Status SetValue(Config& config, const std::string& key, const toml::node& value,
                const std::string& origin) {
  if (!IsKnown(key)) return Invalid(origin + ": unknown key '" + key + "'");
  const std::string named = origin + ": " + key;
  if (IsNumber(key)) {
    const auto number = value.value_exact<std::int64_t>();
    if (!number) return Invalid(named + " must be a positive whole number");
    return SetConfig(config, key, std::to_string(*number), named);
  }
  const auto text = value.value_exact<std::string>();
  if (!text) return Invalid(named + " must be a text in quotes");
  return SetConfig(config, key, *text, named);
}

Status SetTable(Config& config, const std::string& prefix, const toml::table& table,
                const std::string& file) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const std::string origin = file + ":" + std::to_string(name.source().begin.line);
    Status status = node.is_table() && !IsKnown(key)
                        ? SetTable(config, key + ".", *node.as_table(), file)
                        : SetValue(config, key, node, origin);
    if (!status) return status;
  }
  return Ok{};
}

Status SetFromFile(Config& config, const std::string& file) {
  const toml::parse_result parsed = toml::parse_file(file);
  if (!parsed) {
    const auto& error = parsed.error();
    return Invalid(file + ":" + std::to_string(error.source().begin.line) + ": " +
                   std::string(error.description()));
  }
  return SetTable(config, "", parsed.table(), file);
}

Status SetFromEnvironment(Config& config) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.env.empty()) continue;
    const std::string name(key.env);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    if (Status status = SetConfig(config, key.key, value, name); !status) return status;
  }
  return Ok{};
}

}  // namespace

Result<Config> LoadConfig(const std::string& file) {
  Config config;
  const std::string path = file.empty() ? DefaultFile() : file;
  struct stat found{};
  const int error = path.empty() || stat(path.c_str(), &found) == 0 ? 0 : errno;
  const bool absent = path.empty() || (file.empty() && (error == ENOENT || error == ENOTDIR));
  if (!absent) {
    if (error != 0) return Invalid(path + ": " + std::generic_category().message(error));
    if (!S_ISREG(found.st_mode)) return Invalid(path + ": is not a file");
    if (Status status = SetFromFile(config, path); !status) return std::move(status).error();
  }
  if (Status status = SetFromEnvironment(config); !status) return std::move(status).error();
  return config;
}

}  // namespace oj
