#include "cli/ask.h"

#include <algorithm>

#include "cli/explain.h"
#include "cli/launch.h"
#include "cli/progress_meter.h"
#include "core/protocol.h"
#include "os/system_random.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

std::string Ojd(int pid) {
  return pid > 0 ? "ojd (pid " + std::to_string(pid) + ")" : std::string("ojd");
}

// Long or odd text from outside, for a message.
std::string Excerpt(std::string_view text) {
  constexpr std::size_t kMost = 60;
  return "'" + OneLine(text.substr(0, kMost)) + (text.size() > kMost ? "...'" : "'");
}

// No other request of anybody's has it.
std::string NewRequestId() {
  SystemRandom random;
  std::string id;
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t number = random.Next();
    for (int shift = 60; shift >= 0; shift -= 4) id += "0123456789abcdef"[number >> shift & 15];
  }
  return id;
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
  if (type == "Error") return ExplainReply(object, std::move(text), settings, question, timeout);
  if (type != expected) {
    return BadReply(question, "ojd answered with " + Excerpt(type) + ", not with " + expected);
  }
  return Reply{std::move(text), object};
}

// Connects, and starts the daemon first where that is wanted and needed. The deadline is set anew
// after a start.
Outcome<Connection> Reach(const Invocation& invocation, const Question& question,
                          Deadline& deadline) {
  const Settings& settings = invocation.settings;
  const int interrupt = invocation.environment.interrupt_fd;
  auto first = Connection::Open(settings.Socket(), deadline, interrupt);
  if (first) return *std::move(first);
  if (first.error().trouble != Trouble::kNotRunning || settings.no_start || !question.starts) {
    return Explain(first.error(), settings, question, 0);
  }
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

// A daemon that is killed closes our connection a moment before its socket and the lock of its pid
// file are free. One that lives on costs this moment.
void AwaitItsEnd(int pid, int interrupt_fd) {
  constexpr Duration kMoment = std::chrono::milliseconds(250);
  if (const UniqueFd pidfd = OpenPidfd(pid)) {
    AwaitExit(pidfd.get(), Deadline::After(Now(), kMoment), interrupt_fd);
  }
}

// Progress frames are handed on, and move the deadline on.
Interim Listener(const Question& question, Duration limit, Deadline& deadline) {
  if (!question.on_progress) return {};
  return [&question, limit, &deadline](std::string_view payload) -> std::optional<Deadline> {
    json::error_code error;
    const json::value frame = json::parse(payload, error);
    if (error || !frame.is_object()) return std::nullopt;
    const json::object& object = frame.get_object();
    if (TextField(object, "type") != "Progress") return std::nullopt;
    question.on_progress({NumberField(object, "done", 0), NumberField(object, "total", 0),
                          TextField(object, "item"), TextField(object, "message")});
    deadline = Deadline::After(Now(), limit);
    return deadline;
  };
}

struct Answer {
  ClientResult<std::string> text;
  Duration timeout{};  // what the daemon was told of the limit
};

Answer Exchange(Connection& connection, const Settings& settings, const Question& question,
                Deadline& deadline) {
  json::object request = question.request;
  if (question.on_progress) request["progress"] = true;
  const std::chrono::milliseconds timeout(
      std::max<std::int64_t>(1, Millis(deadline.LeftAt(Now()))));
  request["timeout_ms"] = timeout.count();
  const Meanwhile meanwhile{Listener(question, settings.ipc.value, deadline), question.on_tick};
  return {connection.Call(json::serialize(request), deadline, settings.config.max_reply_bytes,
                          meanwhile),
          timeout};
}

}  // namespace

std::string Reply::Line() const {
  // A newline in a JSON text is always between tokens.
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + "\n";
}

Outcome<Reply> AskOn(Connection& connection, const Invocation& invocation, const Question& question,
                     const std::string& expected, Deadline deadline) {
  const Instant begun = Now();
  ProgressMeter meter(invocation.environment, question.Name());
  Question shown = question;
  if (!question.on_tick && meter.bar()) shown.on_tick = [&meter] { meter.Tick(); };
  Answer answer = Exchange(connection, invocation.settings, shown, deadline);
  meter.Clear();
  const int pid = connection.peer().pid;
  if (!answer.text) return Explain(answer.text.error(), invocation.settings, question, pid);
  auto reply =
      Understand(*std::move(answer.text), invocation.settings, question, expected, answer.timeout);
  if (!reply) return reply.error();
  reply->daemon_pid = pid;
  reply->took = Now() - begun;
  return reply;
}

Outcome<Reply> Ask(const Invocation& invocation, Question question, const std::string& expected) {
  const bool repeatable = question.repeatable;
  if (repeatable) question.request["request_id"] = NewRequestId();
  Deadline deadline = Deadline::After(Now(), invocation.settings.ipc.value);
  auto connection = Reach(invocation, question, deadline);
  if (!connection) return connection.error();
  auto reply = AskOn(*connection, invocation, question, expected, deadline);
  if (reply || !repeatable || !reply.error().connection_lost) return reply;
  if (invocation.environment.err_is_terminal) {
    invocation.environment.err("oj: the connection broke; asking once more\n");
  }
  AwaitItsEnd(connection->peer().pid, invocation.environment.interrupt_fd);
  // What the daemon did of it meanwhile it remembers by the request_id, or can bear to do again.
  if (question.on_progress) deadline = Deadline::After(Now(), invocation.settings.ipc.value);
  auto again = Reach(invocation, question, deadline);
  if (!again) return again.error().exit == kExitInterrupted ? again.error() : reply.error();
  return AskOn(*again, invocation, question, expected, deadline);
}

}  // namespace oj::cli
