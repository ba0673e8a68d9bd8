// How a tool behaves: one vocabulary for simulated processes and for the fakes, whose rules file
// has the same keys (fakes/behaviour.h). tests/harness/behaviour_conformance_test.cc holds the two
// against each other, key by key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oj/deadline.h"

namespace oj::sim {

// What is not said: it answers at once, as the real tool would. The trouble (lock_file, delay,
// hang, flood, signal, exit, in that order) comes before its work, but for `after`, `at` and
// `at_path`.
struct ToolRule {
  // What a tmux server is doing whose last session has gone: passing = "serves", "exits".
  enum class Passing : std::uint8_t {
    kNo,      // nothing: it has exited
    kServes,  // it serves this client first
    kExits,   // it exits with this client's connection not taken
  };
  std::string tool;            // "tmux" or "git"
  std::string match;           // a substring of the arguments joined by blanks; empty: all
  int nth = 0;                 // only the n-th matching call, from 1; 0: every
  double probability = 1;      // of the calls that are left
  std::int64_t seed = 0;       // of what is drawn; in simulation each run adds its own
  Duration delay{};            // delay_ms: before it answers
  Duration delay_to{};         // delay_to_ms: uniform from delay_ms to this
  Duration delay_mean{};       // delay_mean_ms: exponential, at most ten times that
  bool hang = false;           // it never answers
  bool after = false;          // the trouble comes when its work and its output are done
  std::optional<Duration> at;  // at_ms: the trouble comes when git has worked so long
  std::string at_path;         // or when this path has appeared
  std::string lock_file;       // makes this file and leaves it behind
  bool ignore_term = false;
  bool exit_zero_on_term = false;  // as a tmux client does
  std::optional<int> exit;         // with this code, without doing its work
  std::optional<int> signal;       // it dies of this signal, without doing its work
  std::optional<std::string> out;  // in place of its own output
  std::optional<std::string> err;
  bool cut = false;              // of each output only the first half
  bool non_utf8 = false;         // each output begins with bytes that are no UTF-8
  std::int64_t bytes_per_s = 0;  // it writes its output so slowly; 0: at once
  bool grandchild = false;       // leaves a process behind that holds its output
  bool setsid = false;           // that process leaves the session and the group
  int forks = 0;                 // leaves so many such processes, all in its group
  // late_ms: killed before its work, it does it all the same, so long after its start at the
  // earliest: a tmux server when it next serves somebody, of git a process that left the session.
  std::optional<Duration> late;
  std::int64_t flood_bytes = 0;    // it writes so many bytes first
  Passing passing = Passing::kNo;  // met by the call if there is no session any more
  Duration queue{};                // in simulation, and in no file: until it is spawned
  // For worlds = ["fakes"] only, with their values as TOML: `release`, since nobody makes files in
  // the simulated world but tools and users, and `wrap`, since it has no real tool.
  std::vector<std::pair<std::string, std::string>> of_fakes;

  bool operator==(const ToolRule&) const = default;
  bool ShapesOutput() const { return out || err || cut || non_utf8 || bytes_per_s > 0; }
  bool InTheMiddle() const { return at.has_value() || !at_path.empty(); }
  bool Draws() const { return probability < 1 || delay_to > Duration() || delay_mean > Duration(); }
};

}  // namespace oj::sim
