// Orders to a lab, as they are typed: `oj-harness fault WORDS…`.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "oj/error.h"
#include "scenario/scenario.h"

namespace oj::sim {

// One way in which one tool, or the daemon, misbehaves as long as it is on.
struct Fault {
  std::string name;    // KIND-TARGET, and what it matches: the same order again takes its place
  std::string target;  // "tmux", "git", "daemon"
  ToolRule rule;       // of a tool; a daemon only hangs
  std::optional<std::chrono::milliseconds> lasts;  // else until it is turned off
};

struct Order {
  enum class What { kHelp, kOn, kOff, kList, kKill };
  What what = What::kHelp;
  std::string lab;                 // --lab DIR; empty: not said
  Fault fault;                     // kOn; kKill has its target only
  std::vector<std::string> names;  // kOff: names of faults, targets, "all"
};

// Of the words of an order, each with its end.
inline constexpr std::size_t kLongestOrder = 65536;

// Error (kInvalidRequest): one line that says what is wrong with the words.
Result<Order> ParseOrder(const std::vector<std::string>& words);

// A rule of a scenario file as a fault.
Fault FaultOf(const ToolRule& rule);
// What happens to whom: "tmux calls hang".
std::string Effect(const Fault& fault);
// Whether `off WORD` means it: its name or the beginning of it, its target, "all".
bool IsMeant(const Fault& fault, const std::string& word);

// 300ms, 3s, 2m; a day at most.
std::optional<std::chrono::milliseconds> ParseTime(const std::string& text);
std::string TimeText(std::chrono::milliseconds time);

extern const char* const kOrderHelp;

}  // namespace oj::sim
