// oj daemon start, stop, status
#include <algorithm>
#include <memory>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/launch.h"
#include "cli/log_command.h"
#include "cli/progress_meter.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

std::string Ojd(int pid) { return "ojd (pid " + std::to_string(pid) + ")"; }

// What there is to say of the daemon where no reply of it can be shown.
Said State(const Invocation& invocation, bool running, int pid, const std::string& text,
           Exit exit = kExitDone) {
  if (!invocation.settings.json) return {text + "\n", "", exit};
  json::object state = {{"running", running}};
  if (pid > 0) state["pid"] = pid;
  return {json::serialize(state) + "\n", "", exit};
}

Outcome<Said> Start(const Invocation& invocation) {
  auto started = EnsureDaemon(invocation.settings, invocation.environment);
  if (!started) return started.error();
  return State(invocation, true, started->pid,
               Ojd(started->pid) + (started->fresh ? " started" : " is already running"));
}

Failure StillThere(const Settings& settings, int pid) {
  return {kExitTimedOut,
          "daemon stop: " + Ojd(pid) + " has not ended within " + settings.exit.Text() +
              "; it may still be at it",
          "`kill " + std::to_string(pid) + "` makes it give up what it still does, `kill -9 " +
              std::to_string(pid) + "` ends it now; sessions survive both",
          ""};
}

// A process that is asked to end. The pidfd is opened before it is asked, so that a recycled pid
// is never waited for.
struct Ending {
  int pid = 0;
  UniqueFd pidfd;
};

// At most for the limit, and tells how long.
Ready WatchExit(const Invocation& invocation, const Ending& ending) {
  constexpr Duration kTick = std::chrono::milliseconds(100);
  const Environment& environment = invocation.environment;
  const Deadline deadline = Deadline::After(Now(), invocation.settings.exit.value);
  ProgressMeter meter(environment, "daemon stop");
  for (;;) {
    const Deadline tick = Deadline::After(Now(), kTick).Earlier(deadline);
    const Ready ready = AwaitExit(ending.pidfd.get(), tick, environment.interrupt_fd);
    if (ready.interrupted || ready.events != 0 || deadline.PassedAt(Now())) return ready;
    if (meter.bar()) meter.Tick();
  }
}

Outcome<Said> AwaitEnd(const Invocation& invocation, const Ending& ending, Instant begun) {
  const Settings& settings = invocation.settings;
  if (ending.pidfd) {
    const Ready ready = WatchExit(invocation, ending);
    if (ready.interrupted) {
      return Failure{kExitInterrupted, "interrupted; " + Ojd(ending.pid) + " goes on ending", "",
                     ""};
    }
    if (ready.events == 0) return StillThere(settings, ending.pid);
  }
  return State(invocation, false, ending.pid,
               Ojd(ending.pid) + " stopped after " + Humanise(Now() - begun));
}

// The daemon drains, and then needs its kill grace, and ends before we would give up on it.
std::int64_t DrainMillis(const Settings& settings) {
  const Duration exit = settings.exit.value;
  const Duration margin = std::min<Duration>(std::chrono::milliseconds(250), exit / 10);
  const Duration left = exit - settings.config.kill_grace - margin;
  return std::max<std::int64_t>(1, Millis(std::min(settings.config.drain, left)));
}

// Nobody listens; but a daemon that is about to end does not, either.
Outcome<Said> StopSilent(const Invocation& invocation) {
  const int pid = PidFileHolder(invocation.settings.PidFile());
  if (pid == 0) return State(invocation, false, 0, NotRunningText(invocation.settings));
  return AwaitEnd(invocation, {pid, OpenPidfd(pid)}, Now());
}

bool HasEnded(const Ending& ending) {
  return !ending.pidfd || AwaitExit(ending.pidfd.get(), Deadline(Now()), -1).events != 0;
}

Outcome<Said> Stop(bool kill, const Invocation& invocation) {
  const Settings& settings = invocation.settings;
  Question question{.command = "daemon stop", .check = "oj daemon status", .lasts = true};
  question.request = {{"type", "Shutdown"}, {"kill", kill}, {"drain_ms", DrainMillis(settings)}};
  const Instant begun = Now();
  const Deadline deadline = Deadline::After(begun, settings.ipc.value);
  auto connection =
      Connection::Open(settings.Socket(), deadline, invocation.environment.interrupt_fd);
  if (!connection) {
    if (connection.error().trouble == Trouble::kNotRunning) return StopSilent(invocation);
    return Explain(connection.error(), settings, question, 0);
  }
  const int holder = PidFileHolder(settings.PidFile());
  const int pid = holder > 0 ? holder : connection->peer().pid;
  const Ending ending{pid, OpenPidfd(pid)};
  auto reply = AskOn(*connection, invocation, question, "ShuttingDown", deadline);
  // A daemon that ends without an answer has ended all the same.
  if (!reply && !HasEnded(ending)) return reply.error();
  return AwaitEnd(invocation, ending, begun);
}

}  // namespace

void AddDaemonCommands(CLI::App& app, Invocation& invocation) {
  CLI::App& daemon = *app.add_subcommand("daemon", "Start, stop and watch the daemon, ojd.");
  daemon.require_subcommand(1);
  daemon.footer("Example:\n  oj daemon status\n`oj daemon stop --help` and so on tell more.");
  AddCommand(daemon, invocation, "start", "Start ojd in the background.", "oj daemon start", Start);
  auto kill = std::make_shared<bool>(false);
  CLI::App& stop = AddCommand(daemon, invocation, "stop",
                              "Stop ojd and wait until it has ended; sessions go on.",
                              "OJ_TIMEOUT_EXIT_MS=10000 oj daemon stop",
                              [kill](const Invocation& given) { return Stop(*kill, given); });
  stop.add_flag("--kill", *kill, "End all sessions of this daemon, too");
  AddStatusCommand(daemon, invocation, "oj daemon status");
  AddLogCommand(daemon, invocation);
}

}  // namespace oj::cli
