#include "cli/render.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace oj::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

std::string OrDash(std::string text) { return text.empty() ? "-" : std::move(text); }

// A list of the reply, each item of it that is an object.
std::vector<const json::object*> Objects(const json::object& object, std::string_view name) {
  std::vector<const json::object*> all;
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return all;
  for (const json::value& item : list->get_array()) {
    if (item.is_object()) all.push_back(&item.get_object());
  }
  return all;
}

std::string DurationField(const json::object& object, std::string_view name) {
  const std::int64_t ms = NumberField(object, name, -1);
  return ms < 0 ? "-" : Humanise(milliseconds(ms));
}

std::string AgeOf(const json::object& record, const View& view) {
  const std::int64_t created = NumberField(record, "created_at_ms", 0);
  if (created <= 0) return "-";
  // A wall clock that was set back makes no negative ages.
  return Humanise(milliseconds(std::max<std::int64_t>(0, view.now - created)));
}

Table::Cell StatusCell(const json::object& session) {
  const std::string status = OrDash(TextField(session, "status"));
  if (status == "live") return {status, Style::kGood};
  if (status == "unknown") return {status, Style::kWarning};
  return {status, Style::kDim};
}

// Scalars as text, lists joined by commas, objects as "name=value".
std::string Joined(const json::value& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return OneLine(value.get_string());
  std::string all;
  const auto add = [&all](const std::string& item) { all += (all.empty() ? "" : ", ") + item; };
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) add(Joined(item));
    return all;
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.get_object()) add(OneLine(key) + "=" + Joined(item));
    return all;
  }
  return json::serialize(value);
}

std::string JoinedField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? std::string() : Joined(*value);
}

std::string CommandField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? "-" : OrDash(CommandLine(*value));
}

// "label:  value" lines, the values aligned.
class Facts {
 public:
  void Add(std::string label, std::string value) {
    width_ = std::max(width_, label.size());
    facts_.emplace_back(std::move(label), OrDash(std::move(value)));
  }
  std::string Text() const {
    std::string out;
    for (const auto& [label, value] : facts_) {
      out += label + std::string(width_ - label.size() + 2, ' ') + value + '\n';
    }
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string>> facts_;
  std::size_t width_ = 0;
};

}  // namespace

std::string TextField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? OneLine(value->get_string()) : Joined(*value);
}

std::int64_t NumberField(const json::object& object, std::string_view name,
                         std::int64_t otherwise) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return otherwise;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? otherwise : number;
}

std::string Humanise(Duration duration) {
  const auto ms = std::chrono::duration_cast<milliseconds>(duration).count();
  if (ms < 1000) return std::to_string(std::max<std::int64_t>(0, ms)) + " ms";
  if (ms < 60'000) {
    const auto tenths = ms / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  }
  const auto minutes = ms / 60'000;
  if (minutes < 60) return std::to_string(minutes) + " min";
  if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h";
  return std::to_string(minutes / (24 * 60)) + " d";
}

std::string OneLine(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n' || byte == '\t' || byte == '\r') c = ' ';
    if (byte == 0x7f || (byte < 0x20 && c != ' ')) c = '?';
  }
  // C1 controls (U+0080 to U+009F, two bytes in UTF-8) steer terminals too.
  for (std::size_t i = 0; i + 1 < clean.size(); ++i) {
    const auto next = static_cast<unsigned char>(clean[i + 1]);
    if (clean[i] == '\xc2' && next >= 0x80 && next < 0xa0) clean.replace(i, 2, "?");
  }
  clean.erase(clean.find_last_not_of(' ') + 1);
  return clean;
}

std::string CommandLine(const json::value& argv) {
  if (!argv.is_array()) return Joined(argv);
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
  std::string line;
  for (const json::value& item : argv.get_array()) {
    const std::string word = Joined(item);
    if (!line.empty()) line += ' ';
    const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string RenderSessions(const json::object& reply, const View& view) {
  Table table({"ID", "STATUS", "AGE", "CWD", "COMMAND"});
  for (const json::object* session : Objects(reply, "sessions")) {
    table.Row({{OrDash(TextField(*session, "id"))},
               StatusCell(*session),
               {AgeOf(*session, view)},
               {OrDash(TextField(*session, "cwd"))},
               {CommandField(*session, "command")}});
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderSession(const json::object& session, const View& view) {
  Facts facts;
  facts.Add("id", TextField(session, "id"));
  const Table::Cell status = StatusCell(session);
  facts.Add("status", Styled(status.text, status.style, view.color));
  facts.Add("age", AgeOf(session, view));
  facts.Add("cwd", TextField(session, "cwd"));
  facts.Add("command", CommandField(session, "command"));
  for (const char* optional : {"namespace", "agent_id"}) {
    const std::string value = TextField(session, optional);
    if (!value.empty()) facts.Add(optional, value);
  }
  return facts.Text();
}

std::string RenderRequests(const json::object& reply, const View& view) {
  Table table({"ID", "TYPE", "CLIENT", "AGE", "TIME LEFT", "STATE", "LOCKS", "WAITING FOR"});
  for (const json::object* request : Objects(reply, "requests")) {
    const std::string waiting = TextField(*request, "waiting_for");
    table.Row({{OrDash(TextField(*request, "id"))},
               {OrDash(TextField(*request, "type"))},
               {OrDash(TextField(*request, "client_pid"))},
               {DurationField(*request, "age_ms")},
               {DurationField(*request, "deadline_ms")},
               {OrDash(TextField(*request, "state"))},
               {OrDash(JoinedField(*request, "locks"))},
               {OrDash(waiting), waiting.empty() ? Style::kPlain : Style::kWarning}});
    for (const json::object* child : Objects(*request, "children")) {
      table.Note("pid " + OrDash(TextField(*child, "pid")) + ", " +
                 DurationField(*child, "age_ms") + ": " + CommandField(*child, "argv"));
    }
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderLocks(const json::object& reply, const View& view) {
  Table table({"KEY", "MODE", "HELD", "HOLDER", "WAITERS"});
  for (const json::object* lock : Objects(reply, "locks")) {
    table.Row({{OrDash(TextField(*lock, "key"))},
               {OrDash(TextField(*lock, "mode"))},
               {DurationField(*lock, "held_ms")},
               {OrDash(TextField(*lock, "holder"))},
               {OrDash(JoinedField(*lock, "waiters"))}});
    const std::string quarantine = JoinedField(*lock, "quarantine");
    if (!quarantine.empty()) table.Note("quarantined: " + quarantine);
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderStatus(const json::object& reply, const View&) {
  Facts facts;
  facts.Add("ojd", OrDash(TextField(reply, "version")) + ", pid " +
                       OrDash(TextField(reply, "pid")) + ", up " +
                       DurationField(reply, "uptime_ms"));
  facts.Add("requests", OrDash(TextField(reply, "requests_active")) + " in flight");
  facts.Add("children", OrDash(TextField(reply, "children_active")) + " alive");
  facts.Add("locks", OrDash(TextField(reply, "locks_held")) + " held");
  const std::string quarantined = JoinedField(reply, "quarantined");
  if (!quarantined.empty()) facts.Add("quarantined", quarantined);
  for (const char* count : {"sessions", "workspaces", "agents"}) {
    facts.Add(count, TextField(reply, count));
  }
  const std::string counters = JoinedField(reply, "counters");
  if (!counters.empty()) facts.Add("counters", counters);
  return facts.Text();
}

}  // namespace oj::cli
