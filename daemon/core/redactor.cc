#include "core/redactor.h"

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <iterator>

#include "core/flight.h"
#include "core/judged.h"
#include "core/protocol.h"

namespace oj {
namespace {

namespace json = boost::json;

// Fields of requests: their values are tokens, but for flags and these numbers.
constexpr std::string_view kFields[] = {
    "id",         "session_id", "agent_id",      "name",     "namespace",  "repo",
    "branch",     "cwd",        "command",       "input",    "message",    "workspace",
    "version",    "status",     "all",           "kill",     "force",      "dry_run",
    "with_color", "redact",     "delete_branch", "progress", "request_id", "env"};
constexpr std::string_view kNumbers[] = {"lines", "timeout_ms", "drain_ms"};

// What the daemon itself says to tmux and git.
constexpr std::string_view kCommands[] = {
    "capture-pane", "has-session", "kill-session", "list-panes", "list-sessions",
    "new-session",  "run-shell",   "send-keys",    "ls-files",   "rev-list",
    "rev-parse",    "status",      "update-ref",   "worktree"};
constexpr std::string_view kOfWorktree[] = {"add", "list", "remove"};
constexpr std::string_view kOptions[] = {"-C",
                                         "-F",
                                         "-S",
                                         "-a",
                                         "-b",
                                         "-c",
                                         "-d",
                                         "-e",
                                         "-l",
                                         "-p",
                                         "-s",
                                         "-t",
                                         "-v",
                                         "-z",
                                         "--all",
                                         "--branch",
                                         "--count",
                                         "--end-of-options",
                                         "--force",
                                         "--git-common-dir",
                                         "--ignore-missing",
                                         "--ignore-submodules=none",
                                         "--ignored=matching",
                                         "--max-count=1",
                                         "--no-optional-locks",
                                         "--not",
                                         "--path-format=absolute",
                                         "--porcelain",
                                         "--porcelain=v2",
                                         "--quiet",
                                         "--reflog",
                                         "--single-worktree",
                                         "--stage",
                                         "--untracked-files=all",
                                         "--verify"};
// What comes behind these is what they are given, whatever it looks like.
constexpr std::string_view kValued[] = {"-C", "-F", "-c", "-e", "-s", "-t"};

template <class List>
bool Has(const List& list, std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

// Where the first of what the core judges by is in `text`, and it; the longest of several.
struct Found {
  std::size_t at = std::string_view::npos;
  std::string_view phrase;
};
Found FirstLock(std::string_view text) {
  const std::size_t at = text.find(kUnableToCreate);
  const std::size_t end = text.find(kFileExists, std::min(at, text.size()));
  if (end == text.npos) return {};
  return {at, text.substr(at, end + kFileExists.size() - at)};
}
Found FirstJudged(std::string_view text) {
  Found first;
  for (const std::string_view phrase : kJudged) {
    const std::size_t at = text.find(phrase);
    const bool longer = at == first.at && phrase.size() > first.phrase.size();
    if (at < first.at || (longer && at != std::string_view::npos)) first = {at, phrase};
  }
  const Found lock = FirstLock(text);
  return lock.at < first.at ? lock : first;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

using Hide = std::function<std::string(std::string_view text)>;

json::value Hidden(const json::value& value, const Hide& hide) {
  if (value.is_bool()) return value;
  if (value.is_string()) return json::value(hide(value.get_string()));
  if (value.is_array()) {
    json::array list;
    for (const json::value& each : value.get_array()) list.push_back(Hidden(each, hide));
    return list;
  }
  if (!value.is_object()) return nullptr;
  json::object map;
  for (const auto& [name, each] : value.get_object()) {
    const std::string hidden = hide(name);
    map[hidden] = Hidden(each, hide);
  }
  return map;
}

// Of a request, or of its query.
json::object KeptOf(const json::object& request, const Hide& hide) {
  const std::string_view type = request.at("type").as_string();
  json::object kept;
  for (const auto& [key, value] : request) {
    const bool number = Has(kNumbers, key) && value.is_number();
    const bool names_request =
        type == "CancelRequest" && key == "id" && RequestNumber(value.as_string()) != 0;
    if (key == "type" || number || names_request) {
      kept[key] = value;
    } else if (type == "Query" && key == "query") {
      kept[key] = KeptOf(value.as_object(), hide);
    } else if (Has(kFields, key)) {
      kept[key] = Hidden(value, hide);
    }
  }
  return kept;
}

}  // namespace

// A valid id, so that what named something still does.
std::string Redactor::Token(std::string_view text) {
  if (text.empty()) return "";
  const auto known = tokens_.find(text);
  if (known != tokens_.end()) return known->second;
  const std::string token = "x" + std::to_string(tokens_.size() + 1);
  return tokens_.emplace(text, token).first->second;
}

std::string Redactor::Value(std::string_view text) {
  if (!text.starts_with('/')) return Token(text);
  std::string path;
  while (!text.empty()) {
    path += '/';
    text.remove_prefix(1);
    const std::size_t end = std::min(text.find('/'), text.size());
    const std::string_view name = text.substr(0, end);
    path += name == "." || name == ".." ? std::string(name) : Token(name);
    text.remove_prefix(end);
  }
  return path;
}

std::string Redactor::Words(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n/:=,;'\"()[]{}";
  std::string words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
    words += Token(text.substr(0, end));
    if (end < text.size()) words += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string Redactor::Request(std::string_view payload) {
  if (!ParseRequest(payload)) return Token(payload);
  const Hide hide = [this](std::string_view text) { return Value(text); };
  return json::serialize(KeptOf(json::parse(payload).as_object(), hide));
}

std::string Redactor::Record(std::string_view line) {
  const Hide hide = [this](std::string_view text) { return Value(text); };
  json::error_code error;
  json::value records = json::parse(line, error);
  if (error || !records.is_object()) return Token(line);
  for (auto& kind : records.as_object()) {
    for (auto& field : kind.value().as_object()) {
      if (field.key() == "status" || field.value().is_number()) continue;
      field.value() = Hidden(field.value(), hide);
    }
  }
  return json::serialize(records);
}

std::vector<std::string> Redactor::Arguments(const std::vector<std::string>& arguments) {
  std::vector<std::string> kept;
  std::string_view command;  // once it has come
  bool value = false;        // this one is what an option is given
  bool ours = true;          // not behind "--"
  for (const std::string& each : arguments) {
    const bool word =
        command.empty() ? Has(kCommands, each) : command == "worktree" && Has(kOfWorktree, each);
    const bool stays = ours && !value && (word || each == "--" || Has(kOptions, each));
    kept.push_back(stays ? each : Target(each));
    value = stays && Has(kValued, each);
    if (stays && word) command = each;
    if (stays && each == "--") ours = false;
  }
  return kept;
}

// tmux: "=work", "=work:".
std::string Redactor::Target(std::string_view text) {
  if (!text.starts_with('=')) return Value(text);
  const bool pane = text.ends_with(':');
  return "=" + Value(text.substr(1, text.size() - 1 - (pane ? 1 : 0))) + (pane ? ":" : "");
}

// "Unable to create '/repo/.git/index.lock': File exists"
std::string Redactor::Lock(std::string_view said) {
  constexpr std::string_view kSuffix = ".lock";
  said.remove_prefix(kUnableToCreate.size());
  said.remove_suffix(kFileExists.size());
  const bool whole = said.ends_with(kSuffix);
  if (whole) said.remove_suffix(kSuffix.size());
  return std::string(kUnableToCreate) + Value(said) + std::string(whole ? kSuffix : "") +
         std::string(kFileExists);
}

std::string Redactor::Result(std::string_view result) {
  const std::size_t colon = std::min(result.find(": "), result.size());
  std::string kept(result.substr(0, colon));
  std::string_view said = result.substr(std::min(colon + 2, result.size()));
  const char* between = ": ";
  const auto add = [&](std::string_view text) {
    if (text.empty()) return;
    kept.append(between).append(text);
    between = " ";
  };
  while (!said.empty()) {
    const Found found = FirstJudged(said);
    add(Token(Trimmed(said.substr(0, found.at))));
    add(found.phrase.starts_with(kUnableToCreate) ? Lock(found.phrase) : std::string(found.phrase));
    said.remove_prefix(std::min(found.at, said.size()));
    said.remove_prefix(found.phrase.size());
  }
  return kept;
}

std::string Redactor::Key(std::string_view key) {
  const std::size_t colon = key.find(':');
  if (colon == std::string_view::npos) return Token(key);
  return std::string(key.substr(0, colon + 1)) + Value(key.substr(colon + 1));
}

}  // namespace oj
