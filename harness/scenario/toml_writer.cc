#include "scenario/toml_writer.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <charconv>
#include <cstdio>

namespace oj::sim {
namespace {

namespace json = boost::json;

std::string Key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return bare ? std::string(key) : Quoted(key);
}

// TOML has no null: such fields are left out.
std::string Inline(const json::value& value) {
  std::string text;
  if (value.is_string()) return Quoted(value.get_string());
  if (value.is_object()) {
    for (const auto& [key, each] : value.get_object()) {
      if (each.is_null()) continue;
      text += (text.empty() ? " " : ", ") + Key(key) + " = " + Inline(each);
    }
    return "{" + text + " }";
  }
  if (!value.is_array()) return json::serialize(value);
  for (const json::value& each : value.get_array()) {
    text += (text.empty() ? "" : ", ") + Inline(each);
  }
  return "[" + text + "]";
}

std::string Shortest(double number) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end};
}

std::string List(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return Quoted(texts.front());
  std::string list;
  for (const std::string& each : texts) list += (list.empty() ? "" : ", ") + Quoted(each);
  return "[" + list + "]";
}

std::string Verb(const Step& step) {
  switch (step.what) {
    case Step::Do::kCall:
      return "call = " + Inline(json::parse(step.text));
    case Step::Do::kSend:
      return "send = " + Inline(json::parse(step.text));
    case Step::Do::kReceive:
      return "receive = true";
    case Step::Do::kSleep:
      return "sleep_ms = " + MillisText(step.time);
    case Step::Do::kUntil:
      return "until_ms = " + MillisText(step.time);
    case Step::Do::kHalfClose:
      return "half_close = true";
    case Step::Do::kClose:
      return "close = true";
    case Step::Do::kRaw:
      return "raw = " + Quoted(step.text);
  }
  return "";
}

class Writer {
 public:
  std::string Write(const Scenario& scenario) {
    if (!scenario.about.empty()) Add("about", Quoted(scenario.about));
    if (!scenario.failures.empty()) Add("failure", List(scenario.failures));
    if (!scenario.worlds.empty()) Add("worlds", Worlds(scenario.worlds));
    if (!scenario.gone.empty()) Add("gone", List(scenario.gone));
    if (!scenario.settings.empty()) text_ += "\n[config]\n";
    for (const auto& [key, value] : scenario.settings) {
      const bool number = value.find_first_not_of("0123456789") == std::string::npos;
      text_ += key + " = " + (number ? value : Quoted(value)) + "\n";
    }
    Setup(scenario);
    for (const ToolRule& rule : scenario.tools) text_ += "\n[[tool]]\n" + RuleLines(rule);
    for (const Hang& hang : scenario.hangs) AddHang(hang);
    for (const Blow& blow : scenario.blows) AddBlow(blow);
    for (const ClientScript& client : scenario.clients) Client(client);
    if (scenario.mix.clients > 0) AddMix(scenario.mix);
    return std::move(text_);
  }

 private:
  void Add(std::string_view key, const std::string& value) {
    text_.append(key).append(" = ").append(value).append("\n");
  }
  static std::string Worlds(const std::vector<World>& worlds) {
    std::string list;
    for (const World world : worlds) {
      list += (list.empty() ? "" : ", ") + Quoted(Name(world));
    }
    return "[" + list + "]";
  }

  void Setup(const Scenario& scenario) {
    for (const RepoSetup& repo : scenario.repos) {
      text_ += "\n[[repo]]\n";
      Add("path", Quoted(repo.path));
      if (repo.files != RepoSetup().files) Add("files", std::to_string(repo.files));
    }
    for (const WorkspaceSetup& each : scenario.workspaces) {
      text_ += "\n[[workspace]]\n";
      Add("id", Quoted(each.id));
      Add("repo", Quoted(each.repo));
      if (!each.states.empty()) Add("state", List(each.states));
      if (each.age_hours != WorkspaceSetup().age_hours) {
        Add("age_hours", std::to_string(each.age_hours));
      }
    }
    for (const AgentSetup& each : scenario.agents) {
      text_ += "\n[[agent]]\n";
      Add("id", Quoted(each.id));
      if (!each.workspace.empty()) Add("workspace", Quoted(each.workspace));
      if (!each.runs) Add("runs", "false");
    }
    for (const SessionSetup& each : scenario.sessions) {
      text_ += "\n[[session]]\n";
      Add("id", Quoted(each.id));
      if (!each.screen.empty()) Add("screen", Quoted(each.screen));
    }
  }

  void AddHang(const Hang& hang) {
    text_ += "\n[[hang]]\n";
    Add("tool", Quoted(hang.tool));
    Add("from_ms", MillisText(hang.from));
    if (hang.until) Add("until_ms", MillisText(*hang.until));
    if (hang.ignore_term) Add("ignore_term", "true");
  }

  void AddBlow(const Blow& blow) {
    text_ += "\n[[strike]]\n";
    Add("what", Quoted(Name(blow.kind)));
    Add("at_ms", MillisText(blow.at));
    if (blow.time != Duration()) Add("by_ms", MillisText(blow.time));
  }

  void Client(const ClientScript& client) {
    text_ += "\n[[client]]\n";
    Add("name", Quoted(client.name));
    if (client.start > Duration()) Add("start_ms", MillisText(client.start));
    text_ += "steps = [\n";
    for (const Step& step : client.steps) {
      text_ += "  { " + Verb(step);
      if (step.give_up) text_ += ", give_up_ms = " + MillisText(*step.give_up);
      if (!step.expect.empty()) text_ += ", expect = " + List(step.expect);
      text_ += " },\n";
    }
    text_ += "]\n";
  }

  void AddMix(const Mix& mix) {
    text_ += "\n[mix]\n";
    Add("clients", std::to_string(mix.clients));
    Add("calls", std::to_string(mix.calls));
    if (mix.sessions > 0) Add("sessions", std::to_string(mix.sessions));
    if (!mix.faults.empty()) Add("faults", List(mix.faults));
    std::string weights;
    for (const auto& [type, weight] : mix.requests) {
      weights += (weights.empty() ? " " : ", ") + type + " = " + std::to_string(weight);
    }
    if (!weights.empty()) Add("requests", "{" + weights + " }");
  }

  std::string text_;
};

}  // namespace

std::string WriteScenario(const Scenario& scenario) { return Writer().Write(scenario); }

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += std::string("\\") + c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string MillisText(Duration time) { return std::to_string(Millis(time)); }

std::string RuleLines(const ToolRule& rule) {
  std::string text = "tool = " + Quoted(rule.tool) + "\n";
  const auto add = [&text](const std::string& key, const std::string& value) {
    text += key + " = " + value + "\n";
  };
  if (!rule.match.empty()) add("match", Quoted(rule.match));
  if (rule.nth > 0) add("nth", std::to_string(rule.nth));
  if (rule.probability < 1) add("probability", Shortest(rule.probability));
  if (rule.seed > 0) add("seed", std::to_string(rule.seed));
  if (rule.delay > Duration()) add("delay_ms", MillisText(rule.delay));
  if (rule.delay_to > Duration()) add("delay_to_ms", MillisText(rule.delay_to));
  if (rule.delay_mean > Duration()) add("delay_mean_ms", MillisText(rule.delay_mean));
  if (rule.at) add("at_ms", MillisText(*rule.at));
  if (rule.late) add("late_ms", MillisText(*rule.late));
  if (!rule.at_path.empty()) add("at_path", Quoted(rule.at_path));
  if (!rule.lock_file.empty()) add("lock_file", Quoted(rule.lock_file));
  if (rule.after) add("after", "true");
  if (rule.hang) add("hang", "true");
  if (rule.ignore_term) add("ignore_term", "true");
  if (rule.exit_zero_on_term) add("exit_zero_on_term", "true");
  if (rule.exit) add("exit", std::to_string(*rule.exit));
  if (rule.signal) add("signal", std::to_string(*rule.signal));
  if (rule.out) add("out", Quoted(*rule.out));
  if (rule.err) add("err", Quoted(*rule.err));
  if (rule.grandchild) add("grandchild", "true");
  if (rule.setsid) add("setsid", "true");
  if (rule.forks > 0) add("forks", std::to_string(rule.forks));
  if (rule.cut) add("cut", "true");
  if (rule.non_utf8) add("non_utf8", "true");
  if (rule.bytes_per_s > 0) add("bytes_per_s", std::to_string(rule.bytes_per_s));
  if (rule.passing != ToolRule::Passing::kNo) {
    add("passing", rule.passing == ToolRule::Passing::kServes ? "\"serves\"" : "\"exits\"");
  }
  if (rule.flood_bytes > 0) add("flood_bytes", std::to_string(rule.flood_bytes));
  for (const auto& [key, value] : rule.of_fakes) add(key, value);
  return text;
}

}  // namespace oj::sim
