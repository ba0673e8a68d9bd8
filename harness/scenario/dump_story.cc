#include "scenario/dump_story.h"

#include <utility>

namespace oj::sim {
namespace {

namespace json = boost::json;

std::int64_t NumberOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return 0;
  return value->to_number<std::int64_t>();
}

class Reader {
 public:
  void Line(json::object line) {
    if (json::value* record = line.if_contains("session"); record != nullptr) {
      story.sessions.push_back(record->as_object());
    } else if (record = line.if_contains("workspace"); record != nullptr) {
      story.workspaces.push_back(record->as_object());
    } else if (record = line.if_contains("agent"); record != nullptr) {
      story.agents.push_back(record->as_object());
    } else {
      Event(line);
    }
  }

  DumpStory story;

 private:
  void Event(const json::object& line) {
    const std::string event = TextOf(line, "event");
    const std::int64_t at = NumberOf(line, "at_ns");
    const std::string text = TextOf(line, "text");
    if (event == "request_received") {
      Received(line, at, text);
    } else if (event == "process_started") {
      Started(line, at, text);
    } else if (event == "process_ended") {
      if (auto* process = ProcessOf(line)) process->ended = at;
    } else if (event == "process_result") {
      if (auto* process = ProcessOf(line)) process->result = text;
    } else if (auto* call = CallOf(line); call == nullptr || call->replied || call->left) {
      return;
    } else if (event == "replied" && text != "Progress") {
      call->replied = at;
      call->outcome = text;
    } else if (event == "client_left" || event == "connection_closed") {
      call->left = at;
    }
  }
  // Dumps themselves are no part of the story.
  void Received(const json::object& line, std::int64_t at, const std::string& text) {
    json::error_code error;
    const json::value request = json::parse(text, error);
    const bool whole = !error && request.is_object() && !line.contains("cut");
    if (!whole) ++story.left_out;
    if (!whole || TextOf(request.get_object(), "type") == "DebugDump") {
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

  void Started(const json::object& line, std::int64_t at, const std::string& text) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string tool = text.substr(0, blank);
    pids_[NumberOf(line, "value")] = story.processes.size();
    story.processes.push_back({at,
                               {},
                               line.contains("request"),
                               tool.find("git") != std::string::npos ? "git" : "tmux",
                               text.substr(std::min(blank + 1, text.size())),
                               ""});
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

Result<DumpStory> ReadDump(const std::string& dump, const std::string& name) {
  Reader reader;
  std::size_t number = 0;
  for (std::size_t at = 0; at < dump.size();) {
    const std::size_t end = dump.find('\n', at);
    if (end == std::string::npos) break;  // torn
    json::error_code error;
    json::value line = json::parse(std::string_view(dump).substr(at, end - at), error);
    at = end + 1;
    const bool head = ++number == 1;
    if (error || !line.is_object() || (head && !line.get_object().contains("dump"))) {
      return Error{ErrorCode::kInvalidRequest,
                   name + ":" + std::to_string(number) + ": is no line of a dump", ""};
    }
    if (head) {
      reader.story.head = std::move(line.get_object());
    } else {
      reader.Line(std::move(line.get_object()));
    }
  }
  if (reader.story.clients.empty()) {
    return Error{ErrorCode::kInvalidRequest, name + ":0: no whole request is in it", ""};
  }
  return std::move(reader.story);
}

}  // namespace oj::sim
