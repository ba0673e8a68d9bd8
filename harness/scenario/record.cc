#include "scenario/record.h"

#include <algorithm>
#include <set>

#include "scenario/dump_story.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

// A tool that took no longer did as it always does.
constexpr std::int64_t kSlow = 50'000'000;

// JSON's strings are TOML's.
std::string Quoted(std::string_view text) { return json::serialize(json::value(text)); }

std::string Millis(std::int64_t ns) { return std::to_string(ns / 1'000'000); }

std::string Key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return bare ? std::string(key) : Quoted(key);
}

std::string Toml(const json::value& value) {
  std::string text;
  if (value.is_object()) {
    for (const auto& [key, each] : value.get_object()) {
      if (each.is_null()) continue;
      text += (text.empty() ? " " : ", ") + Key(key) + " = " + Toml(each);
    }
    return "{" + text + " }";
  }
  if (!value.is_array()) return json::serialize(value);
  for (const json::value& each : value.get_array()) text += (text.empty() ? "" : ", ") + Toml(each);
  return "[" + text + "]";
}

class Writer {
 public:
  Writer(const DumpStory& story, const std::string& name) : story_(story), name_(name) {}

  std::string Write() {
    out_ = "about = " + Quoted("recorded from " + name_) + "\n\n[config]\n";
    if (const json::value* config = story_.head.if_contains("config")) {
      for (const auto& [key, value] : config->as_object()) {
        const std::string_view name = key;
        if (!name.starts_with("recorder.") && !name.starts_with("log.")) {
          out_ += std::string(name) + " = " + Toml(value) + "\n";
        }
      }
    }
    if (story_.left_out > 0) {
      out_ += "\n# Left out, for their text is not whole: " + std::to_string(story_.left_out) +
              " requests.\n";
    }
    std::string clients;
    for (const auto& [connection, calls] : story_.clients) clients += Client(connection, calls);
    std::string setup = Setup();
    for (const auto& [path, mapped] : repos_) {
      out_ += "\n[[repo]]\npath = " + Quoted(mapped) + "\n";
    }
    return out_ + setup + Tools() + clients;
  }

 private:
  // What is recorded as made before the first call, and what calls found though nobody made it.
  std::string Setup() {
    std::string text;
    std::set<std::string> known;
    for (const json::object& each : story_.workspaces) {
      if (!WasThere(each)) continue;
      text += "\n[[workspace]]\nid = " + Quoted(TextOf(each, "id")) +
              "\nrepo = " + Quoted(Repo(TextOf(each, "repo"))) + "\n";
    }
    for (const json::object& each : story_.agents) {
      known.insert(TextOf(each, "session_id"));
      if (!WasThere(each)) continue;
      const std::string workspace = TextOf(each, "workspace_id");
      const std::string status = TextOf(each, "status");
      text += "\n[[agent]]\nid = " + Quoted(TextOf(each, "id")) + "\n";
      if (!workspace.empty()) text += "workspace = " + Quoted(workspace) + "\n";
      if (status == "gone" || status == "exited") text += "runs = false\n";
    }
    for (const json::object& each : story_.sessions) {
      const std::string id = TextOf(each, "id");
      const bool there = WasThere(each) && TextOf(each, "status") != "gone";
      if (known.insert(id).second && there) text += Session(id);
    }
    for (const std::string& id : Found()) {
      if (known.insert(id).second) text += Session(id);
    }
    return text;
  }
  static std::string Session(const std::string& id) {
    return "\n[[session]]\nid = " + Quoted(id) + "\nscreen = \"recorded\"\n";
  }
  bool WasThere(const json::object& record) const {
    const json::value* made = record.if_contains("created_at_ms");
    return made == nullptr || made->to_number<std::int64_t>() < story_.begin_wall;
  }
  // Sessions that were asked for before anybody made them, and that were not found missing.
  std::vector<std::string> Found() const {
    std::vector<const DumpStory::Call*> calls;
    for (const auto& [connection, all] : story_.clients) {
      for (const DumpStory::Call& call : all) calls.push_back(&call);
    }
    std::sort(calls.begin(), calls.end(), [](auto* a, auto* b) { return a->at < b->at; });
    std::vector<std::string> found;
    std::set<std::string> seen;
    for (const DumpStory::Call* call : calls) {
      const std::string type = TextOf(call->request, "type");
      const bool peek = type == "PeekSession";
      if (!peek && !type.starts_with("Session")) continue;
      const std::string id = TextOf(call->request, peek ? "session_id" : "id");
      const bool asked = type != "SessionNew" && call->outcome != "not_found";
      if (!id.empty() && seen.insert(id).second && asked) found.push_back(id);
    }
    return found;
  }

  std::string Repo(const std::string& path) {
    const auto known = repos_.find(path);
    if (known != repos_.end()) return known->second;
    std::string mapped = "/repos/" + path.substr(path.rfind('/') + 1);
    while (std::any_of(repos_.begin(), repos_.end(),
                       [&mapped](const auto& each) { return each.second == mapped; })) {
      mapped += "x";
    }
    return repos_[path] = mapped;
  }

  // From the command to what it is aimed at: the rest may hold paths that are others there.
  static std::string Match(const DumpStory::Process& process) {
    const std::string& line = process.arguments;
    std::size_t at = 0;
    const auto next = [&line](std::size_t from) {
      const std::size_t blank = line.find(' ', from);
      return blank == std::string::npos ? line.size() : blank + 1;
    };
    if (process.tool == "git") {
      while (at < line.size() && line[at] == '-') {
        const bool valued = line.compare(at, 3, "-C ") == 0 || line.compare(at, 3, "-c ") == 0;
        at = next(at);
        if (valued) at = next(at);
      }
    }
    std::size_t end = std::min(line.find(' ', at), line.size());
    if (line.compare(at, 9, "worktree ") == 0) end = std::min(line.find(' ', at + 9), line.size());
    if (process.tool == "tmux") {
      for (const char* aim : {" -t ", " -s "}) {
        const std::size_t target = line.find(aim);
        if (target == std::string::npos) continue;
        end = std::min(line.find(' ', target + 4), line.size());
        break;
      }
    }
    return line.substr(at, end - at);
  }

  std::string Tools() const {
    std::string text;
    for (std::size_t i = 0; i < story_.processes.size(); ++i) {
      const DumpStory::Process& process = story_.processes[i];
      const std::string how = How(process);
      if (how.empty()) continue;
      const std::string match = Match(process);
      int nth = 1;
      for (std::size_t j = 0; j < i; ++j) {
        const DumpStory::Process& other = story_.processes[j];
        nth += other.tool == process.tool && other.begun >= story_.begin &&
               other.arguments.find(match) != std::string::npos;
      }
      if (process.begun < story_.begin) continue;
      text += "\n[[tool]]\ntool = " + Quoted(process.tool) + "\nmatch = " + Quoted(match) +
              "\nnth = " + std::to_string(nth) + "\n" + how;
    }
    return text;
  }
  // Empty: as always.
  static std::string How(const DumpStory::Process& process) {
    const auto begins = [&process](std::string_view with) {
      return std::string_view(process.result).starts_with(with);
    };
    if (process.result.empty()) return process.ended ? "" : "hang = true\n";
    if (begins("timed out") || begins("cancelled")) {
      const bool stubborn = process.tool == "git" && process.result.find(" 9") != std::string::npos;
      return std::string("hang = true\n") + (stubborn ? "ignore_term = true\n" : "");
    }
    if (begins("flooded")) return "flood_bytes = 1000000000000\n";
    std::string how;
    if (process.ended && *process.ended - process.begun >= kSlow) {
      how = "delay_ms = " + Millis(*process.ended - process.begun) + "\n";
    }
    if (begins("signal ")) return how + "signal = " + Number(process.result, 7) + "\n";
    const std::string exit = Number(process.result, 5);
    // What the daemon does for itself finds what is there in simulation.
    if (exit == "0" || !process.of_request) return how;
    const std::size_t said = process.result.find(": ");
    how += "exit = " + exit + "\n";
    if (said != std::string::npos) how += "err = " + Quoted(process.result.substr(said + 2)) + "\n";
    return how;
  }
  static std::string Number(const std::string& text, std::size_t at) {
    const std::size_t end = text.find_first_not_of("0123456789", at);
    return text.substr(at, end == std::string::npos ? end : end - at);
  }

  std::string Client(std::int64_t connection, const std::vector<DumpStory::Call>& calls) {
    std::string text = "\n[[client]]\nname = \"connection " + std::to_string(connection) +
                       "\"\nstart_ms = " + Millis(calls.front().at - story_.begin) +
                       "\nsteps = [\n";
    for (const DumpStory::Call& call : calls) {
      if (&call != &calls.front()) {
        text += "  { until_ms = " + Millis(call.at - story_.begin) + " },\n";
      }
      text += Steps(call);
    }
    return text + "]\n";
  }
  std::string Steps(const DumpStory::Call& call) {
    json::object request = call.request;
    if (const std::string repo = TextOf(request, "repo"); !repo.empty()) {
      request["repo"] = Repo(repo);
    }
    const std::string line = Toml(request);
    if (call.replied) return "  { call = " + line + ", expect = " + Quoted(call.outcome) + " },\n";
    if (!call.left) return "  { call = " + line + " },\n";  // the dump ends before the answer
    const std::int64_t waited = std::max<std::int64_t>(*call.left - call.at, 1'000'000);
    return "  { call = " + line + ", give_up_ms = " + Millis(waited) +
           ", expect = \"gave_up\" },\n";
  }

  const DumpStory& story_;
  const std::string& name_;
  std::string out_;
  std::map<std::string, std::string> repos_;
};

}  // namespace

Result<std::string> ScenarioOf(const std::string& dump, const std::string& name) {
  const Result<DumpStory> story = ReadDump(dump, name);
  if (!story) return story.error();
  return Writer(*story, name).Write();
}

}  // namespace oj::sim
