#include "scenario/twin.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "scenario/dead_runs.h"
#include "scenario/held_directory.h"
#include "scenario/process_watch.h"
#include "scenario/twin_world.h"

namespace oj::sim {
namespace {

namespace bp = boost::process;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kStartLimit = seconds(10);
constexpr int kTurnMillis = 2;

Duration LengthOf(const Scenario& scenario) {
  Duration longest{};
  for (const ClientScript& client : scenario.clients) {
    Duration length = client.start;
    for (const Step& step : client.steps) {
      const bool waits = step.what == Step::Do::kCall || step.what == Step::Do::kReceive;
      const Duration takes = waits ? step.give_up.value_or(scenario.config.handler) : step.time;
      length = step.what == Step::Do::kUntil ? std::max(length, takes) : length + takes;
    }
    longest = std::max(longest, length);
  }
  return longest;
}

// The last signal that came in the lifetime of an Interrupts, or 0: all that a handler can reach.
volatile std::sig_atomic_t interrupted = 0;

// From now on these signals end the run and not this process, which would leave behind what it has
// started. The destructor, when that has been ended, gives them back and lets the one strike that
// came. What is ignored stays so.
class Interrupts {
 public:
  Interrupts() {
    interrupted = 0;
    struct sigaction note{};
    note.sa_handler = [](int number) { interrupted = number; };
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      sigaction(kNumbers[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) sigaction(kNumbers[i], &note, nullptr);
    }
  }
  ~Interrupts() {
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      sigaction(kNumbers[i], &before_[i], nullptr);
    }
    if (interrupted != 0) raise(interrupted);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  static constexpr std::array<int, 3> kNumbers = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kNumbers.size()> before_{};
};

// One daemon; the destructor kills it. Where there is no destructor, the daemon is told, and ends
// its tools.
class Daemon {
 public:
  Daemon(const std::string& path, const TwinWorld& world, std::error_code& error)
      : child_(bp::exe = path,
               bp::args = std::vector<std::string>{"--state-dir", world.state_dir()},
               world.environment(), bp::std_in<bp::null, (bp::std_out & bp::std_err)> world.log(),
               bp::extend::on_exec_setup([parent = getpid()](auto&) {
                 prctl(PR_SET_PDEATHSIG, SIGTERM);
                 if (getppid() != parent) _exit(127);  // it has died before
               }),
               error) {}
  ~Daemon() {
    std::error_code ignored;
    if (child_.running(ignored)) child_.terminate(ignored);
  }

  pid_t pid() const { return child_.id(); }
  bool Running() {
    std::error_code ignored;
    return child_.running(ignored);
  }
  // Exit code or -signal.
  int Exit() const {
    const int status = child_.native_exit_code();
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  bp::child child_;
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Run {
 public:
  Run(const Scenario& scenario, World world, const TwinOptions& options)
      : scenario_(scenario),
        options_(options),
        world_(scenario, world, options.fakes_dir, recorder_),
        is_fake_(world == World::kFakes) {
    lock_ = Hold(world_.root());
  }

  Result<TwinRun> Go() {
    if (!world_.root().empty() && !lock_) return Unavailable(world_.root() + " cannot be locked");
    const Status ready = world_.SetUp();
    if (interrupted != 0) return Interrupted();
    if (!ready.ok()) return ready.error();
    std::error_code error;
    Daemon daemon(options_.ojd, world_, error);
    if (error) return Unavailable(options_.ojd + ": " + error.message());
    const bool is_ready = AwaitReady(daemon);
    if (interrupted != 0) return Interrupted();
    if (!is_ready) return Unavailable("ojd did not become ready: " + Log());
    recorder_.Restart();
    recorder_.Add(recorder_.Now(), TraceKind::kDaemonStarted, 1);
    world_.Turn();
    run_.descriptors_before = DescriptorsOf(daemon.pid());
    ProcessWatch watch(daemon.pid(), world_.journal(), recorder_);
    ClientDriver clients(scenario_, world_.socket(), world_.root(), recorder_);
    Play(clients, watch);
    Rest(daemon, watch);
    if (interrupted != 0) return Interrupted();
    Stop(daemon, watch);
    if (interrupted != 0) return Interrupted();
    run_.steps = clients.outcomes();
    run_.daemon_log = Log();
    run_.trace = recorder_.Finish();
    return std::move(run_);
  }

 private:
  static Error Unavailable(const std::string& what) { return {ErrorCode::kUnavailable, what, ""}; }
  static Error Interrupted() {
    return Unavailable("interrupted by signal " + std::to_string(interrupted));
  }
  std::string Log() const {
    const std::string log = ReadAll(world_.log());
    return log.substr(log.size() - std::min<std::size_t>(log.size(), 16384));
  }

  bool AwaitReady(Daemon& daemon) {
    const Instant until = recorder_.Now() + kStartLimit;
    while (recorder_.Now() < until && daemon.Running() && interrupted == 0) {
      if (ReadAll(world_.log()).find("READY") != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(kTurnMillis));
    }
    return false;
  }

  // One turn of everything, after at most `kTurnMillis` of waiting.
  void Turn(ClientDriver* clients, ProcessWatch& watch) {
    polled_.clear();
    if (clients != nullptr) clients->AddTo(polled_);
    watch.AddTo(polled_);
    poll(polled_.data(), polled_.size(), kTurnMillis);
    world_.Turn();
    watch.Turn();
    if (clients != nullptr) clients->Turn();
  }

  void Play(ClientDriver& clients, ProcessWatch& watch) {
    const Instant limit = recorder_.Now() + LengthOf(scenario_) + 2 * options_.slack;
    while (!clients.done() && recorder_.Now() < limit && interrupted == 0) Turn(&clients, watch);
    clients.Abort();
  }

  // What the laws allow after the last client has gone, and some slack.
  void Rest(Daemon& daemon, ProcessWatch& watch) {
    const Duration allowed = scenario_.config.tmux + scenario_.config.kill_grace;
    const Instant limit = recorder_.Now() + std::max(allowed, options_.unit) + options_.slack;
    // What it does of itself, now and then, has processes and descriptors too: both are at rest at
    // some moment, not at any.
    const auto look = [&] {
      const auto live = watch.Live();
      const int zombies = watch.Zombies();
      const int descriptors = DescriptorsOf(daemon.pid());
      const bool quiet = live.empty() && zombies == 0;
      if (run_.quiet && !(quiet && descriptors < run_.descriptors_after)) return;
      run_.live = live;
      run_.zombies = zombies;
      run_.descriptors_after = descriptors;
      run_.quiet = quiet;
    };
    look();
    const auto at_rest = [&] {
      return run_.quiet && run_.descriptors_after <= run_.descriptors_before;
    };
    while (!at_rest() && daemon.Running() && recorder_.Now() < limit && interrupted == 0) {
      Turn(nullptr, watch);
      look();
    }
  }

  void Stop(Daemon& daemon, ProcessWatch& watch) {
    const bool was_running = daemon.Running();
    if (was_running) kill(daemon.pid(), SIGTERM);
    const Instant limit =
        recorder_.Now() + scenario_.config.drain + scenario_.config.kill_grace + options_.slack;
    while (daemon.Running() && recorder_.Now() < limit && interrupted == 0) Turn(nullptr, watch);
    if (interrupted != 0) return;
    run_.stopped_by_term = was_running && !daemon.Running();
    if (daemon.Running()) {
      kill(daemon.pid(), SIGKILL);
      while (daemon.Running()) Turn(nullptr, watch);
    }
    run_.daemon_exit = daemon.Exit();
    recorder_.Add(recorder_.Now(), TraceKind::kDaemonDied, 1, 0, run_.daemon_exit < 0 ? 1 : 0);
    Turn(nullptr, watch);
    run_.left_over = watch.Live();
    watch.KillAll();
    world_.Heal();
    if (is_fake_) watch.Turn();
    run_.left = world_.Left();
  }

  const Scenario& scenario_;
  const TwinOptions& options_;
  Recorder recorder_;
  UniqueFd lock_;  // outlives the directory
  TwinWorld world_;
  bool is_fake_;
  TwinRun run_;
  std::vector<pollfd> polled_;
};

}  // namespace

bool TwinRun::AllExpected() const {
  return std::all_of(steps.begin(), steps.end(),
                     [](const StepOutcome& step) { return step.expected; });
}

Result<TwinRun> RunTwin(const Scenario& scenario, World world, const TwinOptions& options) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidRequest, scenario.path + ": " + why, ""};
  };
  const auto& worlds = scenario.worlds;
  if (world == World::kSim) return refuse("the simulation is not a world of processes");
  if (std::find(worlds.begin(), worlds.end(), world) == worlds.end()) {
    return refuse("is not for the world " + std::string(Name(world)));
  }
  RemoveDeadRuns();
  const Interrupts interrupts;  // until all of the run is gone
  return Run(scenario, world, options).Go();
}

}  // namespace oj::sim
