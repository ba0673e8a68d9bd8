#include "explore/shards.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace oj::sim {
namespace {

namespace json = boost::json;

std::string Write(const ExploreReport& report) {
  json::object laws;
  for (const auto& [law, broken] : report.laws) laws[law] = {broken.runs, broken.first};
  json::object object{{"runs", report.runs},
                      {"steps", report.steps},
                      {"decisions", report.decisions},
                      {"simulated", report.simulated.count()},
                      {"low", report.digest.low},
                      {"high", report.digest.high},
                      {"violations", report.violations},
                      {"laws", std::move(laws)},
                      {"mismatches", report.mismatches},
                      {"first_mismatch", report.first_mismatch},
                      {"strands", report.strands},
                      {"schedule", report.schedule},
                      {"coverage", report.coverage.Write()}};
  if (report.first_failure) object["first_failure"] = *report.first_failure;
  return json::serialize(object);
}

void Merge(const std::string& text, ExploreReport& into) {
  const json::value value = json::parse(text);
  const json::object& object = value.as_object();
  const auto number = [&](const char* name) { return object.at(name).to_number<std::uint64_t>(); };
  into.runs += number("runs");
  into.steps += number("steps");
  into.decisions += number("decisions");
  into.simulated += Duration(object.at("simulated").to_number<Duration::rep>());
  into.digest.low += number("low");
  into.digest.high += number("high");
  into.violations += number("violations");
  into.mismatches += number("mismatches");
  into.strands = std::max(into.strands, std::size_t{number("strands")});
  into.schedule = std::max(into.schedule, static_cast<std::uint32_t>(number("schedule")));
  for (const auto& [law, broken] : object.at("laws").as_object()) {
    const json::array& pair = broken.as_array();
    into.laws[std::string(law)].Add(
        {pair.at(0).to_number<std::uint64_t>(), pair.at(1).to_number<std::uint64_t>()});
  }
  if (into.first_mismatch.empty()) {
    into.first_mismatch = std::string(object.at("first_mismatch").as_string());
  }
  if (object.contains("first_failure")) {
    const std::uint64_t seed = number("first_failure");
    into.first_failure = std::min(into.first_failure.value_or(seed), seed);
  }
  into.coverage.Merge(Coverage::Parse(std::string(object.at("coverage").as_string())));
}

constexpr Duration kTellEvery = std::chrono::milliseconds(100);

void WriteAll(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    if (n < 0 && errno != EINTR) _exit(1);
    if (n > 0) at += static_cast<std::size_t>(n);
  }
}

// A child process. It writes lines: "runs violations" now and then, its report in the end.
struct Shard {
  pid_t pid = -1;
  int out = -1;
  std::string text{};  // since the last whole line
  Pace pace{};

  // False: it has ended.
  bool Read() {
    char bytes[4096];
    const ssize_t n = read(out, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) return true;
    if (n <= 0) return false;
    text.append(bytes, static_cast<std::size_t>(n));
    for (std::size_t end; text[0] != '{' && (end = text.find('\n')) != std::string::npos;) {
      std::istringstream(text.substr(0, end)) >> pace.done >> pace.found;
      text.erase(0, end + 1);
      if (text.empty()) break;
    }
    return true;
  }
};

TellPace TellTo(int fd) {
  return [fd, last = Duration::zero()](const Pace& pace) mutable {
    if (pace.real - last < kTellEvery) return;
    last = pace.real;
    WriteAll(fd, std::to_string(pace.done) + " " + std::to_string(pace.found) + "\n");
  };
}

Shard Begin(const Scenario& scenario, ExploreOptions options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe for a shard");
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    if (options.tell) options.tell = TellTo(ends[1]);
    WriteAll(ends[1], Write(Explore(scenario, options)));
    _exit(0);
  }
  close(ends[1]);
  if (pid < 0) throw std::runtime_error("cannot start a shard");
  return {pid, ends[0]};
}

// Until all have written their reports. `tell`: of all of them together.
void ReadAll(std::vector<Shard>& shards, const std::function<void()>& tell) {
  std::vector<pollfd> fds;
  for (const Shard& each : shards) fds.push_back({each.out, POLLIN, 0});
  for (std::size_t open = shards.size(); open > 0;) {
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      if (fds[i].revents == 0 || shards[i].Read()) continue;
      fds[i].fd = -1;
      --open;
    }
    tell();
  }
}

const std::string& End(const Shard& shard) {
  close(shard.out);
  int status = 0;
  while (waitpid(shard.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error("a shard failed, status " + std::to_string(status));
  return shard.text;
}

}  // namespace

ExploreReport ExploreInShards(const Scenario& scenario, const ExploreOptions& options,
                              unsigned jobs) {
  const auto now = [&] { return options.now ? options.now() : Duration::zero(); };
  const Duration begin = now();
  std::vector<Shard> shards;
  for (unsigned i = 0; i < jobs; ++i) {
    ExploreOptions part = options;
    part.seed = options.seed + i;
    part.stride = jobs;
    part.runs = (options.runs + jobs - 1 - i) / jobs;
    shards.push_back(Begin(scenario, part));
  }
  ReadAll(shards, [&] {
    if (!options.tell) return;
    Pace all{0, options.runs, 0, now() - begin};
    for (const Shard& each : shards) {
      all.done += each.pace.done;
      all.found += each.pace.found;
    }
    options.tell(all);
  });
  ExploreReport report;
  for (const Shard& shard : shards) Merge(End(shard), report);
  report.real = now() - begin;
  return report;
}

}  // namespace oj::sim
