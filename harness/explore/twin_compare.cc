#include "explore/twin_compare.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <iterator>

#include "explore/draw.h"
#include "explore/judging.h"
#include "explore/random_chooser.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

// What a machine that is not at rest takes from a fork to the end of a program, and to wake.
constexpr Duration kTmuxTakes[] = {milliseconds(2), milliseconds(5), milliseconds(15),
                                   milliseconds(40)};
constexpr Duration kGitTakes[] = {milliseconds(4), milliseconds(10), milliseconds(20),
                                  milliseconds(50)};
// To write more than the daemon takes of it.
constexpr Duration kFloodTakes[] = {milliseconds(10), milliseconds(40), milliseconds(120)};
constexpr Duration kWakes[] = {milliseconds(0), milliseconds(0), milliseconds(3), milliseconds(12)};

// So many runs have only the order open, the first not even that.
constexpr std::uint64_t kOnTime = 4;

std::string TypeOf(const Step& step) {
  if (step.text.empty() || step.what == Step::Do::kRaw) return "";
  const boost::json::value json = boost::json::parse(step.text);
  return ", " + std::string(json.at("type").as_string());
}

std::string Joined(const std::set<std::string>& texts) {
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : ", ") + each;
  return text.empty() ? "never" : text;
}

template <class Outcome>
Outcomes::Place PlaceOf(const Outcome& each) {
  return {each.client, "step " + std::to_string(each.step + 1)};
}

// What the script of that step asks for, for a person.
std::string Named(const Outcomes::Place& place, const Scenario& scenario) {
  const auto number = static_cast<std::size_t>(std::stoul(place.second.substr(5)) - 1);
  std::string name = place.first + ", " + place.second;
  for (const ClientScript& client : scenario.clients) {
    if (client.name != place.first || number >= client.steps.size()) continue;
    const Step& step = client.steps[number];
    name += TypeOf(step);
    if (step.line > 0) name += " (line " + std::to_string(step.line) + ")";
  }
  return name;
}

}  // namespace

Outcomes::Outcomes(const SimResult& run) {
  for (const ClientOutcome& each : run.outcomes) steps_[PlaceOf(each)] = each.outcome;
  Leave(run.left);
}

Outcomes::Outcomes(const TwinRun& run) {
  for (const StepOutcome& each : run.steps) steps_[PlaceOf(each)] = each.outcome;
  Leave(run.left);
}

void Outcomes::Leave(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) left_.insert(WithoutDigits(line));
}

std::string WithoutDigits(const std::string& line) {
  constexpr std::size_t kDigits = 8;
  if (line.size() <= kDigits || line[line.size() - kDigits - 1] != '-') return line;
  const std::string_view digits = std::string_view(line).substr(line.size() - kDigits);
  const bool made_up = std::all_of(digits.begin(), digits.end(),
                                   [](unsigned char c) { return std::isxdigit(c) != 0; });
  return made_up ? line.substr(0, line.size() - kDigits) + "*" : line;
}

void Admitted::Add(const Outcomes& run) {
  ++runs_;
  for (const auto& [place, outcome] : run.steps()) steps_[place].insert(outcome);
  for (const std::string& line : run.left()) ++left_[line];
}

std::vector<std::string> Admitted::Differences(const Outcomes& twin, const Scenario& scenario,
                                               World world) const {
  std::vector<std::string> differences;
  const auto differs = [&](const std::string& what, const std::string& here,
                           const std::string& there) {
    differences.push_back(what + ": simulation: " + here + "; " + std::string(Name(world)) + ": " +
                          there);
  };
  for (const auto& [place, outcome] : twin.steps()) {
    const auto known = steps_.find(place);
    const std::set<std::string> here =
        known == steps_.end() ? std::set<std::string>() : known->second;
    if (!here.contains(outcome)) differs(Named(place, scenario), Joined(here), outcome);
  }
  for (const auto& [place, outcomes] : steps_) {
    if (!twin.steps().contains(place)) differs(Named(place, scenario), Joined(outcomes), "never");
  }
  for (const std::string& line : twin.left()) {
    if (!left_.contains(line)) differs(line, "gone", "there");
  }
  for (const auto& [line, runs] : left_) {
    if (runs == runs_ && !twin.left().contains(line)) differs(line, "there", "gone");
  }
  return differences;
}

Scenario Late(const Scenario& scenario, std::uint64_t seed) {
  Scenario late = scenario;
  Draws draws(seed);
  const auto by = [&draws](const auto& choices) { return draws.Of(choices); };
  const Duration tmux = by(kTmuxTakes);
  const Duration git = by(kGitTakes);
  for (const char* tool : {"tmux", "git"}) {
    // The last: for what no other rule is for.
    late.tools.emplace_back().tool = tool;
  }
  for (ToolRule& rule : late.tools) {
    rule.queue = by(kWakes);
    rule.delay += rule.tool == "git" ? git : tmux;
    if (rule.flood_bytes > 0) rule.delay += by(kFloodTakes);
  }
  // A hang begins before all else of its moment.
  for (Hang& hang : late.hangs) {
    if (hang.until) *hang.until += by(kWakes);
  }
  for (ClientScript& client : late.clients) {
    client.start += by(kWakes);
    for (Step& step : client.steps) {
      step.late = by(kWakes);
      if (step.give_up) *step.give_up += by(kWakes);
    }
  }
  return late;
}

SimAdmits RunInSimulation(const Scenario& scenario, std::uint64_t seeds) {
  SimAdmits admits;
  Way way;
  way.swarm = false;
  SimOptions options;
  options.faults = 0;
  options.liveness = false;
  options.portrait = true;
  SimResult run;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Scenario late = seed <= kOnTime ? scenario : Late(scenario, seed);
    way.without = seed == 1 ? BitOf(SiteClass::kSchedule) : 0;
    RandomChooser chooser(seed, way);
    options.seed = seed;
    RunSim(late, chooser, options, run);
    admits.admitted.Add(Outcomes(run));
    if (!admits.broken.empty()) continue;
    for (const Verdict& each : Judging(late).Judge(run, chooser)) {
      if (each.pass()) continue;
      admits.broken = "seed " + std::to_string(seed) + " breaks " + each.law + ": " +
                      each.violations.front().message;
      break;
    }
  }
  return admits;
}

}  // namespace oj::sim
