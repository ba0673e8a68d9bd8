#include "sim/behaviour.h"

#include <iterator>

#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

// What may be wrong with a process; 0 is nothing.
enum Wrong : std::uint32_t {
  kFine,
  kSpawnFails,
  kSlowStart,
  kSlow,
  kHangs,
  kIgnoresTerm,
  kExitsZeroOnTerm,
  kHangsAfter,
  kHoldsOutput,
  kEscapes,
  kForksWhenKilled,
  kCrashes,
  kCrashesAfter,
  kFails,
  kFloods,
  kLateOutput,
  kUninterruptible,
  kWrongs,
};

constexpr int kErrnos[] = {11, 24, 2, 12, 13};  // EAGAIN EMFILE ENOENT ENOMEM EACCES
constexpr int kSegv = 11;
constexpr std::uint32_t kSalts = 1 << 16;
constexpr Duration kShorts[] = {milliseconds(3), milliseconds(15), kLongestSpawn};
constexpr Duration kLongs[] = {milliseconds(50), milliseconds(400), milliseconds(1900),
                               milliseconds(5000)};

Behaviour ByRule(const ToolRule& rule, Duration delay) {
  using Moment = Behaviour::Moment;
  Behaviour to;
  to.rule = &rule;
  to.moment = rule.InTheMiddle() ? Moment::kAmid : rule.after ? Moment::kAfter : Moment::kBefore;
  (to.moment == Moment::kBefore ? to.delay : to.pause) += delay;
  to.hang = rule.hang;
  to.ignore_term = rule.ignore_term;
  to.exit_zero_on_term = rule.exit_zero_on_term;
  to.exit = rule.exit;
  to.signal = rule.signal;
  to.grandchild = rule.grandchild;
  to.setsid = rule.setsid;
  return to;
}

}  // namespace

Duration Behaviours::Queue(std::string_view tool, std::string_view arguments) const {
  for (const ToolRule& rule : scenario_.tools) {
    if (rule.tool == tool && arguments.find(rule.match) != std::string_view::npos) {
      return rule.queue;
    }
  }
  return {};
}

Behaviour Behaviours::Next(std::string_view tool, std::string_view arguments, bool in_tree) {
  Duration delay{};
  const ToolRule* rule = Match(tool, arguments, &delay);
  Behaviour next = rule != nullptr ? ByRule(*rule, delay) : Behaviour{};
  Digest line;
  line.Add(arguments);
  next.entity = static_cast<std::uint32_t>(line.word() & 0xffffff);
  if (rule == nullptr) Draw(next, in_tree);
  return next;
}

// The first rule that fits; all that match count the call.
const ToolRule* Behaviours::Match(std::string_view tool, std::string_view arguments,
                                  Duration* delay) {
  const ToolRule* found = nullptr;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const ToolRule& rule = scenario_.tools[i];
    if (rule.tool != tool || arguments.find(rule.match) == std::string_view::npos) continue;
    const int call = ++calls_[i];
    if (found != nullptr || (rule.nth > 0 && rule.nth != call)) continue;
    *delay = rule.delay;
    if (rule.Draws()) {
      fakes::Draws draws = DrawsFor(i, call);
      if (rule.probability < 1 && draws.Next() >= rule.probability) continue;
      const auto millis = [](Duration time) {
        return std::chrono::duration_cast<milliseconds>(time);
      };
      *delay = draws.Delay(millis(rule.delay), millis(rule.delay_to), millis(rule.delay_mean));
    }
    found = &rule;
  }
  return found;
}

// In the run without any choices they are those of the fakes.
fakes::Draws Behaviours::DrawsFor(std::size_t rule, int call) {
  if (!salts_[rule]) salts_[rule] = decisions_.Pick(sites::kDraws, rule, kSalts);
  return {scenario_.tools[rule].seed + std::int64_t{*salts_[rule]} * kSalts, rule, call};
}

void Behaviours::Draw(Behaviour& to, bool in_tree) {
  const std::uint32_t wrong = decisions_.Pick(sites::kBehaviour, to.entity, kWrongs);
  if (wrong == kFine) return;
  const auto pick = [&](auto& choices) {
    const auto n = static_cast<std::uint32_t>(std::size(choices));
    return choices[decisions_.Pick(sites::kParameter, to.entity, n)];
  };
  switch (wrong) {
    case kSpawnFails:
      to.spawn_error = pick(kErrnos);
      break;
    case kSlowStart:
      to.queue = pick(kShorts);
      to.spawn = pick(kShorts);
      to.delay += to.spawn;
      break;
    case kSlow:
      to.delay += pick(kLongs);
      break;
    case kExitsZeroOnTerm:
      to.exit_zero_on_term = to.hang = true;
      break;
    case kIgnoresTerm:
      to.ignore_term = to.hang = true;
      break;
    case kHangs:
      to.hang = true;
      break;
    case kHangsAfter:
      to.hang_after = true;
      break;
    case kHoldsOutput:
      to.grandchild = true;
      break;
    case kEscapes:
      to.grandchild = true;
      to.setsid = in_tree;  // nobody could know it otherwise
      break;
    case kForksWhenKilled:
      to.hang = true;
      to.forks = 3;
      break;
    case kCrashes:
      to.signal = kSegv;
      break;
    case kCrashesAfter:
      to.crash_after = to.cut_output = true;
      break;
    case kFails:
      to.exit = 1;
      break;
    case kFloods:
      to.floods = true;
      break;
    case kLateOutput:
      to.late_output = pick(kShorts);
      break;
    default:
      to.hang = true;
      to.uninterruptible = pick(kLongs);
  }
}

}  // namespace oj::sim
