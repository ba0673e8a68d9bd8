// oj status, oj daemon status
#include <memory>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/launch.h"
#include "terminal/colour.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

constexpr Duration kLookAgain = std::chrono::seconds(1);

Said NotThere(const Invocation& invocation) {
  const int pid = PidFileHolder(invocation.settings.PidFile());
  if (invocation.settings.json) {
    json::object state = {{"running", false}};
    if (pid > 0) state["pid"] = pid;
    return {json::serialize(state) + "\n", "", kExitNotFound};
  }
  return {NotRunningText(invocation.settings) + "\n", "", kExitNotFound};
}

Outcome<Connection> OpenNow(const Invocation& invocation, Deadline deadline,
                            const Question& question, bool& running) {
  const Settings& settings = invocation.settings;
  auto connection =
      Connection::Open(settings.Socket(), deadline, invocation.environment.interrupt_fd);
  running = connection || connection.error().trouble != Trouble::kNotRunning;
  if (!connection) return Explain(connection.error(), settings, question, 0);
  return *std::move(connection);
}

// `requests`: below it, what is in flight.
Outcome<Said> Status(const Invocation& invocation, bool requests) {
  const Deadline deadline = Deadline::After(Now(), invocation.settings.ipc.value);
  const Question question{.command = "daemon status", .request = {{"type", "Status"}}};
  bool running = false;
  auto connection = OpenNow(invocation, deadline, question, running);
  if (!running) return NotThere(invocation);
  if (!connection) return connection.error();
  auto reply = AskOn(*connection, invocation, question, "Status", deadline);
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  Said said{RenderStatus(reply->object, ViewOf(invocation))};
  if (!requests) return said;
  const Question more{.command = "requests", .request = {{"type", "Requests"}}};
  auto flights = AskOn(*connection, invocation, more, "Requests", deadline);
  if (!flights) return said;
  const std::string table = RenderRequests(flights->object, ViewOf(invocation));
  if (!table.empty()) said.out += "\n" + table;
  return said;
}

// Of a daemon that does not answer as it should; whoever reads JSON reads nothing else.
std::string TroubleText(const Invocation& invocation, const Failure& failure) {
  const std::string message = OneLine(failure.message);
  if (!invocation.settings.json) return "oj: " + message + "\n";
  return json::serialize(json::object{{"running", true}, {"error", message}}) + "\n";
}

// On a terminal each look takes the place of the last. A daemon that comes and goes is shown, too.
Outcome<Said> Watch(const Invocation& invocation) {
  const Environment& environment = invocation.environment;
  const bool as_json = invocation.settings.json;
  const bool redraws = !as_json && terminal::Redraws(environment.out_is_terminal);
  for (;;) {
    auto said = Status(invocation, true);
    if (!said && said.error().exit == kExitInterrupted) return said;
    std::string text = said ? said->out : TroubleText(invocation, said.error());
    if (redraws) text = "\x1b[H\x1b[2J" + text;
    if (const int error = environment.out(text); error != 0) {
      return Said{"", "", error == EINTR ? kExitInterrupted : kExitDone};
    }
    const Deadline pause = Deadline::After(Now(), kLookAgain);
    if (AwaitFd(-1, 0, pause, environment.interrupt_fd).interrupted) {
      return Said{"", "", kExitInterrupted};
    }
    if (!redraws && !as_json && environment.out("\n") != 0) return Said{};
  }
}

}  // namespace

void AddStatusCommand(CLI::App& parent, Invocation& invocation, const std::string& example) {
  auto watch = std::make_shared<bool>(false);
  CLI::App& command = AddCommand(
      parent, invocation, "status", "Show ojd's state; exit status 3 if it does not run.", example,
      [watch](const Invocation& given) { return *watch ? Watch(given) : Status(given, false); });
  command.add_flag("--watch", *watch, "Look again each second, until Ctrl-C; requests too");
}

}  // namespace oj::cli
