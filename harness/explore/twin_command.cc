#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>

#include "explore/commands.h"
#include "explore/draw.h"
#include "explore/runs.h"
#include "explore/twin_compare.h"
#include "scenario/scaled.h"
#include "scenario/toml_writer.h"
#include "terminal/status_line.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Seconds = std::chrono::duration<double>;

// One scenario in one world.
struct Item {
  Scenario scenario;
  World world = World::kFakes;
  bool drawn = false;

  std::string name() const { return scenario.path + " in " + std::string(Name(world)); }
};

// What came of it: nothing in `why` where the two agree.
struct Told {
  std::vector<std::string> why;
  bool is_time = true;                  // all of `why` may be: it is looked at again
  std::map<std::string, int> outcomes;  // of the real processes, how often each
};

// On a busy machine an order may be turned round that the scenario means to be clear, and what must
// come soon comes late. No machine is too slow for the other laws.
bool MayBeTime(const Verdict& broken) {
  return broken.law == "expect" || broken.law == "L1" || broken.law == "L2" || broken.law == "L9";
}

// `again`: with more time, and more looked at.
Told Compare(const Item& item, const TwinCommandOptions& options, bool again) {
  Told told;
  const Scenario scaled = Scaled(item.scenario, options.run.scale * (again ? 2 : 1));
  const SimAdmits sim = RunInSimulation(scaled, options.seeds * (again ? 4 : 1));
  if (!sim.broken.empty()) {
    told.why.push_back("in simulation " + sim.broken);
    told.is_time = false;
  }
  const Result<JudgedTwin> twin = RunOnProcesses(scaled, item.world, options.run);
  if (!twin) {
    told.why.push_back("cannot be run: " + twin.error().message);
    told.is_time = false;
    return told;
  }
  if (twin->run.daemon_exit != 0) told.is_time = false;  // whatever law that breaks
  for (const Verdict& each : twin->verdicts) {
    if (each.pass()) continue;
    told.why.push_back(std::string(Name(item.world)) + " breaks " + each.law + ": " +
                       each.violations.front().message);
    told.is_time &= MayBeTime(each);
  }
  const auto differences = sim.admitted.Differences(Outcomes(twin->run), item.scenario, item.world);
  told.why.insert(told.why.end(), differences.begin(), differences.end());
  for (const StepOutcome& each : twin->run.steps) ++told.outcomes[each.outcome];
  return told;
}

std::string Write(const Told& told) {
  return json::serialize(json::object{{"why", json::value_from(told.why)},
                                      {"is_time", told.is_time},
                                      {"outcomes", json::value_from(told.outcomes)}});
}

// `status` is that of its process.
Told Read(const std::string& text, int status) {
  if (WIFSIGNALED(status)) {
    return {{"its process has died of signal " + std::to_string(WTERMSIG(status))}, false, {}};
  }
  json::error_code error;
  const json::value value = json::parse(text, error);
  if (error) {
    return {{"its process has ended with " + std::to_string(WEXITSTATUS(status))}, false, {}};
  }
  return {json::value_to<std::vector<std::string>>(value.at("why")), value.at("is_time").as_bool(),
          json::value_to<std::map<std::string, int>>(value.at("outcomes"))};
}

// Compares items in processes of their own, some at a time.
class Pool {
 public:
  using Done = std::function<void(std::size_t item, Told told)>;

  Pool(std::function<Told(std::size_t item)> work, Done done)
      : work_(std::move(work)), done_(std::move(done)) {}

  void Run(const std::vector<std::size_t>& items, unsigned jobs) {
    for (const std::size_t item : items) {
      while (running_.size() >= jobs) Wait();
      Begin(item);
    }
    while (!running_.empty()) Wait();
  }

 private:
  struct Running {
    std::size_t item;
    pid_t pid;
    int out;
    std::string text;
  };

  void Begin(std::size_t item) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    std::cout.flush();
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) Work(item, ends[1], parent);
    close(ends[1]);
    if (pid < 0) throw std::runtime_error("cannot start a process");
    running_.push_back({item, pid, ends[0], ""});
  }

  // What it throws is told: it must not unwind into what was forked.
  [[noreturn]] void Work(std::size_t item, int out, pid_t parent) const {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);  // it has died before
    Told told;
    try {
      told = work_(item);
    } catch (const std::exception& error) {
      told = {{std::string("cannot be run: ") + error.what()}, false, {}};
    }
    const std::string text = Write(told);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = write(out, text.data() + at, text.size() - at);
      if (n < 0 && errno != EINTR) _exit(1);
      if (n > 0) at += static_cast<std::size_t>(n);
    }
    _exit(0);
  }

  void Wait() {
    std::vector<pollfd> polled;
    for (const Running& each : running_) polled.push_back({each.out, POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) return;
    for (std::size_t i = polled.size(); i-- > 0;) {
      if (polled[i].revents != 0 && !Take(running_[i])) End(i);
    }
  }
  static bool Take(Running& from) {
    char bytes[4096];
    const ssize_t n = read(from.out, bytes, sizeof bytes);
    if (n > 0) from.text.append(bytes, static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }
  void End(std::size_t i) {
    const Running ended = std::move(running_[i]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    close(ended.out);
    int status = 0;
    while (waitpid(ended.pid, &status, 0) < 0 && errno == EINTR) {
    }
    done_(ended.item, Read(ended.text, status));
  }

  std::function<Told(std::size_t)> work_;
  Done done_;
  std::vector<Running> running_;
};

Result<std::vector<std::string>> FilesOf(const std::vector<std::string>& named) {
  std::set<std::string> files;
  for (const std::string& each : named) {
    std::error_code error;
    if (!fs::is_directory(each, error)) {
      files.insert(each);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(each)) {
      if (entry.path().extension() == ".toml") files.insert(entry.path().string());
    }
  }
  if (files.empty()) return Error{ErrorCode::kInvalidRequest, "there is no scenario", ""};
  return std::vector<std::string>(files.begin(), files.end());
}

// The drawn ones come first: they are the longer ones.
Result<std::vector<Item>> ItemsOf(const TwinCommandOptions& options) {
  const auto files = FilesOf(options.files);
  if (!files) return files.error();
  std::vector<Item> drawn;
  std::vector<Item> written;
  for (const std::string& file : *files) {
    const Result<Scenario> scenario = LoadScenario(file);
    if (!scenario) return scenario.error();
    const auto is_for = [&scenario](World world) {
      return std::find(scenario->worlds.begin(), scenario->worlds.end(), world) !=
             scenario->worlds.end();
    };
    for (const World world : {World::kFakes, World::kReal}) {
      const auto& worlds = options.worlds;
      const bool wanted =
          worlds.empty() || std::find(worlds.begin(), worlds.end(), Name(world)) != worlds.end();
      if (!wanted || !is_for(World::kSim)) continue;
      if (scenario->mix.clients == 0 && is_for(world)) written.push_back({*scenario, world, false});
      for (std::uint64_t i = 0; scenario->mix.clients > 0 && i < options.draws; ++i) {
        drawn.push_back({DrawScenario(*scenario, options.seed + i, world), world, true});
      }
    }
  }
  std::move(written.begin(), written.end(), std::back_inserter(drawn));
  return drawn;
}

class Comparison {
 public:
  Comparison(const TwinCommandOptions& options, std::vector<Item> items)
      : options_(options), items_(std::move(items)), told_(items_.size()) {}

  bool Run() {
    const auto begun = std::chrono::steady_clock::now();
    std::vector<std::size_t> all(items_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    CompareAll(all, options_.jobs, false);
    for (const std::size_t i : all) {
      if (!told_[i].why.empty() && told_[i].is_time) again_.push_back(i);
    }
    first_ = told_;
    CompareAll(again_, 1, true);
    for (const std::size_t i : all) {
      if (!told_[i].why.empty()) disagree_.push_back(i);
    }
    took_ = std::chrono::steady_clock::now() - begun;
    return disagree_.empty() && Agree() >= options_.at_least;
  }

  std::string Text() const {
    std::string text;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (first_[i].why.empty()) continue;
      const bool agrees = told_[i].why.empty();
      text += items_[i].name();
      text += agrees ? ": a matter of time: run again alone and slower, it agrees. At first:\n"
              : first_[i].is_time ? ": disagrees, also when run again\n"
                                  : ": disagrees\n";
      for (const std::string& each : (agrees ? first_ : told_)[i].why) text += "    " + each + "\n";
      if (!agrees && items_[i].drawn) text += Kept(items_[i]);
    }
    if (Agree() < options_.at_least) {
      text += "of " + std::to_string(items_.size()) + " scenarios " + std::to_string(Agree()) +
              " agree, and not at least " + std::to_string(options_.at_least) + "\n";
    }
    for (const World world : {World::kFakes, World::kReal}) text += Summary(world);
    char line[64];
    std::snprintf(line, sizeof line, "in %.1f s\n", Seconds(took_).count());
    return text + line;
  }

  json::object Json() const {
    const auto list = [this](const std::vector<std::size_t>& items, const std::vector<Told>& told) {
      json::array array;
      for (const std::size_t i : items) {
        array.push_back({{"scenario", items_[i].scenario.path},
                         {"world", Name(items_[i].world)},
                         {"why", json::value_from(told[i].why)}});
      }
      return array;
    };
    return {{"scenarios", items_.size()},
            {"agree", Agree()},
            {"again", list(again_, first_)},
            {"disagree", list(disagree_, told_)},
            {"seconds", Seconds(took_).count()}};
  }

  Status Keep() const {
    if (options_.keep.empty()) return Ok{};
    for (const std::size_t i : disagree_) {
      if (!items_[i].drawn) continue;
      std::ofstream out(PathOf(items_[i]), std::ios::binary);
      out << WriteScenario(items_[i].scenario);
      if (out.close(); !out) {
        return Error{ErrorCode::kInvalidRequest, PathOf(items_[i]) + ": cannot be written", ""};
      }
    }
    return Ok{};
  }

 private:
  void CompareAll(const std::vector<std::size_t>& which, unsigned jobs, bool again) {
    std::size_t done = 0;
    terminal::StatusLine line(terminal::StandardError());
    const auto show = [&] {
      line.Show("twin: " + std::to_string(done) + " of " + std::to_string(which.size()) +
                (again ? " that are run again" : ""));
    };
    show();
    Pool pool([&](std::size_t i) { return Compare(items_[i], options_, again); },
              [&](std::size_t i, Told told) {
                told_[i] = std::move(told);
                ++done;
                show();
              });
    pool.Run(which, jobs);
  }

  std::size_t Agree() const { return items_.size() - disagree_.size(); }

  std::string PathOf(const Item& item) const {
    std::string name = fs::path(item.scenario.path).filename().string();
    std::replace(name.begin(), name.end(), '#', '-');
    return (fs::path(options_.keep) / (name + "-" + std::string(Name(item.world)) + ".toml"))
        .string();
  }
  std::string Kept(const Item& item) const {
    if (options_.keep.empty()) return "    (with --keep DIR it is written down)\n";
    return "    again: oj-harness twin " + PathOf(item) + "\n";
  }

  std::string Summary(World world) const {
    std::size_t all = 0;
    std::size_t drawn = 0;
    std::map<std::string, int> outcomes;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].world != world) continue;
      ++all;
      drawn += items_[i].drawn ? 1 : 0;
      for (const auto& [outcome, times] : told_[i].outcomes) outcomes[outcome] += times;
    }
    if (all == 0) return "";
    const auto count = [&](const std::vector<std::size_t>& items) {
      return static_cast<std::size_t>(std::count_if(
          items.begin(), items.end(), [&](std::size_t i) { return items_[i].world == world; }));
    };
    std::string text = std::string(Name(world)) + ": " + std::to_string(all - count(disagree_)) +
                       " of " + std::to_string(all) + " scenarios agree (" + std::to_string(drawn) +
                       " drawn), " + std::to_string(count(again_)) + " were run again\n   ";
    for (const auto& [outcome, times] : outcomes) {
      text += " " + outcome + " " + std::to_string(times);
    }
    return text + "\n";
  }

  const TwinCommandOptions& options_;
  std::vector<Item> items_;
  std::vector<Told> told_;   // the last comparison
  std::vector<Told> first_;  // before some were run again
  std::vector<std::size_t> again_, disagree_;
  std::chrono::steady_clock::duration took_{};
};

int Refuse(const std::string& why) {
  std::cerr << "oj-harness: " << why << '\n';
  return 2;
}

}  // namespace

int TwinCommand(const TwinCommandOptions& options) {
  Result<std::vector<Item>> items = ItemsOf(options);
  if (!items) return Refuse(items.error().message);
  if (items->empty()) return Refuse("none of these scenarios is for simulation and such a world");
  const Status keep = CheckDirectory("--keep", options.keep);
  if (!keep) return Refuse(keep.error().message);
  Comparison comparison(options, std::move(*items));
  const bool agree = comparison.Run();
  if (options.json) {
    std::cout << json::serialize(comparison.Json()) << '\n';
  } else {
    std::cout << comparison.Text();
  }
  const Status kept = comparison.Keep();
  if (!kept) return Refuse(kept.error().message);
  return agree ? 0 : 1;
}

}  // namespace oj::sim
