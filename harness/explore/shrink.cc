#include "explore/shrink.h"

#include <algorithm>
#include <set>
#include <utility>

#include "explore/keyed_chooser.h"
#include "explore/replay_chooser.h"
#include "sim/sites.h"

namespace oj::sim {
namespace {

using Decisions = std::vector<KeyedDecision>;

bool IsOperation(const KeyedDecision& each) { return each.site == sites::kRequest.name; }

// Less is smaller: operations, then decisions, then how far they are from the default.
struct Size {
  std::size_t operations = 0;
  std::size_t decisions = 0;
  std::uint64_t choices = 0;
  friend auto operator<=>(const Size&, const Size&) = default;
};

Size SizeOf(const Decisions& decisions) {
  Size size;
  size.decisions = decisions.size();
  for (const KeyedDecision& each : decisions) {
    if (IsOperation(each)) ++size.operations;
    size.choices += each.choice;
  }
  return size;
}

class Shrinker {
 public:
  Shrinker(const Scenario& scenario, const ShrinkOptions& options)
      : scenario_(scenario), options_(options), judging_(scenario), begin_(Now()) {}

  Shrunk Run(Decisions decisions) {
    best_.before = decisions.size();
    size_ = {~std::size_t{0}, 0, 0};
    if (Breaks(decisions)) {
      while (Round()) {
      }
    }
    best_.complete = !Over();
    best_.decisions = kept_.size();
    best_.operations = SizeOf(kept_).operations;
    best_.took = Now() - begin_;
    return std::move(best_);
  }

 private:
  Duration Now() const { return options_.now ? options_.now() : Duration::zero(); }
  bool Over() const {
    return best_.runs >= options_.most_runs || Now() - begin_ >= options_.budget;
  }

  // A run with them; kept if it breaks the law and is smaller than what is kept.
  bool Breaks(const Decisions& decisions) {
    if (Over() && best_.runs > 0) return false;
    KeyedChooser chooser(decisions);
    SimOptions options;
    options.seed = options_.seed;
    ++best_.runs;
    if (options_.tell) options_.tell({best_.runs, 0, kept_.size(), Now() - begin_});
    RunSim(scenario_, chooser, options, run_);
    auto verdicts = judging_.Judge(run_, chooser);
    const bool broken = std::any_of(verdicts.begin(), verdicts.end(), [&](const Verdict& each) {
      return each.law == options_.law && !each.pass();
    });
    if (!broken) return false;
    // What was asked for and never came up is not part of the story.
    Decisions made = KeyedOf(chooser, false);
    const Size size = SizeOf(made);
    if (!(size < size_)) return false;
    size_ = size;
    kept_ = std::move(made);
    best_.judged = {run_, std::move(verdicts), TapeOf(chooser)};
    return true;
  }

  template <class Drop>
  bool Without(Drop drop) {
    Decisions rest;
    for (const KeyedDecision& each : kept_) {
      if (!drop(each)) rest.push_back(each);
    }
    return rest.size() < kept_.size() && Breaks(rest);
  }

  bool Round() {
    bool smaller = false;
    for (std::size_t kind = 0; kind < kSiteClasses; ++kind) {
      const auto of_kind = [&](const KeyedDecision& each) {
        return each.kind == static_cast<SiteClass>(kind) && !IsOperation(each);
      };
      smaller |= Without(of_kind);
    }
    smaller |= DropGroups();
    smaller |= DropParts();
    smaller |= Lower();
    return smaller && !Over();
  }

  // All operations of a client, all of a call, all decisions of a site, all about an entity.
  bool DropGroups() {
    bool smaller = false;
    std::set<std::uint32_t> clients;
    std::set<std::uint32_t> calls;
    std::set<std::string> sites;
    for (const KeyedDecision& each : kept_) {
      sites.insert(each.site);
      if (each.kind != SiteClass::kWorkload) continue;
      clients.insert(sites::ClientOf(each.entity));
      calls.insert(each.entity);
    }
    const auto workload = [](const KeyedDecision& each) {
      return each.kind == SiteClass::kWorkload;
    };
    for (const std::uint32_t client : clients) {
      smaller |= Without([&](const KeyedDecision& each) {
        return workload(each) && sites::ClientOf(each.entity) == client;
      });
    }
    for (const std::uint32_t call : calls) {
      smaller |=
          Without([&](const KeyedDecision& each) { return workload(each) && each.entity == call; });
    }
    for (const std::string& site : sites) {
      smaller |= Without([&](const KeyedDecision& each) { return each.site == site; });
    }
    return smaller;
  }

  // Halves, quarters, and so on, down to one by one; from the end, where less depends on them.
  bool DropParts() {
    bool smaller = false;
    for (std::size_t part = kept_.size() / 2; part >= 1; part /= 2) {
      for (std::size_t end = kept_.size(); end > 0 && !Over();) {
        const std::size_t from = end > part ? end - part : 0;
        Decisions rest(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(from));
        rest.insert(rest.end(), kept_.begin() + static_cast<std::ptrdiff_t>(end), kept_.end());
        smaller |= Breaks(rest);
        end = std::min(from, kept_.size());
      }
    }
    return smaller;
  }

  // Each choice nearer to the default. Which request is made is a name, not an amount.
  bool Lower() {
    bool smaller = false;
    for (std::size_t i = 0; i < kept_.size() && !Over(); ++i) {
      if (IsOperation(kept_[i])) continue;
      for (const std::uint32_t to : {1u, kept_[i].choice / 2, kept_[i].choice - 1}) {
        if (i >= kept_.size() || to == 0 || to >= kept_[i].choice) continue;
        Decisions lower = kept_;
        lower[i].choice = to;
        smaller |= Breaks(lower);
      }
    }
    return smaller;
  }

  const Scenario& scenario_;
  const ShrinkOptions& options_;
  const Judging judging_;
  const Duration begin_;
  SimResult run_;
  Decisions kept_;
  Size size_;
  Shrunk best_;
};

}  // namespace

Result<Shrunk> Shrink(const Scenario& scenario, const Tape& tape, const ShrinkOptions& options) {
  ReplayChooser replayed(tape);
  SimOptions once;
  once.seed = options.seed;
  RunSim(scenario, replayed, once);
  if (const std::string misfit = replayed.Misfit(); !misfit.empty()) {
    return Error{ErrorCode::kConflict, "the recorded run does not fit this code: " + misfit, ""};
  }
  Shrunk shrunk = Shrinker(scenario, options).Run(KeyedOf(replayed, false));
  if (shrunk.judged.verdicts.empty()) {
    return Error{ErrorCode::kConflict, "the recorded run does not break " + options.law, ""};
  }
  return shrunk;
}

}  // namespace oj::sim
