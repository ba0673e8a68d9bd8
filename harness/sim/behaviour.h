// Behaviour: what one simulated process is going to do: by the scenario's rules, else drawn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/vocabulary.h"
#include "scenario/scenario.h"
#include "sim/decisions.h"

namespace oj::sim {

// From the spawn gate to the beginning of a program, at most.
inline constexpr Duration kLongestSpawn = std::chrono::milliseconds(60);

struct Behaviour {
  // What decisions about the process are about: a hash of its arguments, since pids shift when
  // other processes fall away.
  std::uint32_t entity = 0;
  Duration queue{};     // before the spawn gate: a cancel still stops it
  int spawn_error = 0;  // an errno: it never runs
  Duration spawn = std::chrono::microseconds(300);  // from the gate to the beginning of its program
  Duration delay = std::chrono::microseconds(1000);  // from the gate to its work
  bool hang = false;                                 // before its work
  bool hang_after = false;                           // after its work
  bool ignore_term = false;
  bool exit_zero_on_term = false;
  // The trouble is a rule's lock_file, delay, hang, flood, and these two:
  enum class Moment : std::uint8_t { kBefore, kAmid, kAfter };  // its work
  Moment moment = Moment::kBefore;
  Duration pause{};                // of the trouble, where it does not come before the work
  std::optional<int> exit;         // instead of its work, or of the rest of it
  std::optional<int> signal;       // likewise
  bool crash_after = false;        // by SIGSEGV after its work
  bool cut_output = false;         // half of it is lost in the crash
  const ToolRule* rule = nullptr;  // what it says of output and files is not copied
  bool grandchild = false;         // leaves a process that holds its output
  bool setsid = false;             // that process leaves the group
  bool floods = false;             // without end, after its work
  int forks = 0;                   // new members, one at each signal
  Duration uninterruptible{};      // SIGKILL waits so long
  Duration late_output{};          // from its end to the end of file

  // It may end by itself, and answer otherwise than its tool would.
  bool Misanswers() const {
    return exit || signal || crash_after || exit_zero_on_term ||
           (rule != nullptr &&
            (rule->out || rule->err || rule->cut || rule->non_utf8 || rule->flood_bytes > 0));
  }
};

// Counts calls for the rules' `nth` and for what they draw.
class Behaviours {
 public:
  Behaviours(const Scenario& scenario, Decisions& decisions)
      : scenario_(scenario),
        decisions_(decisions),
        calls_(scenario.tools.size()),
        salts_(scenario.tools.size()) {
    for (const ToolRule& rule : scenario.tools) queue_ = queue_ || rule.queue > Duration();
  }

  bool queue() const { return queue_; }  // whether any call does

  // How long a call stands before the spawn gate, by the first rule that fits but for `nth`.
  Duration Queue(std::string_view tool, std::string_view arguments) const;
  // `arguments` are argv[1..] joined by blanks; `in_tree`: what leaves the group is still known.
  Behaviour Next(std::string_view tool, std::string_view arguments, bool in_tree);

 private:
  // Its delay, if it fits, in *delay.
  const ToolRule* Match(std::string_view tool, std::string_view arguments, Duration* delay);
  fakes::Draws DrawsFor(std::size_t rule, int call);
  void Draw(Behaviour& to, bool in_tree);

  const Scenario& scenario_;
  Decisions& decisions_;
  std::vector<int> calls_;                           // that matched, of each rule
  std::vector<std::optional<std::uint32_t>> salts_;  // of each rule's seed, in this run
  bool queue_ = false;
};

}  // namespace oj::sim
