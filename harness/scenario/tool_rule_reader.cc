#include "scenario/tool_rule_reader.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <sstream>
#include <string_view>

#include "fakes/vocabulary.h"

namespace oj::sim {
namespace {

constexpr std::int64_t kMost = 1'000'000'000'000;
constexpr std::string_view kOfFakes[] = {"release", "wrap"};

constexpr std::pair<std::string_view, bool ToolRule::*> kFlags[] = {
    {"hang", &ToolRule::hang},
    {"after", &ToolRule::after},
    {"ignore_term", &ToolRule::ignore_term},
    {"exit_zero_on_term", &ToolRule::exit_zero_on_term},
    {"cut", &ToolRule::cut},
    {"non_utf8", &ToolRule::non_utf8},
    {"grandchild", &ToolRule::grandchild},
    {"setsid", &ToolRule::setsid},
};
constexpr std::pair<std::string_view, Duration ToolRule::*> kTimes[] = {
    {"delay_ms", &ToolRule::delay},
    {"delay_to_ms", &ToolRule::delay_to},
    {"delay_mean_ms", &ToolRule::delay_mean},
};

template <class List>
bool Contains(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

class RuleReader {
 public:
  RuleReader(const TomlReader& reader, bool only) : read_(reader), fakes_only_(only) {}

  ToolRule Read(const toml::table& table) {
    for (const auto& [name, value] : table) ReadKey(name.str(), value);
    Check(table);
    return std::move(rule_);
  }

 private:
  void ReadKey(std::string_view key, const toml::node& value) {
    if (!Contains(fakes::kRuleKeys, key)) read_.Fail(value, key, "unknown key");
    for (const auto& [name, flag] : kFlags) {
      if (key == name) rule_.*flag = read_.Bool(value, key);
    }
    for (const auto& [name, time] : kTimes) {
      if (key == name) rule_.*time = read_.Millis(value, key);
    }
    if (key == "at_ms") rule_.at = read_.Millis(value, key);
    if (key == "late_ms") rule_.late = read_.Millis(value, key);
    if (key == "probability") rule_.probability = ReadProbability(value);
    if (key == "passing") rule_.passing = ReadPassing(value);
    if (Contains(kOfFakes, key)) ReadOfFakes(key, value);
    ReadText(key, value);
    ReadInteger(key, value);
  }
  void ReadText(std::string_view key, const toml::node& value) {
    if (key == "tool") rule_.tool = ReadToolName(read_, value);
    if (key == "match") rule_.match = read_.Text(value, key);
    if (key == "out") rule_.out = read_.Text(value, key);
    if (key == "err") rule_.err = read_.Text(value, key);
    if (key == "at_path") rule_.at_path = ReadPath(key, value);
    if (key == "lock_file") rule_.lock_file = ReadPath(key, value);
  }
  void ReadInteger(std::string_view key, const toml::node& value) {
    if (key == "nth") rule_.nth = static_cast<int>(read_.Integer(value, key, 0, 1'000'000'000));
    if (key == "seed") rule_.seed = read_.Integer(value, key, 0, kMost);
    if (key == "exit") rule_.exit = static_cast<int>(read_.Integer(value, key, 0, 255));
    if (key == "signal") rule_.signal = ReadSignal(value);
    if (key == "flood_bytes") rule_.flood_bytes = read_.Integer(value, key, 0, kMost);
    if (key == "bytes_per_s") rule_.bytes_per_s = read_.Integer(value, key, 1, kMost);
    if (key == "forks") {
      rule_.forks = static_cast<int>(read_.Integer(value, key, 0, fakes::kMostForks));
    }
  }

  // What one key says about another: as the fakes have it.
  void Check(const toml::table& table) {
    if (rule_.tool.empty()) read_.Fail(table, "tool", "is missing");
    const bool real = rule_.tool == "git" || fakes_only_;
    Want(table, rule_.passing == ToolRule::Passing::kNo || rule_.tool == "tmux", "passing",
         "is of use only with tool = \"tmux\"");
    Want(table, !rule_.setsid || rule_.grandchild, "setsid",
         "is of use only with grandchild = true");
    Want(table, rule_.delay_to == Duration() || rule_.delay_to >= rule_.delay, "delay_to_ms",
         "must not be less than delay_ms");
    Want(table, !rule_.InTheMiddle() || real, "at_ms or at_path",
         "is of use only with tool = \"git\"");
    Want(table, !rule_.InTheMiddle() || !rule_.after, "after", "is not for at_ms or at_path");
    Want(table, !rule_.late || !(rule_.after || rule_.InTheMiddle()), "late_ms",
         "is for what happens before the work");
  }
  void Want(const toml::table& table, bool holds, std::string_view key, std::string_view why) {
    if (!holds) read_.Fail(table, key, why);
  }

  void ReadOfFakes(std::string_view key, const toml::node& value) {
    if (!fakes_only_) read_.Fail(value, key, "is for worlds = [\"fakes\"] only");
    if (key == "release") ReadPath(key, value);
    if (key == "wrap") read_.Bool(value, key);
    std::ostringstream text;
    value.visit([&text](const auto& node) { text << node; });
    rule_.of_fakes.emplace_back(key, std::move(text).str());
  }
  std::string ReadPath(std::string_view key, const toml::node& value) {
    std::string path = read_.Text(value, key);
    if (!path.starts_with('/')) read_.Fail(value, key, "must be an absolute path");
    return path;
  }
  int ReadSignal(const toml::node& value) {
    const std::int64_t number = read_.Integer(value, "signal", 1, NSIG - 1);
    if (!fakes::IsDeadly(number)) read_.Fail(value, "signal", fakes::kNotDeadly);
    return static_cast<int>(number);
  }
  double ReadProbability(const toml::node& value) {
    const double number = value.value<double>().value_or(-1);
    if (!(number >= 0 && number <= 1)) {  // nor is it nan
      read_.Fail(value, "probability", "must be a number from 0 to 1");
    }
    return number;
  }
  ToolRule::Passing ReadPassing(const toml::node& value) {
    const std::string text = read_.Text(value, "passing");
    if (text == "serves") return ToolRule::Passing::kServes;
    if (text != "exits") read_.Fail(value, "passing", "must be serves or exits");
    return ToolRule::Passing::kExits;
  }

  const TomlReader& read_;
  bool fakes_only_;
  ToolRule rule_;
};

}  // namespace

ToolRule ReadToolRule(const TomlReader& read, const toml::table& table, bool fakes_only) {
  return RuleReader(read, fakes_only).Read(table);
}

std::string ReadToolName(const TomlReader& read, const toml::node& at) {
  std::string name = read.Text(at, "tool");
  if (name != "tmux" && name != "git") read.Fail(at, "tool", "must be tmux or git");
  return name;
}

}  // namespace oj::sim
