#include "sim/strikes.h"

#include <algorithm>
#include <iterator>

#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// At its start, in the middle of its first requests, anywhere.
constexpr std::uint32_t kScales[] = {12, 100, 500};
constexpr std::uint32_t kJumpSteps = 500;

Strike Of(Strike::Kind kind, Duration time = {}) {
  Strike strike;
  strike.kind = kind;
  strike.time = time;
  return strike;
}

Strike ByNumber(std::uint32_t number) {
  Strike strike;
  switch (number) {
    case 0:
      return Of(Strike::Kind::kDaemonKill);
    case 1:
      return Of(Strike::Kind::kRestart);
    case 2:
      strike = Of(Strike::Kind::kRestart);
      strike.hurried = true;
      return strike;
    case 3:
      return Of(Strike::Kind::kPowerLoss);
    default:
      strike = Of(Strike::Kind::kPowerLoss);
      strike.unsynced = true;
      return strike;
  }
}
constexpr std::uint32_t kStrikes = 5;

const Strike kJumps[] = {
    Of(Strike::Kind::kSuspend, seconds(3)), Of(Strike::Kind::kSuspend, seconds(40)),
    Of(Strike::Kind::kWallJump, hours(13)), Of(Strike::Kind::kWallJump, -hours(13))};

}  // namespace

Strike StrikeOf(const Blow& blow, std::uint64_t step) {
  constexpr Strike::Kind kKinds[] = {Strike::Kind::kDaemonKill, Strike::Kind::kPowerLoss,
                                     Strike::Kind::kRestart,    Strike::Kind::kRestart,
                                     Strike::Kind::kSuspend,    Strike::Kind::kWallJump};
  Strike strike;
  strike.kind = kKinds[static_cast<std::size_t>(blow.kind)];
  strike.step = step;
  strike.hurried = blow.kind == Blow::Kind::kTwoTerms;
  strike.time = blow.time;
  return strike;
}

Strikes::Strikes(const std::vector<Strike>& given) {
  for (const Strike& each : given) Add(each, false);
}

void Strikes::Draw(Decisions& decisions, std::uint32_t life, std::uint64_t steps) {
  std::erase_if(planned_, [](const Planned& each) { return each.drawn; });
  if (const std::uint32_t choice = decisions.Pick(sites::kStrike, life, 1 + kStrikes)) {
    Strike strike = ByNumber(choice - 1);
    const std::uint32_t scale = decisions.Pick(sites::kStrikeScale, life, std::size(kScales));
    strike.step = steps + 1 + decisions.Pick(sites::kStrikeStep, life, kScales[scale]);
    Add(strike, true);
  }
  const auto jumps = static_cast<std::uint32_t>(1 + std::size(kJumps));
  if (const std::uint32_t choice = decisions.Pick(sites::kJump, life, jumps)) {
    Strike strike = kJumps[choice - 1];
    strike.step = steps + 1 + decisions.Pick(sites::kJumpStep, life, kJumpSteps);
    Add(strike, true);
  }
  FindNext();
}

bool Strikes::LosesUnsynced() const {
  return std::any_of(planned_.begin(), planned_.end(),
                     [](const Planned& each) { return each.strike.unsynced; });
}

std::optional<Strike> Strikes::Take(std::uint64_t steps) {
  for (auto at = planned_.begin(); at != planned_.end(); ++at) {
    if (at->strike.step > steps) continue;
    const Strike strike = at->strike;
    if (!at->drawn) ++struck_;
    planned_.erase(at);
    FindNext();
    return strike;
  }
  return std::nullopt;
}

void Strikes::Clear() {
  planned_.clear();
  FindNext();
}

void Strikes::Add(const Strike& strike, bool drawn) {
  planned_.push_back({strike, drawn});
  FindNext();
}

void Strikes::FindNext() {
  next_ = ~std::uint64_t{0};
  for (const Planned& each : planned_) next_ = std::min(next_, each.strike.step);
}

}  // namespace oj::sim
