#include "generate.h"

#include <algorithm>

#include "explore/explore.h"
#include "trace/timeline.h"

namespace oj::sim {
namespace {

constexpr int kSeeds = 20;  // of each drawn scenario

// An integer in [low, high], all alike from the first case on; shrinks to low.
int Draw(int low, int high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high + 1));
}
bool Chance(int percent) { return Draw(0, 99) >= 100 - percent; }
template <class T>
T OneOf(const std::vector<T>& list) {
  return list[static_cast<std::size_t>(Draw(0, static_cast<int>(list.size()) - 1))];
}

class Writer {
 public:
  explicit Writer(const Shape& shape) : shape_(shape) {}

  std::string Write() {
    Config();
    sessions_ = Draw(1, shape_.sessions);
    for (int i = 1; i <= sessions_; ++i) {
      Line("[[session]]\nid = \"s" + std::to_string(i) + "\"\nscreen = \"hello\"");
    }
    for (int i = Draw(0, 2); i > 0; --i) Tool();
    for (int i = Draw(0, 2); i > 0; --i) Hang();
    const int clients = Draw(1, shape_.clients);
    for (int i = 1; i <= clients; ++i) Client(i);
    // Beside them, for the faults: somebody who does next to nothing.
    Line("[mix]\nclients = 1\ncalls = 1\nrequests = { Ping = 1 }\nfaults = [" + shape_.faults +
         "]");
    return text_;
  }

 private:
  void Line(const std::string& line) { text_.append(line).append("\n"); }
  void Number(const char* key, int value) {
    text_.append(key).append(" = ").append(std::to_string(value)).append("\n");
  }

  void Config() {
    Line("[config]");
    Number("timeouts.tmux", Draw(100, 3000));
    Number("timeouts.handler", Draw(200, 6000));
    Number("timeouts.kill_grace", Draw(20, 500));
    if (Chance(40)) Line("connection.half_close = \"keep\"");
  }
  void Tool() {
    const std::vector<std::string> commands = {"capture-pane", "kill-session", "has-session",
                                               "send-keys",    "new-session",  "list-sessions"};
    const std::vector<std::string> habits = {"hang = true",
                                             "hang = true\nignore_term = true",
                                             "exit_zero_on_term = true\nhang = true",
                                             "exit = 1",
                                             "signal = 11",
                                             "grandchild = true",
                                             "flood_bytes = 100000000",
                                             "grandchild = true\nsetsid = true\nhang = true"};
    Line("[[tool]]\ntool = \"tmux\"\nmatch = \"" + OneOf(commands) + "\"");
    Number("nth", Draw(0, 3));
    Number("delay_ms", Draw(0, 2000));
    Line(OneOf(habits));
  }
  void Hang() {
    const int from = Draw(0, 2000);
    Line("[[hang]]\ntool = \"tmux\"");
    Number("from_ms", from);
    Number("until_ms", from + Draw(50, 3000));
    if (Chance(50)) Line("ignore_term = true");
  }

  void Client(int number) {
    Line("[[client]]\nname = \"c" + std::to_string(number) + "\"");
    Number("start_ms", Draw(0, 300));
    Line("steps = [");
    for (int i = Draw(1, shape_.calls); i > 0; --i) Call();
    Line("]");
  }
  void Call() {
    const std::string request = Request();
    if (Chance(shape_.leave)) {
      Line("  { send = " + request + " }, { sleep_ms = " + std::to_string(Draw(0, 300)) + " }, { " +
           OneOf(std::vector<std::string>{"close", "half_close"}) + " = true },");
      Line("  { close = true },");
      return;
    }
    const bool impatient = Chance(shape_.impatient);
    const std::string give_up = std::to_string(impatient ? Draw(1, 1000) : 20000);
    const std::string call = "  { call = " + request + ", give_up_ms = " + give_up + " },";
    Line(call);
    if (shape_.retries && impatient) Line(call);
    if (Chance(30)) Line("  { sleep_ms = " + std::to_string(Draw(0, 500)) + " },");
  }
  std::string Request() {
    const std::string type = OneOf(shape_.requests);
    const std::string id = "s" + std::to_string(Draw(1, sessions_));
    std::string request = "{ type = \"" + type + "\"";
    if (type == "PeekSession") request += ", session_id = \"" + id + "\"";
    if (type.starts_with("Session")) request += ", id = \"" + id + "\"";
    if (type == "SessionSend") request += ", input = \"ls\"";
    if (type == "SessionNew") request += ", cwd = \"/tmp\", command = [\"sh\"]";
    if (Chance(shape_.tell_timeout)) {
      request += ", timeout_ms = " + std::to_string(Draw(50, 3000));
    }
    return request + " }";
  }

  const Shape& shape_;
  int sessions_ = 1;
  std::string text_;
};

// All that is needed to run it again.
std::string Tell(const std::string& text, std::uint64_t seed, const Judged& judged) {
  std::string told = "save this as drawn.toml, then: oj-harness run drawn.toml --seed " +
                     std::to_string(seed) + "\n\n" + text + "\n";
  for (const Verdict& verdict : judged.verdicts) {
    for (const Violation& each : verdict.violations) {
      told.append(verdict.law).append(": ").append(each.message).append("\n");
    }
  }
  return told + RenderTimeline(judged.run.trace, 100, false);
}

}  // namespace

std::string DrawScenario(const Shape& shape) { return Writer(shape).Write(); }

bool CancelMetProcess(const Story& story) {
  return std::any_of(story.requests.begin(), story.requests.end(), [&](const RequestLife& each) {
    return each.latched &&
           std::any_of(each.processes.begin(), each.processes.end(), [&](std::size_t index) {
             const ProcessLife& process = story.processes[index];
             return process.began.event < each.latched->event &&
                    (!process.ended || process.ended->event > each.latched->event);
           });
  });
}

void Holds(const std::string& name, const Shape& shape, const StoryProbe& probe, int percent) {
  std::uint64_t runs = 0;
  std::uint64_t hits = 0;
  const bool holds = rc::check(name, [&] {
    const std::string text = DrawScenario(shape);
    const auto first = static_cast<std::uint64_t>(Draw(1, 1'000'000));
    const auto scenario = ParseScenario(text, "drawn.toml");
    if (!scenario) RC_FAIL(scenario.error().message + "\n" + text);
    std::uint64_t hit = 0;
    for (std::uint64_t seed = first; seed < first + kSeeds; ++seed) {
      const Judged judged = RunSeed(*scenario, seed);
      if (!AllPass(judged.verdicts)) RC_FAIL(Tell(text, seed, judged));
      ++runs;
      if (probe(Story(judged.run.trace))) ++hit;
    }
    hits += hit;
    RC_CLASSIFY(hit > 0);
  });
  EXPECT_TRUE(holds) << name;
  EXPECT_GE(hits * 100, runs * static_cast<std::uint64_t>(percent))
      << "vacuous: only " << hits << " of " << runs << " runs were about it";
  std::printf("%llu of %llu runs were about it\n", static_cast<unsigned long long>(hits),
              static_cast<unsigned long long>(runs));
}

}  // namespace oj::sim
