#include "rules.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <string_view>
#include <utility>

#include "vocabulary.h"

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
    return Check(rule, *to);
  }

 private:
  bool ReadKey(std::string_view key, const toml::node& value, Rule* to) {
    if (std::find(std::begin(kRuleKeys), std::end(kRuleKeys), key) == std::end(kRuleKeys)) {
      return Fail(value, key, "unknown key");
    }
    Behaviour& b = to->behaviour;
    if (key == "tool") return Text(key, value, &to->tool);
    if (key == "match") return Text(key, value, &to->match);
    if (key == "nth") return Integer(key, value, 0, kMany, &to->nth);
    if (key == "seed") return Integer(key, value, 0, kMany, &to->seed);
    if (key == "probability") return Probability(key, value, &to->probability);
    if (key == "release") return Path(key, value, &b.release);
    if (key == "at_path") return Path(key, value, &b.at_path);
    if (key == "lock_file") return Path(key, value, &b.lock_file);
    if (key == "out") return Text(key, value, &b.out.emplace());
    if (key == "err") return Text(key, value, &b.err.emplace());
    if (key == "passing") return Passing(key, value, &b.passing);
    if (key == "bytes_per_s") return Integer(key, value, 1, kMany, &b.drip);
    if (key == "flood_bytes") return Integer(key, value, 0, kMany, &b.flood_bytes);
    for (const auto& [name, flag] : kFlags) {
      if (key == name) return Bool(key, value, &(b.*flag));
    }
    if (key.ends_with("_ms")) return ReadMillis(key, value, &b);
    return ReadSmall(key, value, &b);
  }

  bool ReadMillis(std::string_view key, const toml::node& value, Behaviour* b) {
    long long number = 0;
    if (!Integer(key, value, 0, kLongest.count(), &number)) return false;
    const std::chrono::milliseconds millis(number);
    if (key == "delay_ms") {
      b->delay = millis;
    } else if (key == "delay_to_ms") {
      b->delay_to = millis;
    } else if (key == "delay_mean_ms") {
      b->delay_mean = millis;
    } else if (key == "at_ms") {
      b->at = millis;
    } else if (key == "late_ms") {
      b->late = millis;
    } else {
      return Fail(value, key, "unknown key");
    }
    return true;
  }

  bool ReadSmall(std::string_view key, const toml::node& value, Behaviour* b) {
    long long number = 0;
    if (key == "forks") {
      if (!Integer(key, value, 0, kMostForks, &number)) return false;
      b->forks = static_cast<int>(number);
    } else if (key == "exit") {
      if (!Integer(key, value, 0, 255, &number)) return false;
      b->exit = static_cast<int>(number);
    } else if (key == "signal") {
      if (!Integer(key, value, 1, NSIG - 1, &number)) return false;
      if (!IsDeadly(number)) return Fail(value, key, kNotDeadly);
      b->signal = static_cast<int>(number);
    } else {
      return Fail(value, key, "unknown key");
    }
    return true;
  }

  // What one key says about another.
  bool Check(const toml::table& rule, const Rule& read) {
    const Behaviour& b = read.behaviour;
    const bool real = b.wrap || read.tool == "git";
    if (read.tool.empty()) return Fail(rule, "tool", "is missing");
    if (b.setsid && !b.grandchild) {
      return Fail(rule, "setsid", "is of use only with grandchild = true");
    }
    if (b.delay_to.count() > 0 && b.delay_to < b.delay) {
      return Fail(rule, "delay_to_ms", "must not be less than delay_ms");
    }
    if (b.InTheMiddle() && !real) {
      return Fail(rule, "at_ms or at_path", "is of use only with a real tool: wrap = true");
    }
    if (b.InTheMiddle() && b.after) return Fail(rule, "after", "is not for at_ms or at_path");
    if (b.late && (b.after || b.InTheMiddle())) {
      return Fail(rule, "late_ms", "is for what happens before the work");
    }
    return true;
  }

  bool Passing(std::string_view key, const toml::node& value, std::string* to) {
    if (!Text(key, value, to)) return false;
    return *to == "serves" || *to == "exits" || Fail(value, key, "must be serves or exits");
  }
  // Relative to what, nobody could tell: tools are started in many directories.
  bool Path(std::string_view key, const toml::node& value, std::string* to) {
    if (!Text(key, value, to)) return false;
    return to->starts_with('/') || Fail(value, key, "must be an absolute path");
  }
  bool Probability(std::string_view key, const toml::node& value, double* to) {
    if (value.is_floating_point()) *to = value.as_floating_point()->get();
    if (value.is_integer()) *to = static_cast<double>(value.as_integer()->get());
    if (value.is_number() && *to >= 0 && *to <= 1) return true;
    return Fail(value, key, "must be a number from 0 to 1");
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
  static constexpr std::pair<std::string_view, bool Behaviour::*> kFlags[] = {
      {"hang", &Behaviour::hang},
      {"ignore_term", &Behaviour::ignore_term},
      {"exit_zero_on_term", &Behaviour::exit_zero_on_term},
      {"after", &Behaviour::after},
      {"cut", &Behaviour::cut},
      {"non_utf8", &Behaviour::non_utf8},
      {"grandchild", &Behaviour::grandchild},
      {"setsid", &Behaviour::setsid},
      {"wrap", &Behaviour::wrap},
  };
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
