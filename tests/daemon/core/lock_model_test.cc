// Random acquire, cancel and release under a seeded scheduler, judged by a model that hears of
// every wait and grant.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <list>
#include <map>

#include "core/lock_table.h"
#include "core_test_support.h"

namespace oj {
namespace {

constexpr std::uint64_t kRound = 1000;  // a holder's number: actor + kRound * round

struct World {
  explicit World(std::uint64_t seed) : loop(seed), random(seed) {
    table.emplace(loop, events, background);
    events.heard = [this](const RecordingLog::Entry& entry) { Hear(entry); };
  }
  std::uint64_t Pick(std::uint64_t n) { return random() % n; }

  void Hear(const RecordingLog::Entry& entry) {
    auto& queue = waiting[entry.text];
    if (entry.kind == EventKind::kLeaseWaiting) queue.push_back(entry.request);
    if (entry.kind == EventKind::kLeaseGranted) Granted(entry, queue);
    if (entry.kind == EventKind::kLeaseReleased) {
      holders[entry.text].erase(entry.request);
    }
  }
  // FIFO: whoever is granted was the first of those that still wait.
  void Granted(const RecordingLog::Entry& entry, std::list<std::uint64_t>& queue) {
    while (!queue.empty() && queue.front() != entry.request && cancelled[queue.front()]) {
      queue.pop_front();
    }
    if (!queue.empty()) {
      overtaken += queue.front() != entry.request;
      queue.remove(entry.request);
    }
    auto& held = holders[entry.text];
    for (const auto& [request, exclusive] : held) overlaps += exclusive || entry.value == 1;
    held[entry.request] = entry.value == 1;
    ++granted;
  }

  TestLoop loop;
  std::mt19937_64 random;
  RecordingLog events;
  std::map<std::string, std::list<std::uint64_t>> waiting;
  std::map<std::string, std::map<std::uint64_t, bool>> holders;  // exclusive?
  std::map<std::uint64_t, bool> cancelled;
  std::map<std::uint64_t, CancelScope*> scopes;  // of each actor's round under way
  int granted = 0, overlaps = 0, overtaken = 0, struck = 0, ended = 0, quarantined = 0;
  bool quarantines = false;

  std::optional<LockTable> table;
  Nursery background{loop, nullptr};
  Nursery root{loop, nullptr};
};

std::vector<LockRequest> SomeKeys(World& world) {
  std::vector<LockRequest> keys;
  for (const char* key : {"c", "a", "b"}) {
    if (world.Pick(2) == 0) continue;
    keys.push_back({key, world.Pick(2) == 0 ? LockMode::kShared : LockMode::kExclusive});
  }
  return keys;
}

Task<void> SomeYields(std::uint64_t count) {
  for (; count > 0; --count) co_await Yield();
}

Task<void> HoldSome(World& world, std::uint64_t number) {
  auto keys = SomeKeys(world);
  auto acquire = world.table->Acquire(number, std::move(keys));
  auto lease = co_await std::move(acquire);
  if (!lease) co_return;
  auto hold = SomeYields(world.Pick(6));
  co_await std::move(hold);
  if (!world.quarantines || world.Pick(8) != 0) co_return;
  ++world.quarantined;
  Lease::Quarantine(std::move(*lease), "by chance", 1, SomeYields(1 + world.Pick(20)));
}

Task<void> Act(World& world, std::uint64_t actor, std::uint64_t rounds) {
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    CancelScope scope(nullptr);
    world.scopes[actor] = &scope;
    const std::uint64_t number = actor + kRound * round;
    world.cancelled[number] = false;
    try {
      auto hold = HoldSome(world, number);
      co_await std::move(hold).In(scope);
    } catch (const Cancelled&) {
      ++world.struck;
    }
    world.scopes.erase(actor);
    co_await Yield();
  }
  ++world.ended;
}

// Cancels whoever is under way, at any moment.
Task<void> CancelSome(World& world, std::uint64_t actors, std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds * actors; ++i) {
    auto pause = SomeYields(world.Pick(8));
    co_await std::move(pause);
    const std::uint64_t actor = 1 + world.Pick(actors);
    const auto at = world.scopes.find(actor);
    if (at == world.scopes.end() || world.Pick(3) == 0) continue;
    for (auto& [number, cancelled] : world.cancelled) {
      if (number % kRound == actor) cancelled = true;
    }
    at->second->Cancel(CancelReason::kDisconnected);
  }
}

void CheckWorld(std::uint64_t seed, bool quarantines) {
  World world(seed);
  world.quarantines = quarantines;
  const std::uint64_t actors = 2 + world.Pick(5);
  const std::uint64_t rounds = 10;
  for (std::uint64_t actor = 1; actor <= actors; ++actor) {
    world.root.Start(Act(world, actor, rounds));
  }
  world.root.Start(CancelSome(world, actors, rounds));
  int turns = 0;
  while (turns < 100'000 && world.loop.RunTurn()) ++turns;

  RC_ASSERT(world.overlaps == 0);
  if (!quarantines) RC_ASSERT(world.overtaken == 0);
  RC_ASSERT(world.ended == static_cast<int>(actors));  // nobody starves
  RC_ASSERT(world.root.empty());
  RC_ASSERT(world.background.empty());
  RC_ASSERT(world.table->held() == 0U);
  RC_CLASSIFY(world.struck > 0, "somebody was cancelled");
  RC_ASSERT(world.granted > 0);
}

RC_GTEST_PROP(LockTableProperty, NeverOverlapsNorOvertakesAndEveryoneEnds, ()) {
  CheckWorld(*rc::gen::arbitrary<std::uint64_t>(), false);
}

// A quarantine refuses waiters out of turn, so the order of grants is not judged.
RC_GTEST_PROP(LockTableProperty, HoldsWithQuarantinesToo, ()) {
  CheckWorld(*rc::gen::arbitrary<std::uint64_t>(), true);
}

}  // namespace
}  // namespace oj
