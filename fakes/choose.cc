#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "journal.h"
#include "rules.h"

namespace oj::fakes {
namespace {

using std::chrono::milliseconds;

// Counts one call and returns its number, from 1; -1: no state directory to count in.
long long CountCall(const std::string& tool, const std::string& match) {
  const std::string state = StateDirectory();
  if (state.empty()) return -1;
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : match) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  const std::string path = state + "/count." + tool + "." + std::to_string(hash);
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  flock(fd, LOCK_EX);
  WriteAll(fd, ".");
  struct stat info{};
  fstat(fd, &info);
  close(fd);
  return info.st_size;
}

// Random numbers that depend on nothing but where they come from (splitmix64).
class Draws {
 public:
  Draws(long long seed, std::size_t rule, long long call)
      : state_(Mixed(static_cast<std::uint64_t>(seed)) ^ Mixed((rule << 40) + 1) ^
               Mixed(static_cast<std::uint64_t>(call) << 8)) {}

  // In [0, 1).
  double Next() { return static_cast<double>(Mixed(state_ += kStep) >> 11) * 0x1.0p-53; }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
  static std::uint64_t Mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

void DrawDelay(Draws draws, Behaviour* to) {
  const auto millis = [](double value) { return milliseconds(std::llround(value)); };
  if (to->delay_to > to->delay) {
    const auto width = static_cast<double>((to->delay_to - to->delay).count());
    to->delay += millis(width * draws.Next());
  }
  if (to->delay_mean.count() > 0) {
    const double times = std::min(10.0, -std::log(1 - draws.Next()));
    to->delay += millis(times * static_cast<double>(to->delay_mean.count()));
  }
}

}  // namespace

bool Choose(const std::string& tool, const Args& args, Behaviour* behaviour, std::string* error) {
  std::vector<Rule> rules;
  if (!LoadRules(Env("OJ_FAKE_RULES"), &rules, error)) return false;
  std::string joined;
  for (const std::string& arg : args) joined += (joined.empty() ? "" : " ") + arg;
  std::map<std::string, long long> counts;  // one count per match and call
  bool found = false;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (rule.tool != tool || joined.find(rule.match) == std::string::npos) continue;
    long long call = 0;
    if (rule.nth > 0 || rule.Draws()) {
      const auto [at, is_new] = counts.try_emplace(rule.match, 0);
      if (is_new) at->second = CountCall(tool, rule.match);
      call = at->second;
      if (call < 0) *error = "OJ_FAKE_STATE must name a directory to count calls in";
    }
    Draws draws(rule.seed, i, call);
    const bool drawn = rule.probability >= 1 || draws.Next() < rule.probability;
    if (found || !drawn || (rule.nth > 0 && call != rule.nth)) continue;
    found = true;
    *behaviour = rule.behaviour;
    DrawDelay(draws, behaviour);
  }
  return error->empty();
}

}  // namespace oj::fakes
