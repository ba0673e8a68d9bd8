// oj session ...
#include <memory>

#include "cli/ask.h"
#include "cli/attach.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/many.h"
#include "cli/peek.h"
#include "cli/words.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

struct NewOptions {
  std::string id;
  std::string cwd;
  std::vector<std::string> env;
  std::vector<std::string> misplaced;  // never filled: words of the command come after "--"
};

Outcome<json::object> Variables(const NewOptions& options) {
  json::object variables;
  for (const std::string& each : options.env) {
    const std::size_t equals = each.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Usage("session new", "-e: '" + OneLine(each) + "' is not of the form NAME=VALUE");
    }
    if (auto failure = CheckUtf8("session new", "-e " + each.substr(0, equals), each)) {
      return *std::move(failure);
    }
    variables[each.substr(0, equals)] = each.substr(equals + 1);
  }
  return variables;
}

Outcome<json::array> CommandOf(const Invocation& invocation) {
  auto command = ProgramWords("session new", invocation.tail);
  if (!command || !command->empty()) return command;
  const std::string shell = Variable("SHELL");
  command->emplace_back(shell.empty() ? "/bin/sh" : shell);
  return command;
}

Outcome<Said> New(const NewOptions& options, const Invocation& invocation) {
  if (auto failure = CheckId("session new", "session", options.id)) return *std::move(failure);
  auto cwd = DirectoryPath("session new", "--cwd", options.cwd);
  if (!cwd) return cwd.error();
  auto variables = Variables(options);
  if (!variables) return variables.error();
  auto command = CommandOf(invocation);
  if (!command) return command.error();
  json::object request = {
      {"type", "SessionNew"}, {"id", options.id}, {"cwd", *cwd}, {"command", *command}};
  if (!variables->empty()) request["env"] = *variables;
  auto reply = Ask(invocation,
                   {.command = "session new",
                    .object = options.id,
                    .request = std::move(request),
                    .tool = "tmux",
                    .check = "oj session list",
                    .repeatable = true},
                   "SessionCreated");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{"session " + options.id + " created\n"};
}

Outcome<Said> List(const Invocation& invocation) {
  return ListRecords(invocation, kSessionRecords, QueryOf("session list", kSessionRecords),
                     RenderSessions);
}

Outcome<Said> Show(const std::string& id, const Invocation& invocation) {
  return ShowRecord(invocation, kSessionRecords, id, RenderSession);
}

Outcome<Said> Send(const std::string& given, const Invocation& invocation) {
  auto text = TextWords("session send", invocation.tail);
  if (!text) return text.error();
  auto id = WholeId(invocation, "session send", kSessionRecords, given);
  if (!id) return id.error();
  json::object request = {{"type", "SessionSend"}, {"id", *id}, {"input", *text}};
  auto reply = Ask(invocation,
                   {.command = "session send",
                    .object = *id,
                    .request = std::move(request),
                    .tool = "tmux",
                    .check = "oj session peek " + *id},
                   "Ok");
  if (!reply) return reply.error();
  return Said{invocation.settings.json ? reply->Line() : ""};
}

Outcome<Said> PeekAtSession(PeekOptions options, const Invocation& invocation) {
  return Peek("session peek", options, invocation);
}

Outcome<Said> PeekAtAny(PeekOptions options, const Invocation& invocation) {
  return Peek("peek", options, invocation);
}

Outcome<Said> AttachTo(const std::string& id, const Invocation& invocation) {
  auto session = FindRecord(invocation, "session attach", kSessionRecords, id);
  if (!session) return session.error();
  return Attach(invocation, "session attach", TextField(*session, "id"));
}

struct PruneOptions {
  bool all = false;
  bool dry_run = false;
  std::string name_space;
};

Outcome<Said> Prune(const PruneOptions& options, const Invocation& invocation) {
  Question question{.command = "session prune", .tool = "tmux", .check = "oj session list"};
  question.request = {{"type", "SessionPrune"}, {"all", options.all}, {"dry_run", options.dry_run}};
  if (!options.name_space.empty()) {
    if (auto failure = CheckUtf8("session prune", "--namespace", options.name_space)) {
      return *std::move(failure);
    }
    question.request["namespace"] = options.name_space;
  }
  const Manner manner{"pruned", "session", "pruning", options.dry_run ? "would be ended" : "ended",
                      options.all ? "an agent runs in them"
                                  : "an agent runs in them, or younger than 12 hours: see --all"};
  auto reply = AskForMany(invocation, std::move(question), "SessionsPruned", manner);
  if (!reply) return reply.error();
  return SayMany(*reply, manner, invocation);
}

Outcome<Said> Kill(const std::string& given, const Invocation& invocation) {
  auto id = WholeId(invocation, "session kill", kSessionRecords, given);
  if (!id) return id.error();
  auto reply = Ask(invocation,
                   {.command = "session kill",
                    .object = *id,
                    .request = {{"type", "SessionKill"}, {"id", *id}},
                    .tool = "tmux",
                    .check = "oj session list",
                    .repeatable = true},
                   "Ok");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{"session " + *id + " killed\n"};
}

void AddNew(CLI::App& session, Invocation& invocation) {
  auto options = std::make_shared<NewOptions>();
  CLI::App& command = AddCommand(
      session, invocation, "new", "Create a session that runs a command (default: $SHELL).",
      "oj session new work --cwd ~/src -e EDITOR=vi -- make -j4",
      [options](const Invocation& given) { return New(*options, given); });
  command.add_option("ID", options->id, "Name of the session")->required()->type_name("");
  command.add_option("CMD", options->misplaced, "After --: the command, word by word")
      ->type_name("")
      ->check([](const std::string& word) {
        return "'" + word + "': the command comes after --, as in: oj session new ID -- ls -l";
      });
  command.add_option("--cwd", options->cwd, "Where the command runs (default: here)")
      ->type_name("DIR");
  command.add_option("-e,--env", options->env, "NAME=VALUE for the command; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

struct SendOptions {
  std::string id;
  std::vector<std::string> text;  // never filled: the text is the invocation's tail
};

void AddSend(CLI::App& session, Invocation& invocation) {
  auto options = std::make_shared<SendOptions>();
  CLI::App& command =
      AddCommand(session, invocation, "send", "Type text and Enter into a session.",
                 "oj --timeout 1000 session send work git commit -m done",
                 [options](const Invocation& given) { return Send(options->id, given); });
  command.add_option("SESSION", options->id, "Its id, or the beginning of it")
      ->required()
      ->type_name("");
  command.add_option("TEXT", options->text, "All words after SESSION, as they are, options too")
      ->type_name("");
}

void AddPrune(CLI::App& session, Invocation& invocation) {
  auto options = std::make_shared<PruneOptions>();
  CLI::App& command =
      AddCommand(session, invocation, "prune", "End the sessions that nobody uses any more.",
                 "oj session prune --all --dry-run",
                 [options](const Invocation& given) { return Prune(*options, given); });
  command.add_flag("--all", options->all, "Also those that are younger than 12 hours");
  command.add_flag("--dry-run", options->dry_run, "Only say what would be ended");
  command.add_option("--namespace", options->name_space, "Only those of this name")
      ->type_name("NAME");
}

void AddById(CLI::App& session, Invocation& invocation, const std::string& name,
             const std::string& about,
             Outcome<Said> (*run)(const std::string&, const Invocation&)) {
  auto id = std::make_shared<std::string>();
  CLI::App& command = AddCommand(session, invocation, name, about, "oj session " + name + " work",
                                 [id, run](const Invocation& given) { return run(*id, given); });
  command.add_option("SESSION", *id, "Its id, or the beginning of it")->required()->type_name("");
}

}  // namespace

void AddSessionCommands(CLI::App& app, Invocation& invocation) {
  CLI::App& session = *app.add_subcommand("session", "Create, list, read and end sessions.");
  session.require_subcommand(1);
  session.footer("Example:\n  oj session list\n`oj session new --help` and so on tell more.");
  AddNew(session, invocation);
  AddCommand(session, invocation, "list", "List the sessions.", "oj session list -o json", List);
  AddById(session, invocation, "show", "Show one session.", Show);
  AddSend(session, invocation);
  AddPeekCommand(session, invocation, "SESSION", "Print what a session's screen shows.",
                 "oj session peek work --lines 100", PeekAtSession);
  AddById(session, invocation, "kill", "End a session and all that runs in it.", Kill);
  AddPrune(session, invocation);
  AddById(session, invocation, "attach", "Attach this terminal to a session.", AttachTo);
  AddPeekCommand(app, invocation, "SESSION", "Print what the screen of a session or agent shows.",
                 "oj peek fixer", PeekAtAny);
}

}  // namespace oj::cli
