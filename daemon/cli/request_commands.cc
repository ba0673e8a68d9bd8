// oj requests, cancel, locks, ping, status, version
#include <memory>

#include "cli/ask.h"
#include "cli/command.h"
#include "core/protocol.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

Question Plain(std::string command, std::string_view type) {
  return {.command = std::move(command), .request = {{"type", type}}};
}

// Asks, and shows the reply as a list; `nothing` is said of an empty one.
Outcome<Said> ShowList(const Invocation& invocation, const std::string& command,
                       const std::string& type,
                       std::string (*render)(const json::object&, const View&),
                       const std::string& nothing) {
  auto reply = Ask(invocation, Plain(command, type), type);
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  std::string table = render(reply->object, ViewOf(invocation));
  const bool none = table.empty();
  return Said{std::move(table), none ? nothing + "\n" : ""};
}

Outcome<Said> Requests(const Invocation& invocation) {
  return ShowList(invocation, "requests", "Requests", RenderRequests, "no requests in flight");
}

Outcome<Said> Locks(const Invocation& invocation) {
  return ShowList(invocation, "locks", "Locks", RenderLocks, "no locks held");
}

Outcome<Said> Cancel(const std::string& id, const Invocation& invocation) {
  auto reply = Ask(invocation,
                   {.command = "cancel",
                    .object = id,
                    .request = {{"type", "CancelRequest"}, {"id", id}},
                    .tool = "",
                    .check = "oj requests"},
                   "Ok");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{"request " + id + " cancelled\n"};
}

std::string Precise(Duration duration) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  if (us >= 10'000) return Humanise(duration);
  return std::to_string(us / 1000) + "." + std::to_string(us % 1000 / 100) + " ms";
}

Outcome<Said> Ping(const Invocation& invocation) {
  auto reply = Ask(invocation, Plain("ping", "Ping"), "Pong");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{"ojd (pid " + std::to_string(reply->daemon_pid) + ") answered in " +
              Precise(reply->took) + "\n"};
}

// Never starts a daemon, and does not fail where none runs: the question is about this program too.
Outcome<Said> Version(const Invocation& invocation) {
  Question question = Plain("version", "Hello");
  question.request["version"] = kVersion;
  question.starts = false;
  auto reply = Ask(invocation, question, "Hello");
  const std::string version(kVersion);
  if (invocation.settings.json) {
    json::object both = {{"version", version}, {"daemon", nullptr}};
    if (reply) both["daemon"] = reply->object;
    return Said{json::serialize(both) + "\n"};
  }
  std::string text = "oj " + version + "\n";
  if (!reply) return Said{text, reply.error().message + "\n"};
  const std::string theirs = TextField(reply->object, "version");
  text += "ojd " + theirs + " (protocol " + TextField(reply->object, "protocol") + ")\n";
  const bool same = theirs == version;
  return Said{text, same ? "" : "oj and ojd differ: restart ojd after an update\n"};
}

}  // namespace

void AddRequestCommands(CLI::App& app, Invocation& invocation) {
  AddTopCommand(app, invocation);
  AddCommand(app, invocation, "requests", "List the requests in flight and their subprocesses.",
             "oj requests", Requests);
  auto id = std::make_shared<std::string>();
  CLI::App& cancel =
      AddCommand(app, invocation, "cancel", "Cancel a request in flight.", "oj cancel r42",
                 [id](const Invocation& given) { return Cancel(*id, given); });
  cancel.add_option("REQUEST", *id, "As `oj requests` shows it")->required()->type_name("");
  AddCommand(app, invocation, "locks", "List the locks held, their holders and waiters.",
             "oj locks", Locks);
  AddCommand(app, invocation, "ping", "Ask the daemon whether it answers.", "oj ping --no-start",
             Ping);
  AddStatusCommand(app, invocation, "oj status --watch");
  AddCommand(app, invocation, "version", "Show the versions of oj and ojd.", "oj version", Version);
}

}  // namespace oj::cli
