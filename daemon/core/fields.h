// Fields: reads the typed fields of one JSON object of the protocol.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/protocol.h"

namespace oj {

// Reads the fields of one object; keeps the first error, so that readers need not look at each.
class Fields {
 public:
  explicit Fields(const boost::json::object& object) : object_(object) {}

  std::optional<Error> error() const { return error_; }

  std::string String(std::string_view name) {
    const boost::json::value* value = Need(name, "a string");
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
  // Absent or null: nothing.
  std::optional<std::string> OptionalString(std::string_view name) {
    if (Find(name) == nullptr) return std::nullopt;
    return String(name);
  }
  std::optional<std::string> OptionalId(std::string_view name) {
    if (Find(name) == nullptr) return std::nullopt;
    return Id(name);
  }
  // An absolute path, as a tool may have it.
  std::string Path(std::string_view name) {
    std::string path = String(name);
    if (error_) return path;
    if (!path.starts_with('/')) Fail(name, "must be an absolute path");
    if (path.find('\0') != std::string::npos) Fail(name, "must not contain a NUL byte");
    return path;
  }
  std::optional<std::string> OptionalPath(std::string_view name) {
    if (Find(name) == nullptr) return std::nullopt;
    return Path(name);
  }
  bool Bool(std::string_view name, bool otherwise) {
    const boost::json::value* value = Find(name);
    if (value == nullptr) return otherwise;
    if (!value->is_bool()) return Fail(name, "must be true or false"), otherwise;
    return value->get_bool();
  }
  std::optional<std::int64_t> Positive(std::string_view name, std::int64_t most) {
    const boost::json::value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    const std::int64_t* number = value->if_int64();
    if (number == nullptr || *number <= 0 || *number > most) {
      Fail(name, "must be an integer from 1 to " + std::to_string(most));
      return std::nullopt;
    }
    return *number;
  }
  std::optional<Duration> Millis(std::string_view name) {
    const auto number = Positive(name, kMostMillis);
    if (!number) return std::nullopt;
    return std::chrono::milliseconds(*number);
  }
  std::vector<std::string> Strings(std::string_view name) {
    std::vector<std::string> all;
    const boost::json::value* value = Need(name, "an array of strings");
    if (value == nullptr) return all;
    if (!value->is_array()) return Fail(name, "must be an array of strings"), all;
    for (const boost::json::value& item : value->get_array()) {
      if (!item.is_string()) return Fail(name, "must be an array of strings"), all;
      all.emplace_back(item.get_string());
    }
    return all;
  }
  std::vector<std::pair<std::string, std::string>> Map(std::string_view name) {
    std::vector<std::pair<std::string, std::string>> all;
    const boost::json::value* value = Find(name);
    if (value == nullptr) return all;
    if (!value->is_object()) return Fail(name, "must be an object of strings"), all;
    for (const auto& [key, item] : value->get_object()) {
      if (!item.is_string()) return Fail(name, "must be an object of strings"), all;
      all.emplace_back(key, item.get_string());
    }
    return all;
  }
  const boost::json::object* Object(std::string_view name) {
    const boost::json::value* value = Need(name, "an object");
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
  static constexpr std::int64_t kMostMillis = 315'360'000'000;  // ten years

  // Null reads as absent.
  const boost::json::value* Find(std::string_view name) const {
    const boost::json::value* value = object_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  const boost::json::value* Need(std::string_view name, std::string_view what) {
    const boost::json::value* value = Find(name);
    if (value == nullptr) Fail(name, "is missing: it must be " + std::string(what));
    return value;
  }

  const boost::json::object& object_;
  std::optional<Error> error_;
};

}  // namespace oj
