#include "sim/sim_world.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "sim/mix_requests.h"
#include "sim/sites.h"
#include "sim/visitors.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDaemonPid = 100;
constexpr unsigned kUid = 1000;
constexpr Duration kRestart = milliseconds(100);
// As a starting ojd does: how long it waits for processes of a dead daemon, and how often it looks.
constexpr Duration kStrayLimit = milliseconds(1000);
constexpr Duration kStrayLook = milliseconds(2);
// The core asks a hung tool again after 30 s at the latest.
constexpr Duration kSettle = seconds(45);
constexpr Duration kSettleLook = milliseconds(200);
constexpr std::uint64_t kRestSteps = 20'000;
constexpr Duration kRestTime = seconds(60);

std::uint32_t FaultsOf(const Scenario& scenario, const SimOptions& options) {
  if (options.faults) return *options.faults;
  std::uint32_t faults = 0;
  for (const std::string& name : scenario.mix.faults) {
    if (name == "all") faults = kAllFaults;
    for (std::uint32_t i = 0; i < kSiteClasses; ++i) {
      if (name == Name(static_cast<SiteClass>(i))) faults |= 1u << i;
    }
  }
  return faults;
}

bool ToolsLie(const Scenario& scenario) {
  return std::any_of(scenario.tools.begin(), scenario.tools.end(), [](const ToolRule& rule) {
    return rule.out || rule.flood_bytes > 0 || rule.cut || rule.non_utf8;
  });
}

// What long scripts wait for, and how much they ask, comes on top of a run's budgets.
Duration TimeOf(const Scenario& scenario) {
  Duration longest{};
  for (const ClientScript& client : scenario.clients) {
    Duration end = client.start;
    for (const Step& step : client.steps) {
      const bool until = step.what == Step::Do::kUntil;
      const Duration takes = until ? Duration() : step.time + step.give_up.value_or(Duration());
      end = std::max(end + takes, until ? step.time : Duration());
    }
    longest = std::max(longest, end);
  }
  return longest;
}
std::uint64_t StepsOf(const Scenario& scenario) {
  constexpr std::uint64_t kMany = 200, kOfEach = 1000;
  std::uint64_t count = 0;
  for (const ClientScript& client : scenario.clients) count += client.steps.size();
  return count < kMany ? 0 : count * kOfEach;
}

}  // namespace

SimWorld::Life::Life(SimWorld& world, std::uint32_t incarnation)
    : number(incarnation),
      log(world.loop_, world.result_.trace),
      listener(world.network_),
      store(world.loop_, world.decisions_, world.durable_,
            {[&world] { world.disk_.Sync(); }, [&world] { world.crash_ = !world.calm_; },
             &world.disk_full_until_}),
      files(world.loop_, world.disk_, world.processes_),
      random(world.options_.seed * 1000 + incarnation),
      host(world.loop_, world.processes_, world.result_.violations),
      runner(host, world.loop_),
      server(Seams{world.loop_, runner, listener, store, files, random, log},
             world.scenario_.config,
             Identity{kDaemonPid + static_cast<int>(incarnation), kUid, "/state", "",
                      [&world] {
                        world.processes_.EndStrays();  // one may have forked since
                        return world.processes_.Stray();
                      }}),
      tasks(world.loop_, nullptr) {}

SimWorld::Life::~Life() = default;

SimWorld::SimWorld(const Scenario& scenario, Chooser& chooser, const SimOptions& options,
                   SimResult& result)
    : scenario_(scenario),
      options_(options),
      result_(result),
      decisions_(chooser, result.trace.digest(), FaultsOf(scenario, options)),
      loop_(decisions_, result.trace.digest(), options.max_steps + StepsOf(scenario),
            options.max_time + TimeOf(scenario)),
      users_(disk_, git_, tmux_, durable_),
      processes_(loop_, decisions_, result.trace, scenario, tmux_, git_),
      network_(loop_, decisions_),
      clients_world_{loop_,
                     decisions_,
                     network_,
                     result.trace,
                     users_,
                     tmux_,
                     ToolsLie(scenario),
                     result.violations,
                     result.outcomes,
                     result.mix_calls,
                     options.call_timeout},
      strikes_(options.strikes),
      tasks_(loop_, nullptr),
      blows_(loop_, nullptr) {
  disk_.TellTime([this] { return loop_.WallNow(); });
  for (const SessionSetup& each : scenario.sessions) tmux_.Create(each.id, each.screen);
  for (int i = 1; i <= scenario.mix.sessions; ++i) {
    const std::string id = MixSession(static_cast<std::uint32_t>(i));
    tmux_.Create(id, "$ " + id);
  }
  users_.SetUp(scenario, loop_.WallNow());
}

SimWorld::~SimWorld() {
  if (life_ != nullptr && !life_->ended.is_set()) Kill();
}

void SimWorld::Violate(const char* law, std::string what) {
  result_.violations.push_back({law, std::move(what)});
}

void SimWorld::StartLife() {
  life_.reset();
  processes_.BeginLife(++lives_);
  strikes_.Draw(decisions_, lives_, loop_.steps());
  if (strikes_.LosesUnsynced()) disk_.KeepUnsynced();
  returning_ = crash_ = false;
  result_.trace.Add(loop_.Now(), TraceKind::kDaemonStarted, lives_, 0, 0, {});
  life_ = std::make_unique<Life>(*this, lives_);
  life_->tasks.Start(Live(*life_));
}

Task<void> SimWorld::Live(Life& life) {
  auto strays = EndStrays();
  co_await std::move(strays);
  std::function<void()> ready = [this, &life] {
    life.serves = true;
    serving_.Set();
  };
  auto run = life.server.Run(std::move(ready));
  const Status status = co_await std::move(run);
  if (!status) Violate("L9", "the daemon did not start: " + status.error().message);
  serving_.Set();
  result_.trace.Add(loop_.Now(), TraceKind::kDaemonDied, life.number, 0, 0, {});
  life.ended.Set();
  if (returning_) RestartSoon();
}

Task<void> SimWorld::EndStrays() {
  const Deadline limit = Deadline::After(loop_.Now(), kStrayLimit);
  while (!processes_.EndStrays() && !limit.PassedAt(loop_.Now())) {
    auto pause = SleepFor(loop_, kStrayLook);
    co_await pause;
  }
}

void SimWorld::RestartSoon() { loop_.Arm(restart_, Deadline::After(loop_.Now(), kRestart)); }

// SIGKILL: no code of the daemon runs any more; its processes go on.
void SimWorld::Kill() {
  if (life_ == nullptr || life_->ended.is_set()) return;
  result_.trace.Add(loop_.Now(), TraceKind::kDaemonDied, life_->number, 0, 1, {});
  life_->log.Die();
  life_->store.Crash();
  processes_.EndLife();
  life_.reset();
}

void SimWorld::LosePower(bool unsynced) {
  if (unsynced) life_->store.LosePower();
  Kill();
  processes_.PowerOff();
  tmux_.PowerOff();
  if (!unsynced) return;
  const auto changes = static_cast<std::uint32_t>(disk_.unsynced());
  users_.ForgetSince(disk_.LoseUnsynced(decisions_.Pick(sites::kLostWrites, 0, changes + 1)));
}

void SimWorld::Run() {
  tasks_.Start(Direct());
  RunToRest();
  if (loop_.exhausted()) {
    Violate("L9", std::string("no end within the budget of steps and time; phase: ") + phase_);
  } else if (!directed_) {
    Violate("L9", std::string("at rest, but somebody waits for ever; phase: ") + phase_);
  }
  Finish();
}

void SimWorld::RunToRest() {
  while (true) {
    if (std::exchange(crash_, false)) DoStrike(Strike{Strike::Kind::kDaemonKill});
    while (strikes_.Due(loop_.steps())) DoStrike(*strikes_.Take(loop_.steps()));
    if (!loop_.Step()) return;
  }
}

Task<void> SimWorld::Direct() {
  StartLife();
  auto serving = serving_.WaitSet();
  co_await std::move(serving);
  phase_ = "clients";
  for (const Blow& each : scenario_.blows) blows_.Start(StrikeWhenDue(each));
  auto play = WithNursery([this](Nursery& clients) { return PlayClients(clients); });
  co_await std::move(play);

  result_.clients_gone = loop_.steps();
  calm_ = true;
  strikes_.Clear();
  blows_.scope().Cancel(CancelReason::kShutdown);
  decisions_.Calm();
  processes_.Calm();
  disk_full_until_ = Instant();
  phase_ = "restart";
  auto await = AwaitDaemon();
  co_await std::move(await);
  auto stopped = StopIfAsked();
  co_await std::move(stopped);
  if (!stopping_ && options_.retry) {
    phase_ = "retry";
    SimClient& client = clients_.emplace_back(clients_world_, clients_.size() + 1);
    result_.trace.NameClient(client.number(), "retry");
    auto retry = AskAllAgain(clients_world_, client, scenario_);
    co_await std::move(retry);
    auto stop_again = StopIfAsked();
    co_await std::move(stop_again);
  }
  if (!stopping_) {
    if (options_.liveness) {
      phase_ = "liveness";
      SimClient& client = clients_.emplace_back(clients_world_, clients_.size() + 1);
      result_.trace.NameClient(client.number(), "last look");
      auto check = CheckLiveness(clients_world_, client, scenario_);
      co_await std::move(check);
    }
    phase_ = "settle";
    auto settle = Settle();
    co_await std::move(settle);
  }
  if (!stopping_ && !processes_.TmuxHangs()) untrue_ = UntrueRecords(tmux_, durable_);
  phase_ = "stop";
  auto stop = StopDaemon();
  co_await std::move(stop);
  phase_ = "rest";
  directed_ = true;
  result_.armed_timers = loop_.armed_timers() - processes_.armed_timers() -
                         network_.armed_timers() -
                         (life_ != nullptr ? life_->store.armed_timers() : 0);
}

// At its time, unless the clients have gone before.
Task<void> SimWorld::StrikeWhenDue(Blow blow) {
  SleepUntil pause(loop_, Deadline(Instant(blow.at)));
  co_await pause;
  if (!calm_) strikes_.Come(StrikeOf(blow, loop_.steps()));
}

// A shutdown that a client has asked for, and that has begun, takes place, whatever became of the
// client (L9). Then there is a next daemon.
Task<void> SimWorld::StopIfAsked() {
  bool asked = false;
  for (const TraceEvent& event : result_.trace.events()) {
    if (event.kind == TraceKind::kDaemonStarted) asked = false;
    asked |= event.kind == TraceKind::kDaemon && event.daemon == EventKind::kRequestBegun &&
             result_.trace.Text(event) == "Shutdown";
  }
  if (!asked || stopping_ || life_ == nullptr) co_return;
  phase_ = "asked to stop";
  auto end = AwaitEnd();
  co_await std::move(end);
  stopping_ = !life_->ended.is_set();
  if (!stopping_) StartLife();
}

Task<void> SimWorld::PlayClients(Nursery& clients) {
  for (const ClientScript& script : scenario_.clients) {
    SimClient& client = clients_.emplace_back(clients_world_, clients_.size() + 1);
    clients.Start(PlayOne(client, &script));
  }
  for (int i = 0; i < scenario_.mix.clients; ++i) {
    SimClient& client = clients_.emplace_back(clients_world_, clients_.size() + 1);
    clients.Start(PlayOne(client, nullptr));
  }
  co_return;
}

Task<void> SimWorld::PlayOne(SimClient& client, const ClientScript* script) {
  if (script != nullptr) {
    auto play = PlayScript(clients_world_, client, *script);
    co_await std::move(play);
  } else {
    auto play = PlayMix(clients_world_, client, scenario_);
    co_await std::move(play);
  }
}

Task<void> SimWorld::AwaitDaemon() {
  const Deadline limit =
      Deadline::After(loop_.Now(), LongestEnd() + kRestart + kStrayLimit + kSlack);
  while (!stopping_ && (life_ == nullptr || !life_->serves || returning_)) {
    if (limit.PassedAt(loop_.Now())) {
      Violate("L9", "the daemon did not come back");
      break;
    }
    auto pause = SleepFor(loop_, kStrayLook);
    co_await pause;
  }
}

Duration SimWorld::LongestEnd() const {
  const Config& config = scenario_.config;
  return config.drain + 2 * (config.kill_grace + kReapLimit) + config.response_write + seconds(2) +
         loop_.stalled();
}

Task<void> SimWorld::StopDaemon() {
  clients_world_.daemon_comes_back = false;
  if (restart_.armed()) {
    restart_.Disarm();
    StartLife();
  }
  if (life_ == nullptr) co_return;
  if (!stopping_) life_->server.Stop();
  stopping_ = true;
  auto end = AwaitEnd();
  co_await std::move(end);
}

Task<void> SimWorld::AwaitEnd() {
  const Duration limit = LongestEnd();
  auto end = life_->ended.WaitSet();
  auto bounded = WithDeadline(loop_, Deadline::After(loop_.Now(), limit), std::move(end));
  const bool ended = co_await std::move(bounded);
  if (!ended) {
    Violate("L9", "the daemon did not end within " + std::to_string(Millis(limit)) + " ms");
  }
}

void SimWorld::DoStrike(const Strike& strike) {
  const bool lives = !stopping_ && life_ != nullptr && !life_->ended.is_set();
  switch (strike.kind) {
    case Strike::Kind::kDisconnect:
    case Strike::Kind::kHalfClose:
      for (SimClient& client : clients_) {
        if (strike.client != 0 && strike.client != client.number()) continue;
        client.Strike(strike.kind == Strike::Kind::kHalfClose);
      }
      return;
    case Strike::Kind::kOperator:
      if (life_ == nullptr || directed_) return;
      tasks_.Start(CancelLast());
      return;
    case Strike::Kind::kShutdown:
      if (!lives) return;
      stopping_ = true;
      returning_ = false;
      clients_world_.daemon_comes_back = false;
      life_->server.Stop();
      return;
    case Strike::Kind::kRestart:
      if (!lives || !life_->serves || returning_) return;
      returning_ = true;
      life_->server.Stop();
      if (strike.hurried) life_->server.Stop();
      return;
    case Strike::Kind::kDaemonKill:
      if (lives) Kill();
      if (lives) RestartSoon();
      return;
    case Strike::Kind::kPowerLoss:
      if (lives) LosePower(strike.unsynced);
      if (lives) RestartSoon();
      return;
    case Strike::Kind::kSuspend:
      return loop_.Sleep(strike.time);
    case Strike::Kind::kWallJump:
      return loop_.SetWallClock(strike.time);
  }
}

// As the operator does who looks at `oj requests` first: the last request that began.
Task<void> SimWorld::CancelLast() {
  std::uint64_t last = 0;
  for (const TraceEvent& event : result_.trace.events()) {
    if (event.kind != TraceKind::kDaemon || event.daemon != EventKind::kRequestBegun) continue;
    last = std::max(last, event.object);
  }
  if (last == 0) co_return;
  SimClient& client = clients_.emplace_back(clients_world_, clients_.size() + 1);
  result_.trace.NameClient(client.number(), "operator");
  const std::string request = R"({"type":"CancelRequest","id":"r)" + std::to_string(last) + "\"}";
  auto send = client.Send(request, "CancelRequest");
  const std::uint64_t call = co_await std::move(send);
  auto receive = client.Receive(call, scenario_.config.client_ipc);
  co_await std::move(receive);
  client.Hangup(false);
}

void SimWorld::CountLeases() {
  const std::vector<TraceEvent>& events = result_.trace.events();
  for (; counted_ < events.size(); ++counted_) {
    const TraceEvent& event = events[counted_];
    if (event.kind == TraceKind::kDaemonStarted) {
      result_.leases_held = result_.keys_quarantined = 0;
    }
    if (event.kind != TraceKind::kDaemon) continue;
    if (event.daemon == EventKind::kLeaseGranted) ++result_.leases_held;
    if (event.daemon == EventKind::kLeaseReleased) --result_.leases_held;
    if (event.daemon == EventKind::kKeyQuarantined) ++result_.keys_quarantined;
    if (event.daemon == EventKind::kKeyFreed) --result_.keys_quarantined;
  }
}

bool SimWorld::IsSettled() {
  CountLeases();
  const bool trash = std::any_of(durable_.intents.begin(), durable_.intents.end(),
                                 [](const IntentRecord& each) { return each.kind == "trash"; });
  const bool doubt =
      std::any_of(durable_.sessions.begin(), durable_.sessions.end(),
                  [](const SessionRecord& each) { return each.status == SessionStatus::kUnknown; });
  return result_.leases_held == 0 && result_.keys_quarantined == 0 && !trash && !doubt &&
         UntrueRecords(tmux_, durable_).empty();
}

Task<void> SimWorld::Settle() {
  const Deadline limit = Deadline::After(loop_.Now(), kSettle);
  while (true) {
    if (IsSettled() || limit.PassedAt(loop_.Now())) break;
    auto pause = SleepFor(loop_, kSettleLook);
    co_await pause;
  }
}

void SimWorld::Finish() {
  result_.ended = loop_.Now();
  result_.steps = loop_.steps();
  result_.stalled = loop_.stalled();
  result_.struck = strikes_.struck();
  result_.open_connections = network_.open_connections();
  // What the daemon may leave behind, its host kills; that takes a moment.
  life_.reset();
  loop_.Extend(kRestSteps, kRestTime);
  while (loop_.Step()) {
  }
  result_.processes = processes_.Left();
  processes_.ListMisanswers(result_.misanswered);
  for (const auto& [id, session] : tmux_.sessions()) {
    result_.sessions.push_back({id, session.screen});
  }
  result_.lost = users_.Lost();
  for (const LostWork& each : result_.lost) Violate("L7", each.what + " is lost");
  for (const std::string& each : users_.Untrue()) Violate("L5", each);
  for (const std::string& each : untrue_) Violate("L5", each);
  for (const std::string& each : users_.Homeless()) Violate("L7", each);
  for (const std::string& each : users_.Orphans()) Violate("L6", each);
  if (options_.portrait) {
    result_.portrait = users_.Portrait();
    result_.left = users_.Left();
  }
  result_.daemons = lives_;
}

SimResult RunSim(const Scenario& scenario, Chooser& chooser, const SimOptions& options) {
  SimResult result;
  RunSim(scenario, chooser, options, result);
  return result;
}

void RunSim(const Scenario& scenario, Chooser& chooser, const SimOptions& options,
            SimResult& result) {
  result.trace.Clear();
  result.outcomes.clear();
  result.mix_calls.clear();
  result.violations.clear();
  result.processes.clear();
  result.sessions.clear();
  result.misanswered.clear();
  result.lost.clear();
  result.portrait.clear();
  result.left.clear();
  result.armed_timers = result.leases_held = result.keys_quarantined = result.struck = 0;
  result.call_timeout = options.call_timeout;
  SimWorld world(scenario, chooser, options, result);
  world.Run();
}

}  // namespace oj::sim
