#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <map>

#include "journal.h"
#include "rules.h"
#include "vocabulary.h"

namespace oj::fakes {
namespace {

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
    Behaviour& b = *behaviour;
    b.delay = draws.Delay(b.delay, b.delay_to, b.delay_mean);
  }
  return error->empty();
}

}  // namespace oj::fakes
