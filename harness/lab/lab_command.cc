#include "lab/lab_command.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

#include "lab/guard.h"
#include "lab/lab.h"
#include "lab/order.h"
#include "lab/shell.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

constexpr int kAnswerLimitMs = 10'000;

int Refuse(const std::string& why) {
  std::cerr << "oj-harness: " << why << "\n";
  return 2;
}

// Beside this program.
std::string Beside(const char* what) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / what).lexically_normal().string();
}

constexpr const char* kPlainPath = "lab";
constexpr const char* kPlain = R"(about = "A session to look at"
worlds = ["fakes", "real"]
[[client]]
name = "you"
steps = [{ call = { type = "Ping" } }]
)";

Result<Scenario> LoadScenarioFor(const std::string& file, World world) {
  Result<Scenario> scenario = file.empty() ? ParseScenario(kPlain, kPlainPath) : LoadScenario(file);
  if (!scenario) return scenario;
  const auto& worlds = scenario->worlds;
  const Error refused{ErrorCode::kInvalidRequest,
                      file + ": is not for the world " + std::string(Name(world)), ""};
  if (std::find(worlds.begin(), worlds.end(), world) == worlds.end()) return refused;
  if (world == World::kReal && !scenario->tools.empty()) {
    std::cerr << "oj-harness: " << file << ": without its [[tool]]: real tools do as they do\n";
    scenario->tools.clear();
  }
  return scenario;
}

// What the scenario brings, and what it would do by its own clock, as commands to type.
std::string CommandsFor(const Scenario& scenario) {
  std::string text;
  const auto add = [&text](const std::string& command, const std::string& about) {
    const std::size_t width = std::max<std::size_t>(44, command.size() + 1);
    text += "  " + command + std::string(width - command.size(), ' ') + "# " + about + "\n";
  };
  for (const SessionSetup& each : scenario.sessions) {
    add("oj session peek " + each.id, "a session of this story");
  }
  for (const RepoSetup& each : scenario.repos) {
    add("oj workspace add $" + std::string(kLabVariable) + each.path, "a repository");
  }
  if (!scenario.workspaces.empty()) add("oj workspace list", "its workspaces");
  if (!scenario.agents.empty()) add("oj agent list", "its agents");
  for (const Hang& each : scenario.hangs) {
    add("oj-harness fault on hang " + each.tool + (each.ignore_term ? " --ignore-term" : ""),
        "its hang");
  }
  if (!scenario.tools.empty()) add("oj-harness fault list", "its faults are on");
  add("oj-harness fault --help", "what else can go wrong");
  add("oj-harness lab join", "a second terminal");
  return text;
}

constexpr const char* kTry = R"(  oj session peek work                  # a session that runs
  oj-harness fault on hang tmux         # and now tmux hangs
  oj --timeout 4000 session peek work   # what a client sees of it; meanwhile, in a second terminal:
  oj-harness lab join                   # ... oj top; oj requests; oj locks
  oj-harness fault off all              # well again
  oj-harness fault --help               # what else can go wrong
  oj debug dump --out story.jsonl       # what ojd saw; as a scenario, and as a picture:
  oj-harness record --from story.jsonl --out story.toml
  oj-harness run story.toml
  oj-harness report story.toml --out story.html
)";

std::string Greeting(const Scenario& scenario, World world) {
  std::string text = "A lab: an ojd of its own, with ";
  text += world == World::kReal ? "a real tmux of its own" : "a tmux and a git that obey you";
  text += ". `exit` leaves nothing of it.\n";
  if (scenario.path == kPlainPath) return text + kTry;
  return text + (scenario.about.empty() ? "" : scenario.about + "\n") + CommandsFor(scenario);
}

// --lab, $OJ_LAB, or the only one that runs.
Result<std::string> FindLab(const std::string& said) {
  const auto none = [](const std::string& why) { return Error{ErrorCode::kNotFound, why, ""}; };
  const std::vector<std::string> running = RunningLabs();
  const std::string wanted = said.empty() ? OwnVariable(kLabVariable) : said;
  if (!wanted.empty()) {
    const std::string path = fs::path(wanted).lexically_normal().string();
    if (IsHeld(path)) return path;
    return none(wanted + " is no lab that runs");
  }
  if (running.size() == 1) return running[0];
  if (running.empty()) return none("no lab runs; `oj-harness lab` starts one");
  std::string all;
  for (const std::string& each : running) all += "\n  --lab " + each;
  return none(std::to_string(running.size()) + " labs run; say which one:" + all);
}

UniqueFd Connect(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof(address.sun_path)) return UniqueFd();
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (connect(connection.get(), name, sizeof(address)) != 0) connection.Reset();
  return connection;
}

// Empty: no answer.
std::string Ask(const std::string& lab, const std::vector<std::string>& words) {
  const UniqueFd connection = Connect(OrdersOf(lab));
  if (!connection) return "";
  std::string text;
  for (const std::string& word : words) text += word + '\0';
  if (send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return "";
  shutdown(connection.get(), SHUT_WR);
  std::string answer;
  std::array<char, 4096> piece;
  pollfd polled{connection.get(), POLLIN, 0};
  while (poll(&polled, 1, kAnswerLimitMs) == 1) {
    const ssize_t n = read(connection.get(), piece.data(), piece.size());
    if (n <= 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(n));
  }
  return answer;
}

}  // namespace

namespace {

// By the daemon, so that it knows of it.
Status MakeSession(const Lab& lab) {
  Status made = lab.Oj({"session", "new", "work", "--cwd", "/", "--", "cat"});
  if (made.ok()) made = lab.Oj({"session", "send", "work", "the build is green"});
  return made;
}

}  // namespace

int LabCommand(const LabCommandOptions& options) {
  const std::string outer = OwnVariable(kLabVariable);
  if (IsHeld(outer)) return Refuse("this shell is in a lab already: " + outer);
  const World world = options.real ? World::kReal : World::kFakes;
  Result<Scenario> scenario = LoadScenarioFor(options.file, world);
  if (!scenario) return Refuse(scenario.error().message);
  for (const auto& [directory, removed] : RemoveDeadLabs()) {
    std::cerr << "oj-harness: " << (removed ? "removed " : "cannot remove ") << directory
              << ", of a lab that had died\n";
  }
  const std::string greeting = Greeting(*scenario, world);
  const bool plain = options.file.empty();
  Lab lab(std::move(*scenario), world, fs::path(Beside("oj")).parent_path().string(),
          Beside("../libexec/oj/fakes"));
  Status ready = lab.SetUp();
  if (ready.ok() && plain) ready = MakeSession(lab);
  if (!ready.ok()) return Refuse(ready.error().message);
  const Result<Shell> shell =
      options.command.empty() ? UserShell(lab.dir()) : Shell{options.command, {}};
  if (!shell) return Refuse(shell.error().message);
  const bool shows = options.command.empty() && isatty(STDIN_FILENO) == 1;
  if (shows) std::cout << greeting << std::flush;
  const int status = lab.Run(*shell);
  if (!lab.Leave())
    return Refuse(lab.dir() + " is left; see what uses it. The next lab removes it");
  if (shows) std::cout << "The lab is gone, with all that ran in it.\n";
  return status;
}

int JoinCommand(const std::string& lab, const LabCommandOptions& options) {
  if (!options.file.empty() || options.real || !options.command.empty()) {
    return Refuse("it is: oj-harness lab join [--lab DIR]; a lab that runs is what it is");
  }
  const Result<std::string> found = FindLab(lab);
  if (!found) return Refuse(found.error().message);
  const Variables variables = LoadVariables(VariablesOf(*found));
  if (variables.empty()) return Refuse(*found + " is not ready");
  const Result<Shell> shell = UserShell(*found);
  if (!shell) return Refuse(shell.error().message);
  const int error = Become(*shell, variables);
  return Refuse(shell->argv[0] + ": " + std::strerror(error));
}

int FaultCommand(const std::vector<std::string>& words) {
  const Result<Order> order = ParseOrder(words);
  if (!order) return Refuse(order.error().message);
  if (order->what == Order::What::kHelp) {
    std::cout << kOrderHelp;
    return 0;
  }
  const Result<std::string> lab = FindLab(order->lab);
  if (!lab) return Refuse(lab.error().message);
  const std::string answer = Ask(*lab, words);
  if (answer.empty()) return Refuse(*lab + " does not answer");
  if (answer[0] == '0') {
    std::cout << answer.substr(1);
    return 0;
  }
  std::cerr << "oj-harness: " << answer.substr(1);
  return 1;
}

}  // namespace oj::sim
