#include "explore/shards.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
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

struct Shard {
  pid_t pid = -1;
  int out = -1;
};

Shard Begin(const Scenario& scenario, const ExploreOptions& options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe for a shard");
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    const std::string text = Write(Explore(scenario, options));
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = write(ends[1], text.data() + at, text.size() - at);
      if (n < 0 && errno != EINTR) _exit(1);
      if (n > 0) at += static_cast<std::size_t>(n);
    }
    _exit(0);
  }
  close(ends[1]);
  if (pid < 0) throw std::runtime_error("cannot start a shard");
  return {pid, ends[0]};
}

std::string End(const Shard& shard) {
  std::string text;
  char bytes[4096];
  while (true) {
    const ssize_t n = read(shard.out, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(bytes, static_cast<std::size_t>(n));
  }
  close(shard.out);
  int status = 0;
  while (waitpid(shard.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error("a shard failed, status " + std::to_string(status));
  return text;
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
    part.tell = nullptr;
    shards.push_back(Begin(scenario, part));
  }
  ExploreReport report;
  for (const Shard& shard : shards) Merge(End(shard), report);
  report.real = now() - begin;
  return report;
}

}  // namespace oj::sim
