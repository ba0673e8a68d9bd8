// The scenario file: what exists, how the tools misbehave and what the clients do; one file for
// all three worlds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config.h"
#include "oj/deadline.h"
#include "oj/error.h"
#include "scenario/tool_rule.h"

namespace oj::sim {

enum class World : std::uint8_t { kSim, kFakes, kReal };

// The tool's server stops answering in [from, until): clients hang. In the real world SIGSTOP.
struct Hang {
  std::string tool;
  Duration from{};
  std::optional<Duration> until;  // until_ms; absent: for ever
  bool ignore_term = false;       // its clients do (simulation and fakes)

  bool operator==(const Hang&) const = default;
};

// What befalls the daemon or its machine. For the simulation only.
struct Blow {
  enum class Kind : std::uint8_t {
    kKill,      // SIGKILL; a daemon starts again on what was durable
    kPower,     // everything stops; likewise
    kTerm,      // SIGTERM; a daemon starts again when it has ended
    kTwoTerms,  // likewise, with a second signal at once
    kSuspend,   // the machine sleeps for `time`
    kWall,      // its wall clock is set by `time`, back if that is negative
  };
  Kind kind = Kind::kKill;  // what = "kill", "power", "term", "two-terms", "suspend", "wall"
  Duration at{};            // at_ms
  Duration time{};          // by_ms

  bool operator==(const Blow&) const = default;
};

struct SessionSetup {
  std::string id;
  std::string screen;

  bool operator==(const SessionSetup&) const = default;
};

// A repository with one commit of that many files, "f1" and so on, on branch main. Outside of the
// simulation its path is below a directory of the run's own.
struct RepoSetup {
  std::string path;
  int files = 2;

  bool operator==(const RepoSetup&) const = default;
};

// A workspace that exists: its worktree, its branch "oj/<id>" and its record. `states` says what
// else there is: "untracked", "changed", "ignored" (files of a user's), "committed" (a commit on
// no other branch), "same-commit" (its branch stands at the commit of the one before), "detached",
// "locked", "merging", "no-directory", "no-record".
struct WorkspaceSetup {
  std::string id;
  std::string repo;
  std::vector<std::string> states;  // key `state`
  int age_hours = 24;

  bool operator==(const WorkspaceSetup&) const = default;
};

// An agent with a session of its name, which runs or is gone (key `runs`).
struct AgentSetup {
  std::string id;
  std::string workspace;  // or empty
  bool runs = true;

  bool operator==(const AgentSetup&) const = default;
};

struct Step {
  enum class Do : std::uint8_t {
    kCall,     // send and wait for the reply
    kSend,     // send without waiting
    kReceive,  // wait for one reply
    kSleep,    // for `time`
    kUntil,    // until `time` since the run's start
    kHalfClose,
    kClose,
    kRaw,  // send `text` as bytes
  };
  Do what = Do::kCall;
  std::string text;                 // kCall, kSend: the request as JSON
  Duration time{};                  // kSleep, kUntil
  Duration late{};                  // in simulation, and in no file: so long before it
  std::optional<Duration> give_up;  // kCall, kReceive: close when no reply has come by then
  std::vector<std::string> expect;  // reply types, error codes, "gave_up", "closed"; empty: any
  int line = 0;                     // of the file

  bool operator==(const Step&) const = default;
};

// Whether a call that ended so is what the step expects.
bool Meets(const Step& step, std::string_view outcome);

// In a file `copies` of a client make as many, each `every_ms` after the last, and `times` of a
// step as many steps.
struct ClientScript {
  std::string name;
  Duration start{};
  std::vector<Step> steps;

  bool operator==(const ClientScript&) const = default;
};

// A generated workload in place of (or beside) scripted clients. Where there are workspaces its
// clients also work in them.
struct Mix {
  int clients = 0;
  int calls = 0;     // of each client
  int sessions = 0;  // that exist at the start
  // classes: process, transport, store, clock, daemon; "all"
  std::vector<std::string> faults;
  std::map<std::string, int> requests;  // weight by request type; empty: all, alike

  bool operator==(const Mix&) const = default;
};

struct Scenario {
  std::string path;
  std::string about;
  std::vector<std::string> failures;  // key `failure`: rows of scenarios/README.md that it shows
  std::vector<World> worlds;
  std::vector<std::pair<std::string, std::string>> settings;  // [config], as written
  Config config;                                              // defaults with the settings applied
  std::vector<SessionSetup> sessions;
  std::vector<RepoSetup> repos;
  std::vector<WorkspaceSetup> workspaces;
  std::vector<AgentSetup> agents;
  std::vector<std::string> gone;  // in no line of the portrait of an undisturbed run's end
  std::vector<ToolRule> tools;
  std::vector<Hang> hangs;
  std::vector<Blow> blows;  // [[strike]]
  std::vector<ClientScript> clients;
  Mix mix;
};

// "/repos/a/b" is below "/repos/", and leads nowhere else: it has no empty name, no "." and no
// "..".
bool IsBelow(std::string_view path, std::string_view place);

std::string_view Name(Blow::Kind kind);  // as in `what`
std::string_view Name(World world);      // "sim", "fakes", "real"

// Reads a scenario file. Error (kInvalidRequest): "file:line: key: what is wrong". Unknown keys
// are errors. A file that names no worlds is for the simulation only.
Result<Scenario> LoadScenario(const std::string& path);
Result<Scenario> ParseScenario(const std::string& text, const std::string& path);

}  // namespace oj::sim
