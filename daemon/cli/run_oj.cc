#include "cli/run_oj.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>
#include <sstream>

#include "cli/command.h"
#include "cli/posix.h"
#include "core/protocol.h"
#include "terminal/colour.h"

namespace oj::cli {
namespace {

constexpr const char* kFooter =
    "Exit status: 0 done, 1 error, 2 usage, 3 not found or no daemon, 4 busy, conflict or\n"
    "ambiguous, 124 timed out, 130 interrupted.\n"
    "Precedence: option, environment, $XDG_CONFIG_HOME/oj/config.toml, default. Time limits:\n"
    "OJ_TIMEOUT_IPC_MS (a reply), OJ_TIMEOUT_CONNECT_MS (ojd's start), OJ_TIMEOUT_EXIT_MS (its "
    "end).\n"
    "A command that needs ojd starts it where none runs.\n"
    "Example:\n"
    "  oj session new work -- make && oj session peek work";

constexpr std::array<std::string_view, 4> kWithValue = {"-o", "--output", "--timeout",
                                                        "--state-dir"};

// Words that no option parser may touch: all after "--", and all after `session send ID` and
// `agent send ID`.
struct Split {
  std::vector<std::string> parsed;
  std::vector<std::string> tail;
  bool dashes = false;
};

Split SplitTail(std::vector<std::string> arguments) {
  Split split;
  std::vector<std::string> words;
  std::size_t at = 0;
  const auto complete = [&words] {
    return words.size() == 3 && (words[0] == "session" || words[0] == "agent") &&
           words[1] == "send";
  };
  for (; at < arguments.size() && arguments[at] != "--" && !complete(); ++at) {
    const std::string& word = arguments[at];
    if (!word.starts_with('-')) {
      words.push_back(word);
    } else if (std::find(kWithValue.begin(), kWithValue.end(), word) != kWithValue.end()) {
      split.parsed.push_back(word);
      if (++at == arguments.size()) return split;
    }
    split.parsed.push_back(arguments[at]);
  }
  split.dashes = at < arguments.size() && arguments[at] == "--";
  if (split.dashes) ++at;
  split.tail.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at), arguments.end());
  return split;
}

int Report(const Failure& failure, const Invocation& invocation) {
  const Environment& environment = invocation.environment;
  if (!failure.reply.empty() && invocation.settings.json) {
    std::string line = failure.reply;
    std::replace(line.begin(), line.end(), '\n', ' ');
    environment.out(line + "\n");
  }
  if (!failure.listing.empty()) environment.err(failure.listing);
  if (!failure.message.empty()) environment.err("oj: " + OneLine(failure.message) + "\n");
  if (!failure.hint.empty()) environment.err("    " + OneLine(failure.hint) + "\n");
  return failure.exit;
}

int Deliver(const Said& said, const Invocation& invocation) {
  const int error = said.out.empty() ? 0 : invocation.environment.out(said.out);
  // Whoever reads has had enough: what was asked is done all the same.
  if (error == EPIPE) return said.exit;
  if (error == EINTR) return kExitInterrupted;
  if (error != 0) {
    return Report({kExitError, "cannot write to standard output: " + ErrnoText(error)}, invocation);
  }
  if (!said.note.empty()) invocation.environment.err(said.note);
  return said.exit;
}

std::string CommandName(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* chosen : app.get_subcommands()) name += " " + CommandName(*chosen);
  return name;
}

Failure UsageFailure(const CLI::App& app, const std::string& what) {
  std::string message = what.substr(0, what.find('\n'));
  const std::vector<std::string> unknown = app.remaining(true);
  if (message == "A subcommand is required" && !unknown.empty()) {
    message = "there is no command '" + unknown.front() + "'";
  } else if (message == "A subcommand is required") {
    message = "which command?";
  }
  return {kExitUsage, message, "see `" + CommandName(app) + " --help`"};
}

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.add_option("-o,--output", options.output, "text, or json: the daemon's reply on one line")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--timeout", options.timeout, "Wait at most MS milliseconds for a reply")
      ->type_name("MS");
  app.add_option("--state-dir", options.state_dir, "Where the socket, log and state of ojd are")
      ->type_name("DIR");
  app.add_flag("--no-start", options.no_start, "Do not start ojd where none runs");
  app.set_version_flag("--version", "oj " + std::string(kVersion));
}

// Help and --version are no errors to us, but exceptions to the parser.
int ParseEnded(const CLI::App& app, const CLI::ParseError& error, const Invocation& invocation) {
  if (error.get_exit_code() != 0) return Report(UsageFailure(app, error.what()), invocation);
  std::ostringstream text;
  std::ostringstream ignored;
  app.exit(error, text, ignored);
  return Deliver({text.str(), ""}, invocation);
}

std::optional<Failure> CheckTail(const CLI::App& app, const Split& split) {
  const std::string name = CommandName(app);
  constexpr std::array<std::string_view, 5> kTaking = {
      "oj session new", "oj session send", "oj agent run", "oj agent send", "oj __complete"};
  const bool takes = std::find(kTaking.begin(), kTaking.end(), name) != kTaking.end();
  if (takes || (!split.dashes && split.tail.empty())) return std::nullopt;
  return UsageFailure(app, name.substr(3) + ": takes no words after --");
}

void Parse(CLI::App& app, const Split& split) {
  std::vector<std::string> reversed(split.parsed.rbegin(), split.parsed.rend());
  app.parse(reversed);
}

int Run(Split split, Invocation& invocation) {
  const std::unique_ptr<CLI::App> made = MakeApp(invocation);
  CLI::App& app = *made;
  invocation.app = &app;
  try {
    Parse(app, split);
  } catch (const CLI::ParseError& error) {
    return ParseEnded(app, error, invocation);
  }
  if (auto failure = CheckTail(app, split)) return Report(*failure, invocation);
  invocation.tail = std::move(split.tail);
  auto settings = ReadSettings(invocation.options);
  if (!settings) return Report(settings.error(), invocation);
  invocation.settings = *std::move(settings);
  auto said = invocation.command(invocation);
  return said ? Deliver(*said, invocation) : Report(said.error(), invocation);
}

}  // namespace

View ViewOf(const Invocation& invocation) {
  const Environment& environment = invocation.environment;
  return {.color = terminal::UsesColour(environment.out_is_terminal),
          .utf8 = terminal::DrawsUtf8(),
          .columns = environment.out_is_terminal ? environment.size().columns : 0,
          .now = environment.wall_now(),
          .home = Variable("HOME")};
}

std::unique_ptr<CLI::App> MakeApp(Invocation& invocation) {
  auto app = std::make_unique<CLI::App>(
      "oj: sessions, workspaces and agents that a daemon, ojd, looks after.", "oj");
  app->fallthrough();
  app->require_subcommand(1);
  app->footer(kFooter);
  app->get_formatter()->column_width(28);
  AddGlobalOptions(*app, invocation.options);
  AddSessionCommands(*app, invocation);
  AddWorkspaceCommands(*app, invocation);
  AddAgentCommands(*app, invocation);
  AddRequestCommands(*app, invocation);
  AddDaemonCommands(*app, invocation);
  AddDebugCommands(*app, invocation);
  AddCompletionCommands(*app, invocation);
  return app;
}

std::string WhyNotTaken(std::vector<std::string> arguments) {
  const Environment nowhere;
  Invocation invocation{.environment = nowhere,
                        .options = {},
                        .settings = {},
                        .tail = {},
                        .command = {},
                        .app = nullptr};
  const std::unique_ptr<CLI::App> app = MakeApp(invocation);
  const Split split = SplitTail(std::move(arguments));
  try {
    Parse(*app, split);
  } catch (const CLI::ParseError& error) {
    return UsageFailure(*app, error.what()).message;
  }
  const auto failure = CheckTail(*app, split);
  return failure ? failure->message : "";
}

CLI::App& AddCommand(CLI::App& parent, Invocation& invocation, const std::string& name,
                     const std::string& about, const std::string& example, Command run) {
  CLI::App& command = *parent.add_subcommand(name, about);
  command.footer(
      "Options of all commands: -o, --timeout, --state-dir, --no-start; see `oj --help`.\n"
      "Example:\n  " +
      example);
  command.callback([&invocation, run = std::move(run)] { invocation.command = run; });
  return command;
}

int RunOj(std::vector<std::string> arguments, const Environment& environment) {
  Invocation invocation{.environment = environment,
                        .options = {},
                        .settings = {},
                        .tail = {},
                        .command = {},
                        .app = nullptr};
  try {
    return Run(SplitTail(std::move(arguments)), invocation);
  } catch (const std::exception& error) {
    return Report({kExitError, std::string("a defect of oj: ") + error.what()}, invocation);
  }
}

}  // namespace oj::cli
