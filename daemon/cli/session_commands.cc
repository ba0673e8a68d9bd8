// oj session ...
#include <filesystem>
#include <memory>

#include "cli/ask.h"
#include "cli/command.h"
#include "core/protocol.h"

namespace oj::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

Failure Usage(const std::string& command, const std::string& message) {
  return {kExitUsage, command + ": " + message, "see `oj " + command + " --help`"};
}

std::optional<Failure> CheckId(const std::string& command, const std::string& id) {
  if (IsValidId(id)) return std::nullopt;
  return Usage(command, "'" + OneLine(id) +
                            "' is no session id: 1 to 128 characters of A-Z a-z 0-9 . _ -, not "
                            "beginning with - or .");
}

// JSON carries UTF-8 only; what is not would reach the session changed.
std::optional<Failure> CheckUtf8(const std::string& command, const std::string& what,
                                 const std::string& text) {
  if (ToUtf8(text) == text) return std::nullopt;
  return Usage(command, what + " is not valid UTF-8");
}

struct NewOptions {
  std::string id;
  std::string cwd;
  std::vector<std::string> env;
  std::vector<std::string> misplaced;  // never filled: words of the command come after "--"
};

Outcome<std::string> WorkingDirectory(const NewOptions& options) {
  std::error_code error;
  const fs::path path =
      options.cwd.empty() ? fs::current_path(error) : fs::absolute(options.cwd, error);
  if (error) return Failure{kExitError, "session new: no working directory: " + error.message()};
  if (!fs::is_directory(path, error)) {
    return Usage("session new", "--cwd: no such directory: " + OneLine(path.string()));
  }
  if (auto failure = CheckUtf8("session new", "the working directory", path.string())) {
    return *std::move(failure);
  }
  return path.lexically_normal().string();
}

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
  json::array command;
  for (const std::string& word : invocation.tail) {
    if (auto failure = CheckUtf8("session new", "the command", word)) return *std::move(failure);
    command.emplace_back(word);
  }
  if (command.empty()) {
    const std::string shell = Variable("SHELL");
    command.emplace_back(shell.empty() ? "/bin/sh" : shell);
  }
  return command;
}

Outcome<Said> New(const NewOptions& options, const Invocation& invocation) {
  if (auto failure = CheckId("session new", options.id)) return *std::move(failure);
  auto cwd = WorkingDirectory(options);
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
                    .check = "oj session list"},
                   "SessionCreated");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{"session " + options.id + " created\n"};
}

Outcome<Said> List(const Invocation& invocation) {
  json::object request = {{"type", "Query"}, {"query", {{"type", "ListSessions"}}}};
  auto reply = Ask(invocation, {.command = "session list", .request = request}, "Sessions");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  std::string table = RenderSessions(reply->object, ViewOf(invocation));
  const bool none = table.empty();
  return Said{std::move(table), none ? "no sessions\n" : ""};
}

Outcome<Said> Show(const std::string& id, const Invocation& invocation) {
  if (auto failure = CheckId("session show", id)) return *std::move(failure);
  json::object request = {{"type", "Query"}, {"query", {{"type", "GetSession"}, {"id", id}}}};
  auto reply =
      Ask(invocation, {.command = "session show", .object = id, .request = request}, "Session");
  if (!reply) return reply.error();
  const json::value* session = reply->object.if_contains("session");
  if (session == nullptr || !session->is_object()) {
    return Failure{kExitNotFound, "session " + id + " does not exist",
                   "`oj session list` shows the sessions there are", reply->text};
  }
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{RenderSession(session->get_object(), ViewOf(invocation))};
}

Outcome<Said> Send(const std::string& id, const Invocation& invocation) {
  if (auto failure = CheckId("session send", id)) return *std::move(failure);
  std::string text;
  for (const std::string& word : invocation.tail) text += (text.empty() ? "" : " ") + word;
  if (text.empty()) return Usage("session send", "no text to send");
  if (auto failure = CheckUtf8("session send", "the text", text)) return *std::move(failure);
  json::object request = {{"type", "SessionSend"}, {"id", id}, {"input", text}};
  auto reply = Ask(invocation,
                   {.command = "session send",
                    .object = id,
                    .request = std::move(request),
                    .tool = "tmux",
                    .check = "oj session peek " + id},
                   "Ok");
  if (!reply) return reply.error();
  return Said{invocation.settings.json ? reply->Line() : ""};
}

struct PeekOptions {
  std::string id;
  bool color = false;
  int lines = 40;
};

Outcome<Said> Peek(const PeekOptions& options, const Invocation& invocation) {
  if (auto failure = CheckId("session peek", options.id)) return *std::move(failure);
  json::object request = {{"type", "PeekSession"},
                          {"session_id", options.id},
                          {"with_color", options.color},
                          {"lines", options.lines}};
  auto reply = Ask(invocation,
                   {.command = "session peek",
                    .object = options.id,
                    .request = std::move(request),
                    .tool = "tmux"},
                   "SessionPeek");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  const json::value* output = reply->object.if_contains("output");
  if (output == nullptr || !output->is_string()) {
    return Failure{kExitError, "session peek " + options.id + ": the reply of ojd has no output"};
  }
  return Said{std::string(output->get_string())};
}

Outcome<Said> Kill(const std::string& id, const Invocation& invocation) {
  if (auto failure = CheckId("session kill", id)) return *std::move(failure);
  auto reply = Ask(invocation,
                   {.command = "session kill",
                    .object = id,
                    .request = {{"type", "SessionKill"}, {"id", id}},
                    .tool = "tmux",
                    .check = "oj session list"},
                   "Ok");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{"session " + id + " killed\n"};
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
  command.add_option("ID", options->id, "Name of the session")->required()->type_name("");
  command.add_option("TEXT", options->text, "All words after ID, as they are, options too")
      ->type_name("");
}

void AddPeek(CLI::App& session, Invocation& invocation) {
  auto options = std::make_shared<PeekOptions>();
  CLI::App& command =
      AddCommand(session, invocation, "peek", "Print what a session's screen shows.",
                 "oj session peek work --lines 100",
                 [options](const Invocation& given) { return Peek(*options, given); });
  command.add_option("ID", options->id, "Name of the session")->required()->type_name("");
  command.add_flag("--color", options->color, "Keep colours (escape sequences)");
  command.add_option("-n,--lines", options->lines, "Lines of history (default: 40)")
      ->check(CLI::Range(1, 1'000'000));
}

void AddById(CLI::App& session, Invocation& invocation, const std::string& name,
             const std::string& about,
             Outcome<Said> (*run)(const std::string&, const Invocation&)) {
  auto id = std::make_shared<std::string>();
  CLI::App& command = AddCommand(session, invocation, name, about, "oj session " + name + " work",
                                 [id, run](const Invocation& given) { return run(*id, given); });
  command.add_option("ID", *id, "Name of the session")->required()->type_name("");
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
  AddPeek(session, invocation);
  AddById(session, invocation, "kill", "End a session and all that runs in it.", Kill);
}

}  // namespace oj::cli
