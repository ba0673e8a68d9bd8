#include "scenario/record.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>

#include "core/flight.h"
#include "scenario/dump_story.h"
#include "scenario/story_time.h"
#include "scenario/toml_writer.h"

namespace oj::sim {
namespace {

namespace json = boost::json;

// A tool that took no longer did as it always does.
constexpr std::int64_t kSlow = 50'000'000;

// A call has two steps, and they are 100,000 at most; several may have come in one moment.
constexpr std::size_t kMostCalls = 45'000;
constexpr Duration kDay = std::chrono::hours(24);

std::chrono::milliseconds Ms(std::int64_t ns) { return std::chrono::milliseconds(ns / 1'000'000); }

bool Flag(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string Joined(const std::vector<std::string>& words, std::size_t begin, std::size_t end) {
  std::string line;
  for (std::size_t i = begin; i < end; ++i) line += (i == begin ? "" : " ") + words[i];
  return line;
}

// As rules are matched with.
std::string LineOf(const DumpStory::Process& process) {
  return Joined(process.arguments, 0, process.arguments.size());
}

// From the command to what it is aimed at: the rest may hold paths that are others there.
std::string Match(const DumpStory::Process& process) {
  const std::vector<std::string>& words = process.arguments;
  std::size_t at = 0;
  while (process.tool == "git" && at < words.size() && words[at].starts_with('-')) {
    at += words[at] == "-C" || words[at] == "-c" ? 2 : 1;
  }
  if (at >= words.size()) return "";
  std::size_t end = at + (words[at] == "worktree" ? 2 : 1);
  if (process.tool == "tmux") {
    const auto aim = std::find_if(words.begin(), words.end(), [](const std::string& word) {
      return word == "-t" || word == "-s";
    });
    if (aim != words.end()) end = static_cast<std::size_t>(aim - words.begin()) + 2;
  }
  return Joined(words, at, std::min(end, words.size()));
}

// "exit 1: ...", "timed out 9: ...": the number, or 0.
int StatusIn(const std::string& result) {
  const std::string end = result.substr(0, result.find(": "));
  const std::size_t digits = end.find_first_of("0123456789");
  return digits == std::string::npos ? 0 : std::atoi(end.c_str() + digits);
}

// False: as always.
bool Misbehaved(const DumpStory::Process& process, ToolRule& rule) {
  const auto begins = [&process](std::string_view with) {
    return std::string_view(process.result).starts_with(with);
  };
  rule.hang = process.result.empty() || begins("timed out") || begins("cancelled");
  if (process.result.empty()) return !process.ended;
  const int status = StatusIn(process.result);
  rule.ignore_term = rule.hang && process.tool == "git" && status == 9;
  if (rule.hang) return true;
  if (begins("flooded")) rule.flood_bytes = 1'000'000'000'000;
  if (rule.flood_bytes > 0) return true;
  if (process.ended && *process.ended - process.begun >= kSlow) {
    rule.delay = std::min<Duration>(Ms(*process.ended - process.begun), kDay);
  }
  if (begins("signal ")) {
    rule.signal = status;
    return true;
  }
  // What the daemon does for itself finds what is there in simulation.
  if (status == 0 || !process.of_request) return rule.delay > Duration();
  const std::size_t said = process.result.find(": ");
  rule.exit = status;
  if (said != std::string::npos) rule.err = process.result.substr(said + 2);
  return true;
}

// Somebody waited, a request's process was alive, or one of the daemon's own in trouble: it looks
// after its agents every two seconds, for ever.
StoryTime TimeOf(const DumpStory& story) {
  std::vector<std::pair<std::int64_t, std::int64_t>> busy;
  for (const auto& [connection, calls] : story.clients) {
    for (const DumpStory::Call& call : calls) {
      busy.emplace_back(call.at, call.replied.value_or(call.left.value_or(story.end)));
    }
  }
  for (const DumpStory::Process& each : story.processes) {
    ToolRule rule;
    const bool counts = each.of_request || Misbehaved(each, rule);
    if (counts) busy.emplace_back(each.begun, each.ended.value_or(story.end));
  }
  return StoryTime(story.begin, std::move(busy));
}

// When the first of the newest calls came that a scenario has room for.
std::int64_t SinceOf(const DumpStory& story) {
  std::vector<std::int64_t> times;
  for (const auto& [connection, calls] : story.clients) {
    for (const DumpStory::Call& call : calls) times.push_back(call.at);
  }
  if (times.size() <= kMostCalls) return std::numeric_limits<std::int64_t>::min();
  const auto first = times.end() - static_cast<std::ptrdiff_t>(kMostCalls);
  std::nth_element(times.begin(), first, times.end());
  return *first;
}

// What calls name, as "session:work".
class Names {
 public:
  explicit Names(const DumpStory& story) {
    std::vector<const DumpStory::Call*> calls;
    for (const auto& [connection, all] : story.clients) {
      for (const DumpStory::Call& call : all) calls.push_back(&call);
    }
    std::sort(calls.begin(), calls.end(), [](auto* a, auto* b) { return a->at < b->at; });
    for (const DumpStory::Call* call : calls) {
      const auto [name, makes] = NameIn(call->request);
      if (name.empty()) continue;
      const bool fails = call->outcome == (makes ? "conflict" : "not_found");
      if (first_.emplace(name, call).second && makes == fails) there_.insert(name);
      const bool drop = TextOf(call->request, "type") == "WorkspaceDrop";
      if (drop && call->outcome == "conflict" && !Flag(call->request, "force")) kept_.insert(name);
    }
  }
  // It was there before the first call on it: that one found it, or could not make it.
  const std::set<std::string>& there() const { return there_; }
  bool WasThere(const std::string& name) const { return there_.contains(name); }
  // It was not dropped, and by force it might have been.
  bool Kept(const std::string& name) const { return kept_.contains(name); }
  // Whether an agent ran when it was first sent something; `unknown` where that tells nothing.
  bool Ran(const std::string& name, bool unknown) const {
    const auto first = first_.find(name);
    const bool sent =
        first != first_.end() && TextOf(first->second->request, "type") == "AgentSend";
    return sent ? first->second->outcome != "conflict" : unknown;
  }

 private:
  static std::pair<std::string, bool> NameIn(const json::object& request) {
    const std::string type = TextOf(request, "type");
    const auto named = [&](const std::string& kind, const char* field, bool makes = false) {
      const std::string id = TextOf(request, field);
      return std::pair(id.empty() ? "" : kind + ":" + id, makes);
    };
    if (type == "SessionNew") return named("session", "id", true);
    if (type == "SessionSend" || type == "SessionKill") return named("session", "id");
    if (type == "PeekSession") return named("session", "session_id");
    if (type == "WorkspaceAdd") return named("workspace", "name", true);
    if (type == "WorkspaceDrop") return named("workspace", "id");
    if (type == "AgentRun") return named("workspace", "workspace");
    if (type == "AgentSend" || type == "AgentResume") return named("agent", "agent_id");
    return {};
  }

  std::map<std::string, const DumpStory::Call*> first_;
  std::set<std::string> there_, kept_;
};

class Teller {
 public:
  Teller(const DumpStory& story, const std::string& name)
      : story_(story), name_(name), time_(TimeOf(story)), names_(story), since_(SinceOf(story)) {}

  Scenario Tell() {
    to_.worlds = {World::kSim, World::kFakes};
    for (const auto& [key, value] : story_.head.at("config").as_object()) {
      const std::string_view name = key;
      if (name.starts_with("recorder.") || name.starts_with("log.")) continue;
      to_.settings.emplace_back(
          name, value.is_string() ? std::string(value.get_string()) : json::serialize(value));
    }
    for (const auto& [connection, calls] : story_.clients) Client(connection, calls);
    Workspaces();
    Agents();
    Sessions();
    Tools();
    for (const auto& [path, mapped] : repos_) to_.repos.push_back({mapped});
    About();
    return std::move(to_);
  }

 private:
  void About() {
    to_.about = "recorded from " + name_;
    const auto tell = [this](std::size_t count, const std::string& what) {
      if (count > 0) to_.about += "; " + std::to_string(count) + " " + what;
    };
    tell(static_cast<std::size_t>(NumberOf(story_.head, "lost")),
         "older events were not kept by the recorder");
    tell(time_.cuts(), "times in which nothing happened are cut by " +
                           std::to_string(time_.all_cut().count()) + " s in all");
    tell(story_.cut, "requests are left out, for their text is not whole");
    tell(story_.refused, "requests are left out, for they are none");
    tell(story_.unsayable, "requests are left out, for no scenario can say them");
    tell(older_, "requests are left out, for there are " + std::to_string(kMostCalls) +
                     " newer ones, as many as a scenario may have");
    tell(long_, "requests are left out, for they came or lasted more than a day");
    tell(cancels_, "cancels are left out, for their requests had begun before");
    if (!to_.workspaces.empty()) {
      to_.about += "; what workspaces held is not known: an untracked file where one was kept";
    }
    if (story_.torn) to_.about += "; the last line of the dump is torn";
  }

  // What is recorded as made before the first call, or was found by one though nobody made it.
  bool WasThere(const json::object& record, const std::string& kind) const {
    return NumberOf(record, "created_at_ms") < story_.begin_wall ||
           names_.WasThere(kind + ":" + TextOf(record, "id"));
  }
  // Calls `each` for what was found and is in none of `records`: it was removed in the story.
  template <class Each>
  void ForGone(const std::string& kind, const std::vector<json::object>& records, Each each) const {
    for (const std::string& name : names_.there()) {
      if (!name.starts_with(kind + ":")) continue;
      const std::string id = name.substr(kind.size() + 1);
      const bool recorded = std::any_of(records.begin(), records.end(), [&](const auto& record) {
        return TextOf(record, "id") == id;
      });
      if (!recorded) each(id);
    }
  }

  void Workspaces() {
    const auto add = [this](const std::string& id, const std::string& repo) {
      WorkspaceSetup& made = to_.workspaces.emplace_back();
      made.id = id;
      made.repo = repo;
      const bool used = std::any_of(
          story_.agents.begin(), story_.agents.end(),
          [&id](const json::object& agent) { return TextOf(agent, "workspace_id") == id; });
      if (!used && names_.Kept("workspace:" + id)) made.states = {"untracked"};
    };
    for (const json::object& each : story_.workspaces) {
      if (WasThere(each, "workspace")) add(TextOf(each, "id"), Repo(TextOf(each, "repo")));
    }
    // Of which repository nothing tells.
    ForGone("workspace", story_.workspaces, [&](const std::string& id) {
      add(id, repos_.empty() ? Repo("recorded") : repos_.begin()->second);
    });
  }
  void Agents() {
    const auto add = [this](const std::string& id, const std::string& workspace, bool runs) {
      const bool there =
          std::any_of(to_.workspaces.begin(), to_.workspaces.end(),
                      [&workspace](const WorkspaceSetup& each) { return each.id == workspace; });
      to_.agents.push_back({id, there ? workspace : "", runs});
    };
    for (const json::object& each : story_.agents) {
      sessions_.insert(TextOf(each, "session_id"));
      if (!WasThere(each, "agent")) continue;
      const std::string id = TextOf(each, "id");
      const std::string status = TextOf(each, "status");
      const bool runs = names_.Ran("agent:" + id, status != "gone" && status != "exited");
      add(id, TextOf(each, "workspace_id"), runs);
    }
    ForGone("agent", story_.agents, [&](const std::string& id) {
      sessions_.insert(id);
      add(id, "", names_.Ran("agent:" + id, true));
    });
  }
  void Sessions() {
    for (const json::object& each : story_.sessions) {
      const std::string id = TextOf(each, "id");
      const bool there = names_.WasThere("session:" + id) ||
                         (WasThere(each, "session") && TextOf(each, "status") != "gone");
      if (sessions_.insert(id).second && there) to_.sessions.push_back({id, "recorded"});
    }
    ForGone("session", story_.sessions, [&](const std::string& id) {
      if (sessions_.insert(id).second) to_.sessions.push_back({id, "recorded"});
    });
  }

  std::string Repo(const std::string& given) {
    std::string path = std::filesystem::path(given).lexically_normal();
    while (path.ends_with('/')) path.pop_back();
    const auto known = repos_.find(path);
    if (known != repos_.end()) return known->second;
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool plain = !name.empty() && name != "." && name != "..";
    std::string mapped = "/repos/" + (plain ? name : "repo");
    while (std::any_of(repos_.begin(), repos_.end(),
                       [&mapped](const auto& each) { return each.second == mapped; })) {
      mapped += "x";
    }
    return repos_[path] = mapped;
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
                    !time_.IsCut(other.begun) &&
                    LineOf(other).find(rule.match) != std::string::npos;
      }
      to_.tools.push_back(std::move(rule));
    }
  }

  void Client(std::int64_t connection, const std::vector<DumpStory::Call>& calls) {
    ClientScript client;
    client.name = "connection " + std::to_string(connection);
    for (const DumpStory::Call& call : calls) {
      if (call.at < since_) {
        ++older_;
        continue;
      }
      if (IsTooLong(call)) {
        ++long_;
        continue;
      }
      json::object request = call.request;
      if (!Rename(request, call.outcome)) {
        ++cancels_;
        continue;
      }
      if (client.steps.empty()) {
        client.start = time_.At(call.at);
      } else {
        Step& until = client.steps.emplace_back();
        until.what = Step::Do::kUntil;
        until.time = time_.At(call.at);
      }
      client.steps.push_back(StepOf(call, request));
    }
    if (!client.steps.empty()) to_.clients.push_back(std::move(client));
  }
  // No scenario has a time of more than a day.
  bool IsTooLong(const DumpStory::Call& call) const {
    return time_.At(call.at) > kDay || (call.left && Ms(*call.left - call.at) > kDay);
  }
  // Names things as they are called in the story. False: it is about what is not in it.
  bool Rename(json::object& request, const std::string& outcome) {
    if (const std::string repo = TextOf(request, "repo"); !repo.empty()) {
      request["repo"] = Repo(repo);
    }
    if (TextOf(request, "type") != "CancelRequest") return true;
    const auto known = story_.requests.find(RequestNumber(TextOf(request, "id")));
    if (known == story_.requests.end() && outcome != "not_found") return false;
    // No request is called r0.
    const int number = known == story_.requests.end() ? 0 : known->second;
    request["id"] = RequestName(static_cast<std::uint64_t>(number));
    return true;
  }
  static Step StepOf(const DumpStory::Call& call, const json::object& request) {
    Step step;
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
  const StoryTime time_;
  const Names names_;
  Scenario to_;
  std::map<std::string, std::string> repos_;
  std::set<std::string> sessions_;                  // that are there, or an agent's
  std::int64_t since_ = 0;                          // of the calls that are told
  std::size_t older_ = 0, long_ = 0, cancels_ = 0;  // left out
};

}  // namespace

Result<std::string> ScenarioOf(const std::string& dump, const std::string& name) {
  const Result<DumpStory> story = ReadDump(dump, name);
  if (!story) return story.error();
  return WriteScenario(Teller(*story, name).Tell());
}

}  // namespace oj::sim
