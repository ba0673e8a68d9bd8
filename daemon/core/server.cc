#include "core/server.h"

#include <utility>

#include "core/agent_runs.h"
#include "core/client.h"
#include "core/handlers/handlers.h"
#include "core/reconcile.h"
#include "core/workspace_intents.h"

namespace oj {
namespace {

// After a failed accept: descriptors come back when somebody leaves.
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);
// For the replies of what was cancelled, after a drain; then connections are closed.
constexpr Duration kLastWords = std::chrono::milliseconds(250);
constexpr Duration kDrainLook = std::chrono::milliseconds(5);

std::string Hex(std::uint64_t number) {
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> shift & 15];
  return text;
}

}  // namespace

Task<Status> Server::Run(std::function<void()> ready) {
  auto load = state_.Load();
  Status loaded = co_await std::move(load);
  if (!loaded) co_return loaded;
  auto serve =
      WithNursery([&](Nursery& background) { return InBackground(background, std::move(ready)); },
                  WhenBodyEnds::kCancel);
  co_await std::move(serve);
  recorder_.on_alarm = nullptr;
  core_.reset();
  seams_.log.Record({EventKind::kStopped, 0, 0, 0, {}});
  co_return Ok{};
}

Task<void> Server::InBackground(Nursery& background, std::function<void()> ready) {
  auto serve =
      WithNursery([&](Nursery& units) { return WithUnits(background, units, std::move(ready)); },
                  WhenBodyEnds::kCancel);
  co_await std::move(serve);
}

Task<void> Server::WithUnits(Nursery& background, Nursery& units, std::function<void()> ready) {
  auto serve = WithNursery(
      [&](Nursery& flights) { return InFlight(background, units, flights, std::move(ready)); });
  co_await std::move(serve);
  auto drain = DrainUnits(units);
  co_await std::move(drain);
}

Task<void> Server::InFlight(Nursery& background, Nursery& units, Nursery& flights,
                            std::function<void()> ready) {
  core_.emplace(seams_, config_, identity_, lifecycle_, state_, recorder_,
                identity_.lease_prefix + Hex(seams_.random.Next()), background, units, flights);
  recorder_.on_alarm = [this](std::string_view reason) { DumpByItself(*core_, reason); };
  background.Start(seams_.runner.Tend());
  background.Start(core_->tmux.Tend());
  auto work = WithNursery([&](Nursery& own) { return BesidesOwnWork(own, std::move(ready)); },
                          WhenBodyEnds::kCancel);
  co_await std::move(work);
  // Nobody waits any more; what is still in flight was cancelled and ends within its bounds.
  core_->flights.LatchAll(CancelReason::kShutdown);
}

// What the daemon does for no request also begins units: it ends before they are waited for.
Task<void> Server::BesidesOwnWork(Nursery& own, std::function<void()> ready) {
  own.Start(TendTrash(*core_));
  own.Start(WatchSessions(*core_));
  own.Start(TendRuns(*core_));
  own.Start(Reconcile(*core_));
  auto listen =
      WithNursery([&](Nursery& connections) { return Listen(connections, std::move(ready)); },
                  WhenBodyEnds::kCancel);
  co_await std::move(listen);
}

Task<void> Server::Listen(Nursery& connections, std::function<void()> ready) {
  connections.Start(Accept(connections));
  seams_.log.Record({EventKind::kReadyToServe, 0, 0, 0, {}});
  if (ready) ready();
  auto stop = lifecycle_.draining.WaitSet();
  co_await std::move(stop);
  drain_ = lifecycle_.patience.LeftAt(seams_.clock.Now());
  seams_.log.Record({EventKind::kDraining, 0, 0, Millis(drain_), {}});
  seams_.listener.Close();
  auto drain = Drain(connections);
  co_await std::move(drain);
}

Task<void> Server::Accept(Nursery& connections) {
  while (true) {
    auto accept = seams_.listener.Accept();
    co_await accept.EndIn(lifecycle_.intake);
    if (accept.cancelled()) co_return;
    auto connection = accept.Take();
    if (connection) {
      connections.Start(Serve(std::move(*connection)));
      continue;
    }
    ++core_->counters["accept_failures"];
    auto pause = SleepFor(seams_.clock, kAcceptPause);
    co_await pause;
  }
}

Task<void> Server::Serve(std::unique_ptr<Connection> connection) {
  Client client(*core_, std::move(connection));
  std::string defect;
  try {
    auto serve = client.Serve();
    co_await std::move(serve);
  } catch (const std::exception& error) {
    defect = error.what();  // one client's misfortune is not its neighbours'
  }
  if (!defect.empty()) seams_.log.Record({EventKind::kDefect, 0, 0, 0, defect});
}

Task<void> Server::Drain(Nursery& connections) {
  while (!connections.empty() && !lifecycle_.hurried.is_set() &&
         !lifecycle_.patience.PassedAt(seams_.clock.Now())) {
    const Deadline look = Deadline::After(seams_.clock.Now(), kDrainLook);
    auto hurried = lifecycle_.hurried.WaitSet();
    auto bounded =
        WithDeadline(seams_.clock, look.Earlier(lifecycle_.patience), std::move(hurried));
    co_await std::move(bounded);
  }
  core_->flights.LatchAll(CancelReason::kShutdown);
  auto end = core_->flights.Empty();
  co_await std::move(end);
  const Deadline last = Deadline::After(seams_.clock.Now(), kLastWords);
  while (!connections.empty() && !last.PassedAt(seams_.clock.Now())) {
    auto pause = SleepFor(seams_.clock, kDrainLook);
    co_await pause;
  }
}

// A request that was cancelled leaves its units behind. They are short, and a daemon that waits for
// them leaves nothing half done to the next one.
Task<void> Server::DrainUnits(Nursery& units) {
  const Deadline last = Deadline::After(seams_.clock.Now(), drain_);
  while (!units.empty() && !lifecycle_.hurried.is_set() && !last.PassedAt(seams_.clock.Now())) {
    auto pause = SleepFor(seams_.clock, kDrainLook);
    co_await pause;
  }
}

}  // namespace oj
