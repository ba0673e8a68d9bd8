#include "cli/ask.h"

#include <algorithm>
#include <array>

#include "cli/launch.h"
#include "core/protocol.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

std::string Ojd(int pid) {
  return pid > 0 ? "ojd (pid " + std::to_string(pid) + ")" : std::string("ojd");
}

// A change whose answer did not come may have been made.
std::string CheckHint(const Question& question) {
  if (question.check.empty()) return {};
  return "it may have taken effect before that: see `" + question.check + "`";
}

const char* Fate(const Question& question) {
  return question.lasts ? "; the request was given up" : "; the request was cancelled";
}

Failure NoAnswer(const Settings& settings, const Question& question, int pid) {
  std::string hint = CheckHint(question);
  if (hint.empty() && !question.tool.empty()) {
    hint = "ojd runs " + question.tool + " for it: `oj requests` shows what is stuck, " +
           "--timeout MS waits longer";
  }
  if (hint.empty()) {
    hint = "`oj daemon logs` may say why; `kill -9 " +
           (pid > 0 ? std::to_string(pid) : std::string("PID")) +
           "` ends ojd where nothing else does, and sessions survive that";
  }
  return {kExitTimedOut,
          question.Name() + ": no answer from ojd within " + settings.ipc.Text() + Fate(question),
          hint};
}

struct CodeExit {
  std::string_view code;
  Exit exit;
};
constexpr std::array<CodeExit, 6> kExits = {{{"not_found", kExitNotFound},
                                             {"ambiguous", kExitNotFound},
                                             {"busy", kExitBusy},
                                             {"conflict", kExitBusy},
                                             {"deadline_exceeded", kExitTimedOut},
                                             {"tool_timeout", kExitTimedOut}}};

Exit ExitOf(std::string_view code) {
  const auto* at = std::find_if(kExits.begin(), kExits.end(),
                                [code](const CodeExit& each) { return each.code == code; });
  return at == kExits.end() ? kExitError : at->exit;
}

std::string RetryHint(const json::object& detail) {
  const std::int64_t after = NumberField(detail, "retry_after_ms", 0);
  const std::string when =
      after > 0 ? "try again in " + Humanise(std::chrono::milliseconds(after)) : "try again later";
  return when + "; `oj requests` and `oj locks` show what it waits for";
}

std::string ErrorHint(std::string_view code, const json::object& detail, const Question& question) {
  const bool session = question.command.starts_with("session");
  if (code == "not_found" && session) return "`oj session list` shows the sessions there are";
  if (code == "not_found" && question.command == "cancel") return "`oj requests` shows what runs";
  if (code == "conflict" && session) return "`oj session list` shows the sessions there are";
  if (code == "busy") return RetryHint(detail);
  if (code == "tool_timeout" && !question.tool.empty()) {
    return question.tool + " hangs or is slow; " +
           (question.check.empty() ? "nothing was changed" : CheckHint(question));
  }
  if (code == "deadline_exceeded" || code == "unknown_outcome") return CheckHint(question);
  if (code == "tool_missing") {
    return "ojd looks on the PATH that it was started with; after a change of PATH: "
           "`oj daemon stop`, then `oj daemon start`";
  }
  if (code == "unavailable") return "`oj daemon status` and `oj daemon logs` may say more";
  if (code == "internal") return "this is a defect of ojd; `oj daemon logs` has more";
  const std::string words = TextField(detail, "stderr");
  return words.empty() || question.tool.empty() ? "" : question.tool + " said: " + words;
}

Failure FromErrorReply(const json::object& error, std::string text, const Question& question) {
  const std::string code = TextField(error, "code");
  std::string message = TextField(error, "message");
  if (message.empty()) message = question.Name() + ": ojd answered with the error '" + code + "'";
  const json::value* detail = error.if_contains("detail");
  const json::object none;
  const json::object& known =
      detail != nullptr && detail->is_object() ? detail->get_object() : none;
  return {ExitOf(code), std::move(message), ErrorHint(code, known, question), std::move(text)};
}

// The daemon knows what it was waiting for, but not whose limit it was: that is the user's, unless
// the daemon's own struck first.
Failure NotInTime(const json::object& error, std::string text, const Settings& settings,
                  const Question& question, Duration timeout) {
  Failure failure = FromErrorReply(error, std::move(text), question);
  const json::value* detail = error.if_contains("detail");
  if (detail == nullptr || !detail->is_object()) return failure;
  const std::int64_t limit_ms = NumberField(detail->get_object(), "limit_ms", 0);
  if (limit_ms < Millis(timeout - MarginOf(timeout))) return failure;
  const std::string waiting_for = TextField(detail->get_object(), "waiting_for");
  failure.message = question.Name() + ": not done within " + settings.ipc.Text() +
                    (waiting_for.empty() ? "" : ", waiting for " + waiting_for) + Fate(question);
  if (failure.hint.empty()) failure.hint = "--timeout MS waits longer";
  return failure;
}

Failure BadReply(const Question& question, const std::string& what) {
  return {kExitError, question.Name() + ": " + what,
          "do oj and ojd belong together? `oj version` tells"};
}

// Long or odd text from outside, for a message.
std::string Excerpt(std::string_view text) {
  constexpr std::size_t kMost = 60;
  return "'" + OneLine(text.substr(0, kMost)) + (text.size() > kMost ? "...'" : "'");
}

// `timeout`: what the daemon was told of the limit.
Outcome<Reply> Understand(std::string text, const Settings& settings, const Question& question,
                          const std::string& expected, Duration timeout) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return BadReply(question,
                    "ojd answered with something that is no JSON object: " + Excerpt(text));
  }
  const json::object& object = value.get_object();
  const std::string type = TextField(object, "type");
  if (type == "Error" && TextField(object, "code") == "deadline_exceeded") {
    return NotInTime(object, std::move(text), settings, question, timeout);
  }
  if (type == "Error") return FromErrorReply(object, std::move(text), question);
  if (type != expected) {
    return BadReply(question, "ojd answered with " + Excerpt(type) + ", not with " + expected);
  }
  return Reply{std::move(text), object};
}

Failure NotRunning(const Settings& settings, const Question& question) {
  return {kExitError,
          question.Name() + ": ojd is not running (nobody listens on " + settings.Socket() + ")",
          "start it: `oj daemon start`"};
}

// Connects, and starts the daemon first where that is wanted and needed. The deadline is set anew
// after a start.
Outcome<Connection> Reach(const Invocation& invocation, const Question& question,
                          Deadline& deadline) {
  const Settings& settings = invocation.settings;
  const int interrupt = invocation.environment.interrupt_fd;
  auto first = Connection::Open(settings.Socket(), deadline, interrupt);
  if (first) return *std::move(first);
  if (first.error().trouble != Trouble::kNotRunning) {
    return Explain(first.error(), settings, question, 0);
  }
  if (settings.no_start || !question.starts) return NotRunning(settings, question);
  auto started = EnsureDaemon(settings, invocation.environment);
  if (!started) return started.error();
  if (invocation.environment.err_is_terminal) {
    invocation.environment.err("oj: started " + Ojd(started->pid) + "\n");
  }
  deadline = Deadline::After(Now(), settings.ipc.value);
  auto second = Connection::Open(settings.Socket(), deadline, interrupt);
  if (second) return *std::move(second);
  return Explain(second.error(), settings, question, started->pid);
}

}  // namespace

std::string Reply::Line() const {
  // A newline in a JSON text is always between tokens.
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + "\n";
}

Failure Explain(const ClientError& error, const Settings& settings, const Question& question,
                int pid) {
  const std::string name = question.Name();
  switch (error.trouble) {
    case Trouble::kNotRunning:
      return NotRunning(settings, question);
    case Trouble::kNotAccepted:
      return {kExitTimedOut,
              name + ": ojd took no connection within " + settings.ipc.Text() +
                  "; nothing was asked of it",
              "it may be stopped or overloaded: `oj daemon logs` may say more"};
    case Trouble::kTimedOut:
      return NoAnswer(settings, question, pid);
    case Trouble::kInterrupted:
      return {kExitInterrupted,
              question.lasts ? "interrupted" : "interrupted; the request was cancelled",
              CheckHint(question)};
    case Trouble::kForeignPeer:
      return {kExitError, name + ": refused to talk to " + settings.Socket() + ": " + error.what,
              ""};
    case Trouble::kClosed:
      return {kExitError, name + ": " + error.what,
              question.check.empty() ? "`oj daemon logs` may say why" : CheckHint(question)};
    case Trouble::kBadReply:
      return BadReply(question, "ojd announced " + error.what);
    case Trouble::kSystem:
      break;
  }
  return {kExitError, name + ": " + error.what};
}

Outcome<Reply> AskOn(Connection& connection, const Invocation& invocation, const Question& question,
                     const std::string& expected, Deadline deadline) {
  json::object request = question.request;
  const Instant begun = Now();
  const std::chrono::milliseconds timeout(
      std::max<std::int64_t>(1, Millis(deadline.LeftAt(begun))));
  request["timeout_ms"] = timeout.count();
  auto text = connection.Call(json::serialize(request), deadline,
                              invocation.settings.config.max_reply_bytes);
  const int pid = connection.peer().pid;
  if (!text) return Explain(text.error(), invocation.settings, question, pid);
  auto reply = Understand(*std::move(text), invocation.settings, question, expected, timeout);
  if (!reply) return reply.error();
  reply->daemon_pid = pid;
  reply->took = Now() - begun;
  return reply;
}

Outcome<Reply> Ask(const Invocation& invocation, Question question, const std::string& expected) {
  Deadline deadline = Deadline::After(Now(), invocation.settings.ipc.value);
  auto connection = Reach(invocation, question, deadline);
  if (!connection) return connection.error();
  return AskOn(*connection, invocation, question, expected, deadline);
}

}  // namespace oj::cli
