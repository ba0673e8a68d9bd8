// What the commands of `oj` share: what they get, what they give, and how they register.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/environment.h"
#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/render.h"

namespace oj::cli {

struct Invocation;

// What a command that went well says. Text ends with a newline, or is empty.
struct Said {
  std::string out = {};
  std::string note = {};  // for stderr: what a person wants to know and a pipe does not
  Exit exit = kExitDone;
};

using Command = std::function<Outcome<Said>(const Invocation&)>;

struct Invocation {
  const Environment& environment;
  GlobalOptions options = {};
  Settings settings = {};
  std::vector<std::string> tail =
      {};                         // the words after "--", or the text to send: taken as they are
  Command command = {};           // what was chosen
  const CLI::App* app = nullptr;  // all commands, for completion
};

// The grammar of `oj`, all of it; parsing sets invocation.command and does nothing else.
std::unique_ptr<CLI::App> MakeApp(Invocation& invocation);
// Why `oj` does not take these words; "": it does. Nothing is done.
std::string WhyNotTaken(std::vector<std::string> arguments);

View ViewOf(const Invocation& invocation);

// Adds a command that takes no "--" words; `run` is what it does.
CLI::App& AddCommand(CLI::App& parent, Invocation& invocation, const std::string& name,
                     const std::string& about, const std::string& example, Command run);

void AddDaemonCommands(CLI::App& app, Invocation& invocation);
void AddSessionCommands(CLI::App& app, Invocation& invocation);
void AddWorkspaceCommands(CLI::App& app, Invocation& invocation);
void AddAgentCommands(CLI::App& app, Invocation& invocation);
void AddRequestCommands(CLI::App& app, Invocation& invocation);
void AddDebugCommands(CLI::App& app, Invocation& invocation);
void AddCompletionCommands(CLI::App& app, Invocation& invocation);

// top, below `parent`.
void AddTopCommand(CLI::App& parent, Invocation& invocation);
// status and status --watch, below `parent`.
void AddStatusCommand(CLI::App& parent, Invocation& invocation, const std::string& example);

}  // namespace oj::cli
