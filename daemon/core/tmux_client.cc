#include "core/tmux_client.h"

#include <algorithm>
#include <sstream>

#include "core/judged.h"
#include "core/protocol.h"

namespace oj {
namespace {

constexpr int kAsksOfADyingServer = 50;
constexpr Duration kAskAgain = std::chrono::milliseconds(10);
constexpr Duration kFirstProbe = std::chrono::seconds(1);
constexpr Duration kFirstPause = std::chrono::milliseconds(100);
constexpr Duration kLongestPause = std::chrono::seconds(2);

// A server with no session at all has no current target either.
bool NoServer(const ProcessResult& result) {
  return Says(result, "no server running on") || Says(result, "no current target") ||
         (Says(result, "error connecting to") && Says(result, "No such file or directory"));
}
// The server went away under the command, as it does with its last session. It tells nothing; a
// server that answers, or none, will.
bool ServerWentAway(const ProcessResult& result) {
  return result.end == ProcessResult::End::kExited && result.status != 0 &&
         (Says(result, "server exited unexpectedly") || Says(result, "lost server"));
}
bool NoSession(const ProcessResult& result) {
  return Says(result, "can't find") || NoServer(result);
}
Error NotFound(const std::string& id) {
  return {ErrorCode::kNotFound, "session '" + id + "' does not exist: tmux can't find it", ""};
}
// A change whose client came to no end of its own: the server may have made it.
Error FailedToChange(const std::string& doing, const ProcessResult& result) {
  Error error = ToolFailed("tmux", doing, result);
  if (result.end != ProcessResult::End::kSignaled) return error;
  error.code = ErrorCode::kUnknownOutcome;
  error.message += "; it may have done so all the same";
  return error;
}
// "=ID" names exactly this session; "=ID:" its active pane. A bare name would match a prefix.
std::string Session(const std::string& id) { return "=" + id; }
std::string Pane(const std::string& id) { return "=" + id + ":"; }

// tmux expands formats in a directory, and "#(...)" in a format is a shell command.
std::string Unexpanded(const std::string& text) {
  std::string plain;
  for (const char c : text) plain.append(c == '#' ? 2 : 1, c);
  return plain;
}

// tmux takes a ';' at the end of an argument for a separator of commands, unless escaped.
std::string Literal(std::string argument) {
  if (!argument.empty() && argument.back() == ';') argument.insert(argument.size() - 1, 1, '\\');
  return argument;
}

}  // namespace

void SessionLease::Settle() {
  unfenced_ = unfenced_ || (changing_ && after_.started);
  if (after_.undead != nullptr) undead_.push_back(std::move(after_.undead));
  changing_ = false;
  after_ = Aftermath{};
}

SessionLease::~SessionLease() {
  Settle();
  if (!lease_.live() || (undead_.empty() && !unfenced_)) return;
  const int pid = undead_.empty() ? 0 : undead_.front()->pid;
  const std::string why =
      undead_.empty() ? "tmux was killed in the middle of a change and its server does not answer"
                      : "process " + std::to_string(pid) + " (state " + undead_.front()->state +
                            ") could not be killed";
  Lease::Quarantine(std::move(lease_), why, pid, tmux_->UntilSafe(std::move(undead_), unfenced_));
}

ToolCommand TmuxClient::Tmux(std::vector<std::string> arguments, Duration timeout) const {
  ToolCommand command;
  command.tool = "tmux";
  command.argv.reserve(arguments.size() + 1);
  command.argv.push_back(config_.tmux_tool);
  for (std::string& argument : arguments) command.argv.push_back(std::move(argument));
  command.timeout = timeout;
  // A tmux client gets KILL at once: on TERM from a hung server it exits 0. It owns no lock.
  command.kill = KillPolicy{};
  return command;
}

Task<Result<ProcessResult>> TmuxClient::Command(Flight& flight, SessionLease& lease,
                                                std::vector<std::string> arguments, Effect effect) {
  for (int asked = 1;; ++asked) {
    ToolCommand command = Tmux(arguments, config_.tmux);
    // The server that the first session starts must live on; no tag leads to it.
    command.tagged = effect != Effect::kStarts;
    lease.Settle();
    if (const Status alone = AllGone(lease.undead_); !alone) co_return alone.error();
    lease.changing_ = effect != Effect::kLooks;
    auto run = tools_.Run(flight, std::move(command), lease.after_);
    auto result = co_await std::move(run);
    if (result && result->end == ProcessResult::End::kExited) lease.changing_ = false;
    const bool again = effect != Effect::kChanges && result && ServerWentAway(*result);
    if (!again || asked == kAsksOfADyingServer) co_return std::move(result);
    co_await SleepFor(clock_, kAskAgain);
  }
}

Task<Result<Presence>> TmuxClient::Has(Flight& flight, SessionLease& lease, std::string id) {
  std::vector<std::string> arguments{"has-session", "-t", Session(id)};
  auto run = Command(flight, lease, std::move(arguments), Effect::kLooks);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return Presence::kPresent;
  if (NoSession(*result)) co_return Presence::kAbsent;
  co_return ToolFailed("tmux", "look for session '" + id + "'", *result);
}

Task<Reply> TmuxClient::Capture(Flight& flight, SessionLease& lease, std::string id, bool color,
                                std::int64_t lines) {
  std::vector<std::string> arguments{"capture-pane", "-t", Pane(id),
                                     "-p",           "-S", "-" + std::to_string(lines)};
  if (color) arguments.emplace_back("-e");
  auto run = Command(flight, lease, std::move(arguments), Effect::kLooks);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return std::move(result->out);
  if (NoSession(*result)) co_return NotFound(id);
  co_return ToolFailed("tmux", "peek at session '" + id + "'", *result);
}

Task<Status> TmuxClient::New(Flight& flight, SessionLease& lease, const SessionRecord& session,
                             std::vector<std::pair<std::string, std::string>> env) {
  std::vector<std::string> arguments{"new-session", "-d", "-s",
                                     session.id,    "-c", Literal(Unexpanded(session.cwd))};
  for (const auto& [name, value] : env) {
    arguments.emplace_back("-e");
    arguments.push_back(Literal(name + "=" + value));
  }
  arguments.emplace_back("--");
  // tmux gives a command of one word to a shell; this one only runs the program of that name.
  if (session.command.size() == 1) {
    for (const char* each : {"sh", "-c", "exec \"$0\""}) arguments.emplace_back(each);
  }
  for (const std::string& each : session.command) arguments.push_back(Literal(each));
  if (session.agent_id) {
    for (const std::string& each :
         {std::string(";"), std::string("set-option"), std::string("-t"), Pane(session.id),
          std::string("remain-on-exit"), std::string("on")}) {
      arguments.push_back(each);
    }
  }
  auto run = Command(flight, lease, std::move(arguments), Effect::kStarts);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return Ok{};
  if (Says(*result, "duplicate session")) {
    co_return Error{ErrorCode::kConflict, "session '" + session.id + "' exists already", ""};
  }
  co_return FailedToChange("start session '" + session.id + "'", *result);
}

Task<Status> TmuxClient::Send(Flight& flight, SessionLease& lease, std::string id,
                              std::string input) {
  std::vector<std::string> arguments{
      "send-keys", "-t",        Pane(id), "-l",     "--",   Literal(std::move(input)),
      ";",         "send-keys", "-t",     Pane(id), "Enter"};
  auto run = Command(flight, lease, std::move(arguments), Effect::kChanges);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  if (result->Succeeded()) co_return Ok{};
  // A server goes with its last session: this one was not there either.
  if (NoSession(*result) || ServerWentAway(*result)) co_return NotFound(id);
  co_return FailedToChange("type into session '" + id + "'", *result);
}

Task<Result<Presence>> TmuxClient::Kill(Flight& flight, SessionLease& lease, std::string id) {
  std::vector<std::string> arguments{"kill-session", "-t", Session(id)};
  auto run = Command(flight, lease, std::move(arguments), Effect::kChanges);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  // Whether it is gone now is for has-session to say.
  if (result->Succeeded() || ServerWentAway(*result)) co_return Presence::kPresent;
  if (NoSession(*result)) co_return Presence::kAbsent;
  co_return FailedToChange("kill session '" + id + "'", *result);
}

Task<Result<std::vector<SessionState>>> TmuxClient::List(Flight& flight) {
  std::vector<std::string> arguments{"list-panes", "-a", "-F",
                                     "#{session_name} #{pane_dead} #{pane_dead_status}"};
  Aftermath after;
  auto run = tools_.Run(flight, Tmux(std::move(arguments), config_.tmux), after);
  auto result = co_await std::move(run);
  if (!result) co_return std::move(result).error();
  std::vector<SessionState> all;
  if (!result->Succeeded()) {
    if (NoServer(*result)) co_return std::move(all);
    co_return ToolFailed("tmux", "list the sessions", *result);
  }
  std::istringstream lines(result->out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    SessionState state;
    int exit = 0;
    words >> state.id >> state.ended;
    if (state.ended && words >> exit) state.exit = exit;
    all.push_back(std::move(state));
  }
  co_return std::move(all);
}

Task<void> TmuxClient::Reap(Flight& flight) {
  std::vector<std::string> arguments{"run-shell", "-b", "true"};
  Aftermath after;
  auto run = tools_.Run(flight, Tmux(std::move(arguments), config_.tmux), after);
  static_cast<void>(co_await std::move(run));  // the end is recorded without its exit code then
}

Task<void> TmuxClient::UntilSafe(std::vector<std::shared_ptr<Quarantine>> undead, bool unfenced) {
  auto dead = AllDead(std::move(undead));
  co_await std::move(dead);
  if (!unfenced) co_return;
  auto fenced = std::make_shared<Event>();
  unfenced_.push_back(fenced);
  if (!idle_.empty()) idle_.WakeFront();
  auto passed = fenced->WaitSet();
  co_await std::move(passed);
}

Task<void> TmuxClient::Tend() {
  Flight probe(0, "TmuxFence", "", 0, clock_.Now(), log_);
  Duration pause = kFirstPause;
  Duration limit = kFirstProbe;  // grows: a tmux may be slow and not hang
  while (true) {
    if (unfenced_.empty()) {
      pause = kFirstPause;
      limit = kFirstProbe;
      auto turn = idle_.Enter(true);
      co_await turn;
    }
    // Only those killed before the round trip begins are fenced by it.
    const std::size_t asked = unfenced_.size();
    limit = std::min(limit, config_.tmux);
    auto trip = RoundTrip(probe, limit);
    const bool answered = co_await std::move(trip);
    if (answered) {
      for (std::size_t i = 0; i < asked; ++i) unfenced_[i]->Set();
      unfenced_.erase(unfenced_.begin(), unfenced_.begin() + static_cast<std::ptrdiff_t>(asked));
      continue;
    }
    co_await SleepFor(clock_, pause);
    pause = std::min(2 * pause, kLongestPause);
    limit *= 2;
  }
}

Task<bool> TmuxClient::RoundTrip(Flight& probe, Duration limit) {
  std::vector<std::string> arguments{"list-sessions", "-F", "#{session_name}"};
  Aftermath after;
  ToolCommand command = Tmux(std::move(arguments), limit);
  auto run = tools_.Run(probe, std::move(command), after);
  auto result = co_await std::move(run);
  if (after.undead != nullptr) {
    auto dead = after.undead->dead.WaitSet();
    co_await std::move(dead);
    co_return false;
  }
  co_return result && (result->Succeeded() || NoServer(*result));
}

}  // namespace oj
