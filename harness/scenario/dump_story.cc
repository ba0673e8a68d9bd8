#include "scenario/dump_story.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/dump.h"
#include "core/protocol.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

// Whether TOML has it: no null in a list, no integer beyond 63 bits.
bool Sayable(const json::value& value) {
  if (value.is_uint64()) return false;
  if (value.is_array()) {
    const json::array& all = value.get_array();
    return std::all_of(all.begin(), all.end(),
                       [](const json::value& each) { return !each.is_null() && Sayable(each); });
  }
  if (!value.is_object()) return true;
  const json::object& all = value.get_object();
  return std::all_of(all.begin(), all.end(),
                     [](const auto& each) { return Sayable(each.value()); });
}

class Reader {
 public:
  // Throws std::exception: it is no line of a dump.
  void Line(json::object line) {
    for (const auto& [kind, records] :
         {std::pair("session", &story.sessions), std::pair("workspace", &story.workspaces),
          std::pair("agent", &story.agents)}) {
      const json::value* record = line.if_contains(kind);
      if (record == nullptr) continue;
      NumberOf(record->as_object(), "created_at_ms");
      records->push_back(record->as_object());
      return;
    }
    Event(line);
  }

  DumpStory story;

 private:
  void Event(const json::object& line) {
    const std::string event = TextOf(line, "event");
    const std::int64_t at = NumberOf(line, "at_ns");
    const std::string text = TextOf(line, "text");
    if (at < story.end) throw std::out_of_range("at_ns");
    story.end = at;
    if (event == "request_received") {
      Received(line, at, text);
    } else if (event == "process_started") {
      Started(line, at);
    } else if (event == "process_ended") {
      if (auto* process = ProcessOf(line)) process->ended = at;
    } else if (event == "process_result") {
      if (auto* process = ProcessOf(line)) process->result = text;
    } else if (auto* call = CallOf(line); call == nullptr || call->replied || call->left) {
      return;
    } else if (event == "request_begun") {
      const int next = static_cast<int>(story.requests.size()) + 1;
      story.requests.emplace(line.at("request").to_number<std::uint64_t>(), next);
    } else if (event == "replied" && text != "Progress") {
      call->replied = at;
      call->outcome = text;
    } else if (event == "client_left" || event == "connection_closed") {
      call->left = at;
    }
  }
  // Dumps themselves are no part of the story.
  void Received(const json::object& line, std::int64_t at, const std::string& text) {
    const bool cut = line.contains("cut");
    const bool refused = !cut && !ParseRequest(text);
    const json::value request = cut || refused ? json::object() : json::parse(text);
    const bool sayable = Sayable(request);
    story.cut += cut ? 1 : 0;
    story.refused += refused ? 1 : 0;
    story.unsayable += sayable ? 0 : 1;
    if (cut || refused || !sayable || TextOf(request.get_object(), "type") == "DebugDump") {
      open_.erase(NumberOf(line, "connection"));
      return;
    }
    if (story.begin == 0) {
      story.begin = at;
      story.begin_wall = NumberOf(line, "wall_ms");
    }
    const std::int64_t connection = NumberOf(line, "connection");
    story.clients[connection].push_back({at, request.get_object(), {}, "", {}});
    open_[connection] = true;
    if (TextOf(request.get_object(), "type") == "Ping") {  // its answer is not recorded
      story.clients[connection].back().replied = at;
      story.clients[connection].back().outcome = "Pong";
    }
  }
  DumpStory::Call* CallOf(const json::object& line) {
    const std::int64_t connection = NumberOf(line, "connection");
    return open_.contains(connection) ? &story.clients[connection].back() : nullptr;
  }

  void Started(const json::object& line, std::int64_t at) {
    pids_[NumberOf(line, "value")] = story.processes.size();
    DumpStory::Process process{at, {}, line.contains("request"), TextOf(line, "tool"), {}, ""};
    for (const json::value& each : line.at("arguments").as_array()) {
      process.arguments.emplace_back(each.as_string());
    }
    story.processes.push_back(std::move(process));
  }
  DumpStory::Process* ProcessOf(const json::object& line) {
    const auto at = pids_.find(NumberOf(line, "value"));
    return at == pids_.end() ? nullptr : &story.processes[at->second];
  }

  std::map<std::int64_t, bool> open_;         // connections that have a call
  std::map<std::int64_t, std::size_t> pids_;  // the last process of each
};

}  // namespace

std::string TextOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::int64_t NumberOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? 0 : value->to_number<std::int64_t>();
}

Result<DumpStory> ReadDump(const std::string& dump, const std::string& name) {
  Reader reader;
  std::size_t number = 0;
  const auto wrong = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidRequest, name + ":" + std::to_string(number) + ": " + why, ""};
  };
  for (std::size_t at = 0; at < dump.size();) {
    const std::size_t end = dump.find('\n', at);
    ++number;
    reader.story.torn = end == std::string::npos && number > 1;
    if (reader.story.torn) break;
    try {
      json::object line = json::parse(std::string_view(dump).substr(at, end - at)).as_object();
      if (number > 1) {
        reader.Line(std::move(line));
      } else if (const std::int64_t format = line.at("dump").to_number<std::int64_t>();
                 format == kDumpFormat) {
        line.at("config").as_object();
        NumberOf(line, "lost");
        reader.story.head = std::move(line);
      } else {
        return wrong("is a dump of format " + std::to_string(format) + "; this program reads " +
                     std::to_string(kDumpFormat));
      }
    } catch (const std::exception&) {
      return wrong("is no line of a dump");
    }
    at = end + 1;
  }
  if (reader.story.clients.empty()) {
    return wrong("no whole request is in it");
  }
  return std::move(reader.story);
}

}  // namespace oj::sim
