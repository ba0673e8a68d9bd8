// Typed reading of a scenario file's TOML with errors that name file, line and key. For what reads
// such a file only: toml++ is slow to compile.
#pragma once

#include <toml++/toml.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oj/deadline.h"
#include "scenario/scenario_keys.h"

namespace oj::sim {

// Thrown while a file is read, and caught by ParseScenario.
struct WrongFile {
  std::string message;
};

class TomlReader {
 public:
  explicit TomlReader(std::string path) : path_(std::move(path)) {}

  std::string Origin(const toml::node& at, std::string_view key) const {
    return path_ + ":" + std::to_string(at.source().begin.line) + ": " + std::string(key);
  }
  [[noreturn]] void Fail(const toml::node& at, std::string_view key,
                         std::string_view message) const {
    throw WrongFile{Origin(at, key) + ": " + std::string(message)};
  }

  // What the manual does not tell is no key. `name`: of the table, as in ScenarioKey.
  void CheckKeys(std::string_view name, const toml::table& table) const {
    for (const auto& [key, value] : table) {
      if (!IsScenarioKey(name, key.str())) Fail(value, key.str(), UnknownKey(name));
    }
  }
  [[noreturn]] void Unknown(const toml::node& at, std::string_view key) const {
    Fail(at, key, "unknown key");
  }

  std::string Text(const toml::node& at, std::string_view key) const {
    if (!at.is_string()) Fail(at, key, "must be a string");
    return at.as_string()->get();
  }
  bool Bool(const toml::node& at, std::string_view key) const {
    if (!at.is_boolean()) Fail(at, key, "must be true or false");
    return at.as_boolean()->get();
  }
  std::int64_t Integer(const toml::node& at, std::string_view key, std::int64_t low,
                       std::int64_t high) const {
    const std::int64_t value = at.is_integer() ? at.as_integer()->get() : low - 1;
    if (value >= low && value <= high) return value;
    Fail(at, key, "must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  // Milliseconds, up to a day.
  Duration Millis(const toml::node& at, std::string_view key) const {
    return std::chrono::milliseconds(Integer(at, key, 0, 86'400'000));
  }
  const toml::table& Table(const toml::node& at, std::string_view key) const {
    if (!at.is_table()) Fail(at, key, "must be a table");
    return *at.as_table();
  }
  const toml::array& Array(const toml::node& at, std::string_view key) const {
    if (!at.is_array()) Fail(at, key, "must be a list");
    return *at.as_array();
  }
  // A string or a list of strings.
  std::vector<std::string> Texts(const toml::node& at, std::string_view key) const {
    if (at.is_string()) return {Text(at, key)};
    if (!at.is_array()) Fail(at, key, "must be a string or a list of strings");
    std::vector<std::string> texts;
    for (const toml::node& entry : *at.as_array()) texts.push_back(Text(entry, key));
    return texts;
  }

  boost::json::value Json(const toml::node& at, std::string_view key) const {
    if (at.is_string()) return boost::json::value(at.as_string()->get());
    if (at.is_integer()) return boost::json::value(at.as_integer()->get());
    if (at.is_boolean()) return boost::json::value(at.as_boolean()->get());
    if (at.is_floating_point() && std::isfinite(at.as_floating_point()->get())) {
      return boost::json::value(at.as_floating_point()->get());
    }
    if (at.is_array()) {
      boost::json::array array;
      for (const toml::node& entry : *at.as_array()) array.push_back(Json(entry, key));
      return array;
    }
    if (!at.is_table()) Fail(at, key, "cannot be said in JSON");
    boost::json::object object;
    for (const auto& [name, value] : *at.as_table()) object[name.str()] = Json(value, key);
    return object;
  }

 private:
  std::string path_;
};

}  // namespace oj::sim
