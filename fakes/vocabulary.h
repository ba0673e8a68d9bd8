// What the fakes and the simulated processes have in common: the keys of a rule, what is drawn of
// them, and how output is spoiled. Header only and stand-alone: the fakes link nothing of ours.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace oj::fakes {

// behaviour.h and rules.h say what they mean.
inline constexpr std::string_view kRuleKeys[] = {
    "tool",        "match", "nth",       "probability",       "seed",          "release",
    "delay_ms",    "hang",  "at_ms",     "ignore_term",       "delay_to_ms",   "late_ms",
    "at_path",     "exit",  "signal",    "exit_zero_on_term", "delay_mean_ms", "after",
    "bytes_per_s", "cut",   "non_utf8",  "flood_bytes",       "grandchild",    "setsid",
    "forks",       "out",   "lock_file", "passing",           "err",           "wrap",
};

inline constexpr int kMostForks = 16;
inline constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);  // of all times

// Whether a process that does not catch it ends of it: others stop it, or are not noticed.
inline bool IsDeadly(long long number) {
  constexpr int kOthers[] = {SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP,
                             SIGTTIN, SIGTTOU, SIGURG,  SIGWINCH};
  return number > 0 && number < NSIG && std::ranges::find(kOthers, number) == std::end(kOthers);
}
inline constexpr std::string_view kNotDeadly = "must be the number of a signal that ends a process";

// Random numbers that depend on nothing but where they come from (splitmix64): a rule's seed, its
// place in the file, and the number of the call that `match` fits.
class Draws {
 public:
  Draws(long long seed, std::size_t rule, long long call)
      : state_(Mixed(static_cast<std::uint64_t>(seed)) ^
               Mixed((static_cast<std::uint64_t>(rule) << 40) + 1) ^
               Mixed(static_cast<std::uint64_t>(call) << 8)) {}

  // In [0, 1).
  double Next() { return static_cast<double>(Mixed(state_ += kStep) >> 11) * 0x1.0p-53; }

  // `from`, and more where `to` or `mean` say so: uniform up to `to`, exponential with that mean
  // and at most ten times it.
  std::chrono::milliseconds Delay(std::chrono::milliseconds from, std::chrono::milliseconds to,
                                  std::chrono::milliseconds mean) {
    const auto millis = [](double value) { return std::chrono::milliseconds(std::llround(value)); };
    std::chrono::milliseconds delay = from;
    if (to > from) delay += millis(static_cast<double>((to - from).count()) * Next());
    if (mean.count() > 0) {
      const double times = std::min(10.0, -std::log(1 - Next()));
      delay += millis(times * static_cast<double>(mean.count()));
    }
    return delay;
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
  static std::uint64_t Mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

// `non_utf8`: begins with bytes that are none. `cut`: only its first half, without a newline at its
// end.
inline std::string Spoiled(std::string text, bool non_utf8, bool cut) {
  if (non_utf8) text.insert(0, "\xff\xc3\x28\x80");
  if (cut) {
    text.resize(text.size() / 2);
    while (!text.empty() && text.back() == '\n') text.pop_back();
  }
  return text;
}

}  // namespace oj::fakes
