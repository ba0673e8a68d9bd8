#include "scenario/scenario.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>

#include "core/protocol.h"
#include "scenario/client_reader.h"
#include "scenario/toml_reader.h"
#include "scenario/tool_rule_reader.h"

namespace oj::sim {
namespace {

constexpr std::array<std::string_view, 3> kWorlds = {"sim", "fakes", "real"};
constexpr std::array<std::string_view, 6> kBlows = {"kill",      "power",   "term",
                                                    "two-terms", "suspend", "wall"};
constexpr std::array<std::string_view, 6> kFaults = {"process", "transport", "store",
                                                     "clock",   "daemon",    "all"};
constexpr std::string_view kRequests[] = {"Ping",
                                          "Hello",
                                          "Status",
                                          "Shutdown",
                                          "SessionNew",
                                          "SessionSend",
                                          "SessionKill",
                                          "PeekSession",
                                          "SessionPrune",
                                          "Requests",
                                          "CancelRequest",
                                          "Locks",
                                          "Query",
                                          "WorkspaceAdd",
                                          "WorkspaceDrop",
                                          "WorkspaceDropFailed",
                                          "WorkspaceDropAll",
                                          "WorkspacePrune",
                                          "AgentRun",
                                          "AgentSend",
                                          "AgentResume"};
constexpr std::string_view kStates[] = {"untracked", "changed",     "ignored", "committed",
                                        "detached",  "same-commit", "locked",  "merging",
                                        "no-record", "no-directory"};

constexpr std::string_view kTables[] = {"session", "tool", "hang",      "strike",
                                        "client",  "repo", "workspace", "agent"};

// A real tool is slow enough for a rule that only delays it so little.
constexpr Duration kSmall = std::chrono::milliseconds(5);
bool SaysNothing(const ToolRule& rule) {
  ToolRule plain;
  plain.tool = rule.tool;
  plain.delay = rule.delay;
  return rule.delay <= kSmall && rule == plain;
}

template <class List>
bool Contains(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

template <class List>
std::string OneOf(const List& list) {
  std::string text = "must be one of";
  for (const std::string_view name : list) text += " " + std::string(name);
  return text;
}

class Parser {
 public:
  explicit Parser(const std::string& path) : read_(path) { scenario_.path = path; }

  Scenario Parse(const toml::table& root) {
    read_.CheckKeys("", root);
    if (const toml::node* worlds = root.get("worlds")) ReadWorlds(*worlds);
    for (const auto& [key, value] : root) ReadRoot(key.str(), value);
    if (scenario_.worlds.empty()) scenario_.worlds.push_back(World::kSim);
    if (scenario_.clients.empty() && scenario_.mix.clients == 0) {
      read_.Fail(root, "client", "there is no [[client]] and no [mix]: nothing would happen");
    }
    if (scenario_.mix.clients > 0 &&
        (scenario_.worlds.size() > 1 || scenario_.worlds[0] != World::kSim)) {
      read_.Fail(*root.get("mix"), "mix", "a generated workload is for worlds = [\"sim\"] only");
    }
    if (!scenario_.blows.empty() &&
        (scenario_.worlds.size() > 1 || scenario_.worlds[0] != World::kSim)) {
      read_.Fail(*root.get("strike"), "strike", "is for worlds = [\"sim\"] only");
    }
    CheckSetup(root);
    return std::move(scenario_);
  }

 private:
  void ReadRoot(std::string_view key, const toml::node& value) {
    if (key == "about") {
      scenario_.about = read_.Text(value, key);
    } else if (key == "failure") {
      scenario_.failures = read_.Texts(value, key);
      for (const std::string& row : scenario_.failures) {
        if (!IsRow(row)) read_.Fail(value, key, "'" + row + "' must be a letter and a number");
      }
    } else if (key == "worlds") {
      return;  // what other keys may say depends on it: it was read first
    } else if (key == "config") {
      ReadConfig(value, "");
    } else if (key == "gone") {
      scenario_.gone = read_.Texts(value, key);
    } else if (key == "mix") {
      ReadMix(read_.Table(value, key));
    } else if (sim::Contains(kTables, key)) {
      for (const toml::node& entry : read_.Array(value, key)) {
        const toml::table& table = read_.Table(entry, key);
        read_.CheckKeys(key, table);
        if (key == "session") ReadSession(table);
        if (key == "tool") {
          const bool fakes = scenario_.worlds.size() == 1 && scenario_.worlds[0] == World::kFakes;
          scenario_.tools.push_back(ReadToolRule(read_, table, fakes));
          if (IsOutside()) CheckPlaces(table, scenario_.tools.back());
        }
        if (key == "hang") ReadHang(table);
        if (key == "strike") ReadBlow(table);
        if (key == "client") AddClients(table);
        if (key == "repo") ReadRepo(table);
        if (key == "workspace") ReadWorkspace(table);
        if (key == "agent") ReadAgent(table);
      }
    } else {
      read_.Unknown(value, key);
    }
  }

  // Real processes: what they make and look at is in the run's directory, where /repos and /state
  // are (PlacedBelow).
  bool IsOutside() const {
    return Contains(scenario_.worlds, "fakes") || Contains(scenario_.worlds, "real");
  }
  void CheckPlaces(const toml::table& table, const ToolRule& rule) {
    for (const auto& [key, path] :
         {std::pair("lock_file", rule.lock_file), std::pair("at_path", rule.at_path)}) {
      if (path.empty() || IsBelow(path, "/repos/") || IsBelow(path, "/state/")) continue;
      read_.Fail(*table.get(key), key,
                 "must be below /repos/ or /state/, without \".\" and \"..\"");
    }
  }

  // "S1", "G12"
  static bool IsRow(std::string_view id) {
    return id.size() >= 2 && id[0] >= 'A' && id[0] <= 'Z' &&
           id.find_first_not_of("0123456789", 1) == std::string_view::npos;
  }

  void ReadWorlds(const toml::node& at) {
    for (const std::string& name : read_.Texts(at, "worlds")) {
      const auto found = std::find(kWorlds.begin(), kWorlds.end(), name);
      if (found == kWorlds.end()) {
        read_.Fail(at, "worlds", "'" + name + "' " + OneOf(kWorlds));
      }
      const auto world = static_cast<World>(found - kWorlds.begin());
      if (Contains(scenario_.worlds, name)) read_.Fail(at, "worlds", "'" + name + "' comes twice");
      scenario_.worlds.push_back(world);
    }
  }
  static bool Contains(const std::vector<World>& worlds, std::string_view name) {
    return std::any_of(worlds.begin(), worlds.end(), [&](World w) { return Name(w) == name; });
  }

  // Dotted keys are tables within tables.
  void ReadConfig(const toml::node& at, const std::string& prefix) {
    for (const auto& [name, value] : read_.Table(at, "config" + prefix)) {
      const std::string key = prefix + "." + std::string(name.str());
      if (value.is_table()) {
        ReadConfig(value, key);
        continue;
      }
      if (!value.is_integer() && !value.is_string()) {
        read_.Fail(value, "config" + key, "must be an integer or a string");
      }
      const std::string text =
          value.is_integer() ? std::to_string(value.as_integer()->get()) : value.as_string()->get();
      const Status set =
          SetConfig(scenario_.config, key.substr(1), text, read_.Origin(value, "config" + key));
      if (!set.ok()) throw WrongFile{set.error().message};
      scenario_.settings.emplace_back(key.substr(1), text);
    }
  }

  void ReadSession(const toml::table& table) {
    SessionSetup session;
    for (const auto& [key, value] : table) {
      if (key.str() == "id") {
        session.id = read_.Text(value, "id");
        if (!IsValidId(session.id)) read_.Fail(value, "id", "is not a valid id");
      } else if (key.str() == "screen") {
        session.screen = read_.Text(value, "screen");
      } else {
        read_.Unknown(value, key.str());
      }
    }
    if (session.id.empty()) read_.Fail(table, "id", "is missing");
    IsNew(table, "id", "session", session.id);
    scenario_.sessions.push_back(std::move(session));
  }

  void ReadRepo(const toml::table& table) {
    RepoSetup repo;
    for (const auto& [name, value] : table) {
      if (name.str() == "path") {
        repo.path = read_.Text(value, "path");
      } else if (name.str() == "files") {
        repo.files = static_cast<int>(read_.Integer(value, "files", 2, 1000));
      } else {
        read_.Unknown(value, name.str());
      }
    }
    if (!IsBelow(repo.path, "/repos/")) {
      read_.Fail(table, "path", "must be below /repos/, without \".\" and \"..\"");
    }
    IsNew(table, "path", "repo", repo.path);
    scenario_.repos.push_back(std::move(repo));
  }

  // Of that kind of thing.
  void IsNew(const toml::table& table, std::string_view key, const std::string& kind,
             const std::string& name) {
    if (!names_.emplace(kind, name).second) read_.Fail(table, key, "'" + name + "' comes twice");
  }

  std::string ReadId(const toml::node& value) {
    std::string id = read_.Text(value, "id");
    if (!IsValidId(id)) read_.Fail(value, "id", "is not a valid id");
    return id;
  }

  void ReadWorkspace(const toml::table& table) {
    WorkspaceSetup workspace;
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "id") {
        workspace.id = ReadId(value);
      } else if (key == "repo") {
        workspace.repo = read_.Text(value, key);
      } else if (key == "age_hours") {
        workspace.age_hours = static_cast<int>(read_.Integer(value, key, 0, 10'000));
      } else if (key == "state") {
        workspace.states = read_.Texts(value, key);
        for (const std::string& state : workspace.states) {
          if (!sim::Contains(kStates, state)) {
            read_.Fail(value, key, "'" + state + "' " + OneOf(kStates));
          }
        }
      } else {
        read_.Unknown(value, key);
      }
    }
    if (workspace.id.empty()) read_.Fail(table, "id", "is missing");
    if (workspace.repo.empty()) read_.Fail(table, "repo", "is missing");
    IsNew(table, "id", "workspace", workspace.id);
    scenario_.workspaces.push_back(std::move(workspace));
  }

  void ReadAgent(const toml::table& table) {
    AgentSetup agent;
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "id") {
        agent.id = ReadId(value);
      } else if (key == "workspace") {
        agent.workspace = read_.Text(value, key);
      } else if (key == "runs") {
        agent.runs = read_.Bool(value, key);
      } else {
        read_.Unknown(value, key);
      }
    }
    if (agent.id.empty()) read_.Fail(table, "id", "is missing");
    IsNew(table, "id", "session", agent.id);  // which it has
    scenario_.agents.push_back(std::move(agent));
  }

  // What exists is named before or after what names it.
  void CheckSetup(const toml::table& root) {
    for (const WorkspaceSetup& workspace : scenario_.workspaces) {
      if (!names_.contains({"repo", workspace.repo})) {
        read_.Fail(root, "workspace", "'" + workspace.repo + "' is no [[repo]]");
      }
    }
    for (const AgentSetup& agent : scenario_.agents) {
      if (!agent.workspace.empty() && !names_.contains({"workspace", agent.workspace})) {
        read_.Fail(root, "agent", "'" + agent.workspace + "' is no [[workspace]]");
      }
    }
    if (scenario_.mix.requests.contains("WorkspaceAdd") && scenario_.repos.empty()) {
      read_.Fail(*root.get("mix"), "requests", "WorkspaceAdd needs a [[repo]]");
    }
    if (Contains(scenario_.worlds, "real")) CheckReal(root);
  }

  // Tools that are real behave as they do.
  void CheckReal(const toml::table& root) {
    for (const ToolRule& rule : scenario_.tools) {
      if (!SaysNothing(rule)) {
        read_.Fail(*root.get("tool"), "tool", "for the world real it may only have delay_ms to 5");
      }
    }
    for (const Hang& hang : scenario_.hangs) {
      if (hang.tool != "tmux") {
        read_.Fail(*root.get("hang"), "tool", "in the world real only tmux has a server to hang");
      }
    }
  }

  void ReadHang(const toml::table& table) {
    Hang hang;
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "tool") {
        hang.tool = ReadToolName(read_, value);
      } else if (key == "from_ms") {
        hang.from = read_.Millis(value, key);
      } else if (key == "until_ms") {
        hang.until = read_.Millis(value, key);
      } else if (key == "ignore_term") {
        hang.ignore_term = read_.Bool(value, key);
      } else {
        read_.Unknown(value, key);
      }
    }
    if (hang.tool.empty()) read_.Fail(table, "tool", "is missing");
    if (hang.until && *hang.until <= hang.from) {
      read_.Fail(table, "until_ms", "must be later than from_ms");
    }
    scenario_.hangs.push_back(std::move(hang));
  }

  void ReadBlow(const toml::table& table) {
    constexpr std::int64_t kDay = 86'400'000;
    Blow blow;
    bool named = false;
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "at_ms") {
        blow.at = read_.Millis(value, key);
      } else if (key == "by_ms") {
        blow.time = std::chrono::milliseconds(read_.Integer(value, key, -kDay, kDay));
      } else if (key == "what") {
        const std::string what = read_.Text(value, key);
        const auto found = std::find(kBlows.begin(), kBlows.end(), what);
        if (found == kBlows.end()) read_.Fail(value, key, "'" + what + "' " + OneOf(kBlows));
        blow.kind = static_cast<Blow::Kind>(found - kBlows.begin());
        named = true;
      } else {
        read_.Unknown(value, key);
      }
    }
    if (!named) read_.Fail(table, "what", "is missing");
    const bool timed = blow.kind == Blow::Kind::kSuspend || blow.kind == Blow::Kind::kWall;
    if (timed != (blow.time != Duration())) {
      read_.Fail(table, "by_ms", "goes with suspend and wall, and must be there");
    }
    if (blow.kind == Blow::Kind::kSuspend && blow.time < Duration()) {
      read_.Fail(table, "by_ms", "must be positive");
    }
    scenario_.blows.push_back(blow);
  }

  void AddClients(const toml::table& table) {
    for (ClientScript& client : ReadClients(read_, table, IsOutside(), room_)) {
      IsNew(table, "name", "client", client.name);
      scenario_.clients.push_back(std::move(client));
    }
  }

  void ReadMix(const toml::table& table) {
    Mix& mix = scenario_.mix;
    read_.CheckKeys("mix", table);
    constexpr std::int64_t kMost = 10'000;
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "clients") {
        mix.clients = static_cast<int>(read_.Integer(value, key, 1, kMost));
      } else if (key == "calls") {
        mix.calls = static_cast<int>(read_.Integer(value, key, 1, kMost));
      } else if (key == "sessions") {
        mix.sessions = static_cast<int>(read_.Integer(value, key, 0, kMost));
      } else if (key == "faults") {
        mix.faults = read_.Texts(value, key);
        for (const std::string& fault : mix.faults) {
          if (!sim::Contains(kFaults, fault)) {
            read_.Fail(value, key, "'" + fault + "' " + OneOf(kFaults));
          }
        }
      } else if (key == "requests") {
        ReadWeights(read_.Table(value, key));
      } else {
        read_.Unknown(value, key);
      }
    }
    if (mix.clients == 0) read_.Fail(table, "clients", "is missing");
    if (mix.calls == 0) read_.Fail(table, "calls", "is missing");
  }
  void ReadWeights(const toml::table& table) {
    for (const auto& [name, value] : table) {
      const std::string_view type = name.str();
      if (!sim::Contains(kRequests, type)) read_.Fail(value, type, "unknown request");
      scenario_.mix.requests[std::string(type)] =
          static_cast<int>(read_.Integer(value, type, 1, 1'000'000));
    }
  }

  TomlReader read_;
  Scenario scenario_;
  std::set<std::pair<std::string, std::string>> names_;  // kind and name of what has been read
  ClientRoom room_;
};

}  // namespace

bool IsBelow(std::string_view path, std::string_view place) {
  if (!path.starts_with(place)) return false;
  for (std::size_t at = place.size(); at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    if (name.empty() || name == "." || name == "..") return false;
    at = end + 1;
  }
  return true;
}

std::string_view Name(Blow::Kind kind) { return kBlows[static_cast<std::size_t>(kind)]; }
std::string_view Name(World world) { return kWorlds[static_cast<std::size_t>(world)]; }

bool Meets(const Step& step, std::string_view outcome) {
  return step.expect.empty() || Contains(step.expect, outcome);
}

Result<Scenario> ParseScenario(const std::string& text, const std::string& path) {
  try {
    return Parser(path).Parse(toml::parse(text, path));
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::kInvalidRequest,
                 path + ":" + std::to_string(error.source().begin.line) +
                     ": syntax: " + std::string(error.description()),
                 ""};
  } catch (const WrongFile& wrong) {
    return Error{ErrorCode::kInvalidRequest, wrong.message, ""};
  }
}

Result<Scenario> LoadScenario(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kInvalidRequest, path + ":0: file: cannot be read", ""};
  return ParseScenario({std::istreambuf_iterator<char>(file), {}}, path);
}

}  // namespace oj::sim
