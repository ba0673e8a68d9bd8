#include "lab/order.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "core/protocol.h"
#include "scenario/toml_writer.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

Error Wrong(const std::string& why) { return {ErrorCode::kInvalidRequest, why, ""}; }

struct Kind {
  std::string_view name;
  std::string_view usage;
  std::vector<std::string_view> options;  // beside those of all kinds; of these "!x" is a flag
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {"hang", "hang tmux|git|daemon", {"!--ignore-term"}},
      {"slow", "slow tmux|git TIME", {"--to"}},
      {"fail", "fail tmux|git [--exit N] [--stderr TEXT]", {"--exit", "--stderr"}},
      {"flood", "flood tmux|git [BYTES]", {}},
      {"grandchild", "grandchild tmux|git [--setsid]", {"!--setsid"}},
      {"rule", "rule tmux|git KEY=VALUE...", {}},
      {"kill", "kill tmux|daemon", {}},
  };
  return kinds;
}

// What a fake lives at most (fakes/behaviour.cc), whatever it was told.
constexpr milliseconds kLife(120'000);
constexpr milliseconds kLongest(24 * 60 * 60'000);
constexpr const char* kATime = "a time in ms, s or m, at most 1440m, ";
constexpr const char* kAShortTime = "a time in ms, s or m, less than the 120s that a fake lives, ";
// Of what the fakes count, as they have it.
constexpr long long kMostBytes = 1'000'000'000'000;

constexpr std::array<std::string_view, 3> kOfAll = {"--match", "--nth", "--for"};
constexpr std::array<std::string_view, 3> kTargets = {"tmux", "git", "daemon"};

const Kind* FindKind(std::string_view name) {
  const auto at = std::find_if(Kinds().begin(), Kinds().end(),
                               [name](const Kind& kind) { return kind.name == name; });
  return at == Kinds().end() ? nullptr : &*at;
}

bool IsTarget(std::string_view word) {
  return std::find(kTargets.begin(), kTargets.end(), word) != kTargets.end();
}

std::optional<long long> Number(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// 64, 64K, 64M, 1G.
std::optional<long long> Bytes(std::string text) {
  constexpr std::string_view kUnits = "KMG";
  const std::size_t unit = text.empty() ? kUnits.npos : kUnits.find(text.back());
  if (unit != kUnits.npos) text.pop_back();
  const auto number = Number(text);
  const std::size_t shift = unit == kUnits.npos ? 0 : 10 * (unit + 1);
  if (!number || *number > kMostBytes >> shift) return std::nullopt;
  return *number << shift;
}

std::string Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
}

// "err=boom", "delay_ms = 3000", or any lines of TOML.
std::string TomlOf(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos || word.find('\n') != word.npos) return std::string(word) + "\n";
  std::string value = Trimmed(word.substr(equals + 1));
  const bool plain = value == "true" || value == "false" || value.starts_with('"') ||
                     value.starts_with('\'') ||
                     (!value.empty() && value.find_first_not_of("0123456789.") == value.npos);
  if (!plain) value = Quoted(value);
  return Trimmed(word.substr(0, equals)) + " = " + value + "\n";
}

// In one line, without those that say which calls it is for.
std::string KeysOf(ToolRule rule) {
  rule.match.clear();
  rule.nth = 0;
  std::string text = RuleLines(rule);
  text.erase(0, text.find('\n') + 1);
  if (!text.empty()) text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos;) text.replace(at, 1, ", ");
  return text;
}

// Reads the words behind `on`.
class OnParser {
 public:
  explicit OnParser(const std::vector<std::string>& words) : words_(words) {}

  Result<Order> Parse() {
    if (words_.empty()) return Wrong("on what? `oj-harness fault --help` shows examples");
    kind_ = FindKind(words_[0]);
    if (kind_ == nullptr) {
      return Wrong("'" + words_[0] + "' is no fault; there are" + KindNames());
    }
    if (!Split()) return Wrong(wrong_);
    if (!Fill()) return Wrong(wrong_);
    Name();
    return std::move(order_);
  }

 private:
  bool Fail(std::string why) {
    if (wrong_.empty()) wrong_ = std::move(why);
    return false;
  }
  bool FailUsage() { return Fail("it is: oj-harness fault on " + std::string(kind_->usage)); }

  static std::string KindNames() {
    std::string names;
    for (const Kind& each : Kinds()) names += " " + std::string(each.name);
    return names;
  }

  bool Split() {
    const auto has = [this](const std::string& name) {
      return std::find(kind_->options.begin(), kind_->options.end(), name) != kind_->options.end();
    };
    for (std::size_t i = 1; i < words_.size(); ++i) {
      const std::string& word = words_[i];
      if (!word.starts_with("--")) {
        plain_.push_back(word);
      } else if (has("!" + word)) {
        options_[word] = "";
      } else if (has(word) || std::find(kOfAll.begin(), kOfAll.end(), word) != kOfAll.end()) {
        if (++i == words_.size()) return Fail(word + " needs a value");
        options_[word] = words_[i];
      } else {
        return Fail(std::string(kind_->name) + " has no option " + word);
      }
    }
    return true;
  }

  bool Fill() {
    if (plain_.empty() || !IsTarget(plain_[0])) return FailUsage();
    Fault& fault = order_.fault;
    fault.target = fault.rule.tool = plain_[0];
    order_.what = Order::What::kOn;
    if (kind_->name == "kill") return Kill();
    if (fault.target == "daemon") return HangDaemon();
    return Special() && Common();
  }

  bool Kill() {
    if (plain_.size() != 1 || plain_[0] == "git" || !options_.empty()) return FailUsage();
    order_.what = Order::What::kKill;
    return true;
  }

  bool HangDaemon() {
    const bool only_for = options_.empty() || (options_.size() == 1 && options_.contains("--for"));
    if (kind_->name != "hang" || plain_.size() != 1 || !only_for) {
      return Fail("a daemon can only `hang daemon [--for TIME]`, or `kill daemon`");
    }
    return Common();
  }

  // What only this kind has.
  bool Special() {
    ToolRule& rule = order_.fault.rule;
    const std::size_t words = plain_.size();
    if (kind_->name == "hang") {
      rule.hang = true;
      rule.ignore_term = options_.contains("--ignore-term");
    } else if (kind_->name == "slow") {
      return Slow(rule);
    } else if (kind_->name == "fail") {
      rule.exit = 1;
      if (options_.contains("--stderr")) rule.err = options_["--stderr"] + "\n";
      if (!Small("--exit", 0, 255, [&rule](int value) { rule.exit = value; })) return false;
    } else if (kind_->name == "flood") {
      const auto bytes = Bytes(words == 2 ? plain_[1] : "64M");
      if (words > 2) return FailUsage();
      if (!bytes || *bytes == 0) {
        return Fail("flood needs a number of bytes from 1 to 10^12, such as 64K or 1G");
      }
      rule.flood_bytes = *bytes;
      return true;
    } else if (kind_->name == "grandchild") {
      rule.grandchild = true;
      rule.setsid = options_.contains("--setsid");
    } else {
      return Rule(rule);
    }
    return words == 1 || FailUsage();
  }

  bool Slow(ToolRule& rule) {
    const auto delay = plain_.size() == 2 ? ParseTime(plain_[1]) : std::nullopt;
    if (!delay || *delay >= kLife) {
      return Fail(std::string("slow needs ") + kAShortTime + "such as: slow " + plain_[0] + " 3s");
    }
    rule.delay = *delay;
    if (!options_.contains("--to")) return true;
    const auto longest = ParseTime(options_["--to"]);
    if (!longest || *longest < *delay || *longest >= kLife) {
      return Fail(std::string("--to needs a longer time than TIME, ") + kAShortTime + "such as 5s");
    }
    rule.delay_to = *longest;
    return true;
  }

  // By the parser of scenario files: one vocabulary.
  bool Rule(ToolRule& rule) {
    if (plain_.size() < 2) return FailUsage();
    std::string text = "worlds = [\"fakes\"]\n[[client]]\nname = \"x\"\nsteps = [{close = true}]\n";
    text += "[[tool]]\ntool = \"" + rule.tool + "\"\n";
    for (std::size_t i = 1; i < plain_.size(); ++i) text += TomlOf(plain_[i]);
    Result<Scenario> parsed = ParseScenario(text, "rule");
    if (!parsed) {
      const std::string& message = parsed.error().message;
      return Fail(message.substr(message.find(": ") + 2));
    }
    if (parsed->tools.size() != 1) return Fail("one rule at a time");
    rule = parsed->tools[0];
    for (const Duration each :
         {rule.delay, rule.delay_to, rule.delay_mean, rule.at.value_or(Duration())}) {
      if (each >= kLife) return Fail("a fake lives 120 s: times of a rule must be less");
    }
    return true;
  }

  bool Common() {
    ToolRule& rule = order_.fault.rule;
    if (options_.contains("--match")) rule.match = options_["--match"];
    if (!Small("--nth", 1, 1'000'000, [&rule](int value) { rule.nth = value; })) return false;
    if (!options_.contains("--for")) return true;
    order_.fault.lasts = ParseTime(options_["--for"]);
    return order_.fault.lasts || Fail(std::string("--for needs ") + kATime + "such as 10s");
  }

  template <class Set>
  bool Small(const std::string& option, int least, int most, Set set) {
    if (!options_.contains(option)) return true;
    const auto value = Number(options_[option]);
    if (!value || *value < least || *value > most) {
      return Fail(option + " needs a number, at least " + std::to_string(least) + ", at most " +
                  std::to_string(most));
    }
    set(static_cast<int>(*value));
    return true;
  }

  void Name() {
    Fault& fault = order_.fault;
    fault.name = std::string(kind_->name) + "-" + fault.target;
    if (!fault.rule.match.empty()) fault.name += "-" + fault.rule.match;
    std::replace_if(
        fault.name.begin(), fault.name.end(),
        [](char c) { return std::string_view(" \t\n'\"=:;/").find(c) != std::string_view::npos; },
        '-');
  }

  const std::vector<std::string>& words_;
  const Kind* kind_ = nullptr;
  std::vector<std::string> plain_;
  std::map<std::string, std::string> options_;
  Order order_;
  std::string wrong_;
};

Result<Order> ParseOff(const std::vector<std::string>& words) {
  Order order;
  order.what = Order::What::kOff;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool two = FindKind(words[i]) != nullptr && i + 1 < words.size();
    order.names.push_back(two && IsTarget(words[i + 1]) ? words[i] + "-" + words[i + 1] : words[i]);
    if (order.names.back() != words[i]) ++i;
  }
  if (words.empty()) return Wrong("off what? A name that `fault list` shows, or all");
  return order;
}

Result<Order> ParseVerb(std::vector<std::string> words) {
  if (words.empty()) return Order{};
  const std::string verb = words[0];
  words.erase(words.begin());
  if (verb == "on") return OnParser(words).Parse();
  if (verb == "off") return ParseOff(words);
  if (verb != "list") return Wrong("'" + verb + "' is none of on, off, list");
  if (!words.empty()) return Wrong("list takes no words");
  Order order;
  order.what = Order::What::kList;
  return order;
}

}  // namespace

const char* const kOrderHelp =
    R"(Makes the tools of a running lab misbehave, and makes them well again.

  oj-harness fault on FAULT TARGET ...   from the next call on
  oj-harness fault off NAME...|all       what waits goes on
  oj-harness fault list                  what is on, since when, the calls it has met and holds

Faults of a tool, tmux or git:
  hang TOOL [--ignore-term]              no call ends (the real tmux: its server has SIGSTOP)
  slow TOOL TIME [--to TIME]             each call takes so much longer, or drawn between the two
  fail TOOL [--exit N] [--stderr TEXT]   each call fails without doing anything
  flood TOOL [BYTES]                     each call first writes so much (64M)
  grandchild TOOL [--setsid]             each call leaves a child that holds its output
  rule TOOL KEY=VALUE...                 any keys of a scenario's [[tool]]: delay_ms, exit, signal,
                                         out, err, cut, non_utf8, bytes_per_s, probability ...
With each of them:
  --match TEXT                           only calls whose arguments contain TEXT
  --nth N                                only the N-th of these
  --for TIME                             turned off by itself after so long: 300ms, 3s, 2m
Of the daemon, and of the server of tmux:
  hang daemon [--for TIME]               SIGSTOP
  kill daemon                            SIGKILL; the next `oj` starts another one
  kill tmux                              its sessions are gone

A call of a fake lives 120 s at most: then it dies of SIGALRM, also one that hangs.
The newest fault that fits a call counts. `off` also takes the beginning of a name, or a target. The
lab is that of this shell, or the only one that runs, or that of --lab DIR.

Examples:
  oj-harness fault on hang tmux
  oj-harness fault on hang tmux --match capture-pane --for 10s
  oj-harness fault on slow git 3s
  oj-harness fault on fail tmux --exit 1 --stderr "no server running"
  oj-harness fault on rule git signal=9 probability=0.3
  oj-harness fault on kill daemon
  oj-harness fault off hang tmux
)";

Result<Order> ParseOrder(const std::vector<std::string>& words) {
  std::vector<std::string> rest;
  std::string lab;
  std::size_t size = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    size += words[i].size() + 1;
    if (size > kLongestOrder) return Wrong("an order has at most 64 KiB");
    if (ToUtf8(words[i]) != words[i])
      return Wrong("an order is UTF-8; '" + ToUtf8(words[i]) + "' is not");
    if (words[i] == "--help" || words[i] == "-h") return Order{};
    if (words[i] != "--lab") {
      rest.push_back(words[i]);
    } else if (++i < words.size()) {
      lab = words[i];
    } else {
      return Wrong("--lab needs a directory");
    }
  }
  Result<Order> order = ParseVerb(std::move(rest));
  if (order) order->lab = lab;
  return order;
}

Fault FaultOf(const ToolRule& rule) {
  Fault fault;
  fault.name = "rule-" + rule.tool;
  if (!rule.match.empty()) fault.name += "-" + rule.match;
  std::replace(fault.name.begin(), fault.name.end(), ' ', '-');
  fault.target = rule.tool;
  fault.rule = rule;
  return fault;
}

std::string Effect(const Fault& fault) {
  const ToolRule& rule = fault.rule;
  if (fault.target == "daemon") return "ojd hangs";
  std::string text = fault.target + " calls";
  if (!rule.match.empty()) text += " with '" + rule.match + "'";
  if (rule.nth > 0) text += " (only the one with number " + std::to_string(rule.nth) + ")";
  if (fault.name.starts_with("rule-")) return text + ": " + KeysOf(rule);
  if (rule.hang) return text + " hang" + (rule.ignore_term ? " and ignore SIGTERM" : "");
  if (rule.flood_bytes > 0) {
    return text + " write " + std::to_string(rule.flood_bytes) + " bytes first";
  }
  if (rule.grandchild) return text + " leave a child that holds their output";
  if (rule.exit) return text + " fail with exit status " + std::to_string(*rule.exit);
  const auto delay = std::chrono::duration_cast<milliseconds>(rule.delay);
  return text + (rule.delay_to == Duration() ? " take " : " take at least ") + TimeText(delay) +
         " longer";
}

bool IsMeant(const Fault& fault, const std::string& word) {
  return word == "all" || word == fault.name || word == fault.target ||
         fault.name.starts_with(word + "-");
}

std::optional<milliseconds> ParseTime(const std::string& text) {
  static constexpr std::pair<std::string_view, int> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}};
  for (const auto& [unit, factor] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto number = Number(std::string_view(text).substr(0, text.size() - unit.size()));
    if (!number || *number == 0 || *number > kLongest.count() / factor) return std::nullopt;
    return milliseconds(*number * factor);
  }
  return std::nullopt;
}

std::string TimeText(milliseconds time) {
  const long long ms = time.count();
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 10'000 && ms % 1000 != 0) {
    return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
  }
  if (ms < 120'000) return std::to_string(ms / 1000) + " s";
  return std::to_string(ms / 60'000) + " min";
}

}  // namespace oj::sim
