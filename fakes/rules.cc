#include "rules.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <csignal>
#include <string_view>

namespace oj::fakes {
namespace {

class Reader {
 public:
  Reader(const std::string& path, std::string* error) : path_(path), error_(error) {}

  bool Fail(const toml::node& at, std::string_view key, std::string_view message) {
    if (error_->empty()) {
      *error_ = path_ + ":" + std::to_string(at.source().begin.line) + ": " + std::string(key) +
                ": " + std::string(message);
    }
    return false;
  }

  bool Read(const toml::table& rule, Rule* to) {
    for (const auto& [key, value] : rule) {
      if (!ReadKey(key.str(), value, to)) return false;
    }
    if (to->tool.empty()) return Fail(rule, "tool", "is missing");
    if (to->behaviour.setsid && !to->behaviour.grandchild) {
      return Fail(rule, "setsid", "is of use only with grandchild = true");
    }
    return true;
  }

 private:
  bool ReadKey(std::string_view key, const toml::node& value, Rule* to) {
    Behaviour& b = to->behaviour;
    if (key == "tool") return Text(key, value, &to->tool);
    if (key == "match") return Text(key, value, &to->match);
    if (key == "hang_while") return Text(key, value, &b.hang_while);
    if (key == "out") return Text(key, value, &b.out.emplace());
    if (key == "err") return Text(key, value, &b.err.emplace());
    if (key == "passing") return Passing(key, value, &b.passing);
    if (key == "hang") return Bool(key, value, &b.hang);
    if (key == "ignore_term") return Bool(key, value, &b.ignore_term);
    if (key == "exit_zero_on_term") return Bool(key, value, &b.exit_zero_on_term);
    if (key == "grandchild") return Bool(key, value, &b.grandchild);
    if (key == "setsid") return Bool(key, value, &b.setsid);
    if (key == "nth") return Integer(key, value, 0, kMany, &to->nth);
    if (key == "flood_bytes") return Integer(key, value, 0, kMany, &b.flood_bytes);
    return ReadSmall(key, value, &b);
  }

  bool ReadSmall(std::string_view key, const toml::node& value, Behaviour* b) {
    long long number = 0;
    if (key == "delay_ms") {
      if (!Integer(key, value, 0, kMany, &number)) return false;
      b->delay = std::chrono::milliseconds(number);
    } else if (key == "exit") {
      if (!Integer(key, value, 0, 255, &number)) return false;
      b->exit = static_cast<int>(number);
    } else if (key == "signal") {
      if (!Integer(key, value, 1, NSIG - 1, &number)) return false;
      b->signal = static_cast<int>(number);
    } else {
      return Fail(value, key, "unknown key");
    }
    return true;
  }

  bool Passing(std::string_view key, const toml::node& value, std::string* to) {
    if (!Text(key, value, to)) return false;
    return *to == "serves" || *to == "exits" || Fail(value, key, "must be serves or exits");
  }
  bool Text(std::string_view key, const toml::node& value, std::string* to) {
    if (!value.is_string()) return Fail(value, key, "must be a string");
    *to = value.as_string()->get();
    return true;
  }
  bool Bool(std::string_view key, const toml::node& value, bool* to) {
    if (!value.is_boolean()) return Fail(value, key, "must be true or false");
    *to = value.as_boolean()->get();
    return true;
  }
  bool Integer(std::string_view key, const toml::node& value, long long low, long long high,
               long long* to) {
    if (value.is_integer()) *to = value.as_integer()->get();
    if (value.is_integer() && *to >= low && *to <= high) return true;
    return Fail(value, key,
                "must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }

  static constexpr long long kMany = 1'000'000'000'000;
  const std::string& path_;
  std::string* error_;
};

}  // namespace

bool LoadRules(const std::string& path, std::vector<Rule>* rules, std::string* error) {
  if (path.empty()) return true;
  const toml::parse_result parsed = toml::parse_file(path);
  if (!parsed) {
    *error = path + ":" + std::to_string(parsed.error().source().begin.line) +
             ": syntax: " + std::string(parsed.error().description());
    return false;
  }
  Reader reader(path, error);
  for (const auto& [key, value] : parsed.table()) {
    const toml::array* list = value.as_array();
    if (key.str() != "rule") return reader.Fail(value, key.str(), "unknown key");
    if (list == nullptr) return reader.Fail(value, "rule", "must be a list of tables: [[rule]]");
    for (const toml::node& entry : *list) {
      if (!entry.is_table()) return reader.Fail(entry, "rule", "must be a table");
      if (!reader.Read(*entry.as_table(), &rules->emplace_back())) return false;
    }
  }
  return true;
}

}  // namespace oj::fakes
