#include "scenario/record.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "scenario/dump_story.h"
#include "scenario/toml_writer.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

// A tool that took no longer did as it always does.
constexpr std::int64_t kSlow = 50'000'000;

std::chrono::milliseconds Ms(std::int64_t ns) { return std::chrono::milliseconds(ns / 1'000'000); }

class Teller {
 public:
  Teller(const DumpStory& story, const std::string& name) : story_(story), name_(name) {}

  Scenario Tell() {
    to_.about = "recorded from " + name_;
    if (story_.left_out > 0) {
      to_.about += "; left out, for their text is not whole: " + std::to_string(story_.left_out) +
                   " requests";
    }
    if (const json::value* config = story_.head.if_contains("config")) {
      for (const auto& [key, value] : config->as_object()) {
        const std::string_view name = key;
        if (name.starts_with("recorder.") || name.starts_with("log.")) continue;
        to_.settings.emplace_back(
            name, value.is_string() ? std::string(value.get_string()) : json::serialize(value));
      }
    }
    for (const auto& [connection, calls] : story_.clients) Client(connection, calls);
    Setup();
    Tools();
    for (const auto& [path, mapped] : repos_) to_.repos.push_back({mapped});
    return std::move(to_);
  }

 private:
  // What is recorded as made before the first call, and what calls found though nobody made it.
  void Setup() {
    std::set<std::string> known;
    for (const json::object& each : story_.workspaces) {
      if (!WasThere(each)) continue;
      to_.workspaces.push_back({TextOf(each, "id"), Repo(TextOf(each, "repo")), {}});
    }
    for (const json::object& each : story_.agents) {
      known.insert(TextOf(each, "session_id"));
      if (!WasThere(each)) continue;
      const std::string status = TextOf(each, "status");
      const bool runs = status != "gone" && status != "exited";
      to_.agents.push_back({TextOf(each, "id"), TextOf(each, "workspace_id"), runs});
    }
    for (const json::object& each : story_.sessions) {
      const std::string id = TextOf(each, "id");
      const bool there = WasThere(each) && TextOf(each, "status") != "gone";
      if (known.insert(id).second && there) to_.sessions.push_back({id, "recorded"});
    }
    for (const std::string& id : Found()) {
      if (known.insert(id).second) to_.sessions.push_back({id, "recorded"});
    }
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

  void Tools() {
    for (std::size_t i = 0; i < story_.processes.size(); ++i) {
      const DumpStory::Process& process = story_.processes[i];
      ToolRule rule;
      if (!Misbehaved(process, rule) || process.begun < story_.begin) continue;
      rule.tool = process.tool;
      rule.match = Match(process);
      rule.nth = 1;
      for (std::size_t j = 0; j < i; ++j) {
        const DumpStory::Process& other = story_.processes[j];
        rule.nth += other.tool == process.tool && other.begun >= story_.begin &&
                    other.arguments.find(rule.match) != std::string::npos;
      }
      to_.tools.push_back(std::move(rule));
    }
  }
  // False: as always.
  static bool Misbehaved(const DumpStory::Process& process, ToolRule& rule) {
    const auto begins = [&process](std::string_view with) {
      return std::string_view(process.result).starts_with(with);
    };
    rule.hang = process.result.empty() || begins("timed out") || begins("cancelled");
    if (process.result.empty()) return !process.ended;
    rule.ignore_term =
        rule.hang && process.tool == "git" && process.result.find(" 9") != std::string::npos;
    if (rule.hang) return true;
    if (begins("flooded")) rule.flood_bytes = 1'000'000'000'000;
    if (rule.flood_bytes > 0) return true;
    if (process.ended && *process.ended - process.begun >= kSlow) {
      rule.delay = Ms(*process.ended - process.begun);
    }
    if (begins("signal ")) {
      rule.signal = Number(process.result, 7);
      return true;
    }
    const int exit = Number(process.result, 5);
    // What the daemon does for itself finds what is there in simulation.
    if (exit == 0 || !process.of_request) return rule.delay > Duration();
    const std::size_t said = process.result.find(": ");
    rule.exit = exit;
    if (said != std::string::npos) rule.err = process.result.substr(said + 2);
    return true;
  }
  static int Number(const std::string& text, std::size_t at) {
    return text.size() > at ? std::atoi(text.c_str() + at) : 0;
  }

  void Client(std::int64_t connection, const std::vector<DumpStory::Call>& calls) {
    ClientScript client;
    client.name = "connection " + std::to_string(connection);
    client.start = Ms(calls.front().at - story_.begin);
    for (const DumpStory::Call& call : calls) {
      if (&call != &calls.front()) {
        Step& until = client.steps.emplace_back();
        until.what = Step::Do::kUntil;
        until.time = Ms(call.at - story_.begin);
      }
      client.steps.push_back(StepOf(call));
    }
    to_.clients.push_back(std::move(client));
  }
  Step StepOf(const DumpStory::Call& call) {
    Step step;
    json::object request = call.request;
    if (const std::string repo = TextOf(request, "repo"); !repo.empty()) {
      request["repo"] = Repo(repo);
    }
    step.text = json::serialize(request);
    if (call.replied) {
      step.expect = {call.outcome};
    } else if (call.left) {  // else the dump ends before the answer
      step.give_up = std::max(Ms(*call.left - call.at), std::chrono::milliseconds(1));
      step.expect = {"gave_up"};
    }
    return step;
  }

  const DumpStory& story_;
  const std::string& name_;
  Scenario to_;
  std::map<std::string, std::string> repos_;
};

}  // namespace

Result<std::string> ScenarioOf(const std::string& dump, const std::string& name) {
  const Result<DumpStory> story = ReadDump(dump, name);
  if (!story) return story.error();
  return WriteScenario(Teller(*story, name).Tell());
}

}  // namespace oj::sim
