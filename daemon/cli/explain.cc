#include "cli/explain.h"

#include <algorithm>
#include <array>

#include "cli/launch.h"
#include "cli/render.h"
#include "core/protocol.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

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
          question.Name() +
              (question.on_progress ? ": no sign of life from ojd for "
                                    : ": no answer from ojd within ") +
              settings.ipc.Text() + Fate(question),
          hint};
}

struct CodeExit {
  std::string_view code;
  Exit exit;
};
constexpr std::array<CodeExit, 6> kExits = {{{"not_found", kExitNotFound},
                                             {"ambiguous", kExitBusy},
                                             {"busy", kExitBusy},
                                             {"conflict", kExitBusy},
                                             {"deadline_exceeded", kExitTimedOut},
                                             {"tool_timeout", kExitTimedOut}}};

std::string RetryHint(const json::object& detail) {
  const std::int64_t after = NumberField(detail, "retry_after_ms", 0);
  const std::string when =
      after > 0 ? "try again in " + Humanise(std::chrono::milliseconds(after)) : "try again later";
  return when + "; `oj requests` and `oj locks` show what it waits for";
}

// What the command is about: "session", "workspace", "agent", or nothing of that kind.
std::string KindOf(std::string_view command) {
  if (command == "peek") return "session";
  for (const char* kind : {"session", "workspace", "agent"}) {
    if (command.starts_with(kind)) return kind;
  }
  return {};
}

std::string ErrorHint(std::string_view code, const json::object& detail, const Question& question) {
  if (code == "not_found" && question.command == "cancel") return "`oj requests` shows what runs";
  const std::string kind = KindOf(question.command);
  // These name something else that there may not be.
  const bool other = question.command == "workspace add" || question.command == "agent run";
  const bool by_name = !other && (code == "not_found" || code == "ambiguous" ||
                                  (code == "conflict" && question.command == "session new"));
  if (by_name && !kind.empty()) return "`oj " + kind + " list` shows the " + kind + "s there are";
  if (code == "busy") return RetryHint(detail);
  if (code == "tool_timeout" && !question.tool.empty()) {
    return question.tool + " hangs or is slow; " +
           (question.check.empty() ? "nothing was changed" : CheckHint(question));
  }
  if (code == "deadline_exceeded" && question.on_progress) {
    return "the same command goes on where this one ended; --timeout MS waits longer for each step";
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
void NameTheUsersLimit(Failure& failure, const json::object& error, const Settings& settings,
                       const Question& question, Duration timeout) {
  const json::value* detail = error.if_contains("detail");
  if (detail == nullptr || !detail->is_object()) return;
  const std::int64_t limit_ms = NumberField(detail->get_object(), "limit_ms", 0);
  if (limit_ms < Millis(timeout - MarginOf(timeout))) return;
  const std::string waiting_for = TextField(detail->get_object(), "waiting_for");
  failure.message = question.Name() + ": not done within " + settings.ipc.Text() +
                    (waiting_for.empty() ? "" : ", waiting for " + waiting_for) + Fate(question);
  if (failure.hint.empty()) failure.hint = "--timeout MS waits longer";
}

}  // namespace

std::string NotRunningText(const Settings& settings) {
  const int pid = PidFileHolder(settings.PidFile());
  if (pid == 0) return "ojd is not running (nobody listens on " + settings.Socket() + ")";
  return "ojd (pid " + std::to_string(pid) + ") starts or ends: it does not listen on " +
         settings.Socket();
}

Exit ExitOf(std::string_view code) {
  const auto* at = std::find_if(kExits.begin(), kExits.end(),
                                [code](const CodeExit& each) { return each.code == code; });
  return at == kExits.end() ? kExitError : at->exit;
}

Failure BadReply(const Question& question, const std::string& what) {
  return {kExitError, question.Name() + ": " + what,
          "do oj and ojd belong together? `oj version` tells"};
}

Failure Explain(const ClientError& error, const Settings& settings, const Question& question,
                int pid) {
  const std::string name = question.Name();
  switch (error.trouble) {
    case Trouble::kNotRunning:
      return {kExitNotFound, name + ": " + NotRunningText(settings), "start it: `oj daemon start`"};
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
      return {kExitError,
              name + ": " + error.what,
              question.check.empty() ? "`oj daemon logs` may say why" : CheckHint(question),
              "",
              "",
              true};
    case Trouble::kBadReply:
      return BadReply(question, "ojd announced " + error.what);
    case Trouble::kSystem:
      break;
  }
  return {kExitError, name + ": " + error.what};
}

Failure ExplainReply(const json::object& error, std::string text, const Settings& settings,
                     const Question& question, Duration timeout) {
  Failure failure = FromErrorReply(error, std::move(text), question);
  // With progress, the daemon's figure is that of the whole, and the user's that of one step.
  if (TextField(error, "code") == "deadline_exceeded" && !question.on_progress) {
    NameTheUsersLimit(failure, error, settings, question, timeout);
  }
  return failure;
}

}  // namespace oj::cli
