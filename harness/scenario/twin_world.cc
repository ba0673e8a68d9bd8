#include "scenario/twin_world.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "scenario/dead_runs.h"
#include "scenario/held_directory.h"
#include "scenario/run_bounded.h"
#include "scenario/scaled.h"
#include "scenario/setup_records.h"
#include "scenario/toml_writer.h"

namespace oj::sim {
namespace {

namespace bp = boost::process;
namespace fs = std::filesystem;

constexpr Duration kToolLimit = std::chrono::seconds(10);

// At least one.
std::string SomeMillis(Duration time) {
  return MillisText(std::max<Duration>(time, std::chrono::milliseconds(1)));
}

}  // namespace

Status WriteAtOnce(const std::string& path, const std::string& text) {
  std::ofstream file(path + ".new", std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) fs::rename(path + ".new", path, error);
  if (file && !error) return Ok{};
  return Error{ErrorCode::kUnavailable, path + " cannot be written", ""};
}

TwinWorld::TwinWorld(const Scenario& scenario, World world, std::string fakes_dir,
                     Recorder& recorder, const std::string& name)
    : scenario_(scenario),
      world_(world),
      fakes_dir_(std::move(fakes_dir)),
      recorder_(recorder),
      hangs_(scenario.hangs.size()) {
  // A socket's path has at most 107 bytes: a short name in the usual place.
  std::string path = (fs::temp_directory_path() / (name + "-XXXXXX")).string();
  if (mkdtemp(path.data()) != nullptr) dir_ = fs::canonical(path);  // as git names it
}

void TwinWorld::Abandon() {
  server_ = 0;
  dir_.clear();
}

TwinWorld::~TwinWorld() {
  if (dir_.empty()) return;
  Heal();
  EndAndRemove(dir_, OpenDirectory(dir_));
}

std::string TwinWorld::journal() const { return world_ == World::kFakes ? dir_ + "/journal" : ""; }

std::vector<std::string> TwinWorld::LeftOut() {
  std::vector<std::string> names = {"TMUX",       "TMUX_PANE", "OJ_LEASE",      "NOTIFY_SOCKET",
                                    "LISTEN_FDS", "GIT_DIR",   "GIT_WORK_TREE", "GIT_INDEX_FILE"};
  for (const ConfigKey& key : ConfigKeys()) {
    if (!key.env.empty()) names.emplace_back(key.env);
  }
  return names;
}

bp::environment TwinWorld::environment() const {
  bp::environment env = boost::this_process::environment();
  for (const std::string& name : LeftOut()) env.erase(name);
  env["HOME"] = dir_ + "/home";
  env["XDG_CONFIG_HOME"] = dir_ + "/config";
  env["XDG_STATE_HOME"] = dir_ + "/home/state";
  env["XDG_RUNTIME_DIR"] = dir_ + "/home";
  env["OJ_STATE_DIR"] = state_dir();
  env["TMUX_TMPDIR"] = dir_ + "/tmux";
  env["LC_ALL"] = "C.UTF-8";
  env["GIT_CONFIG_GLOBAL"] = dir_ + "/home/.gitconfig";
  env["GIT_CONFIG_NOSYSTEM"] = "1";
  if (world_ == World::kFakes) {
    env["PATH"] = fakes_dir_ + ":" + env["PATH"].to_string();
    env["OJ_FAKE_RULES"] = rules();
    env["OJ_FAKE_STATE"] = dir_ + "/fake";
    env["OJ_FAKE_JOURNAL"] = journal();
  }
  return env;
}

Status TwinWorld::SetUp() {
  if (dir_.empty()) return Error{ErrorCode::kUnavailable, "no temporary directory", ""};
  if (Status complete = HasFakes(); !complete.ok()) return complete;
  for (const char* name : {"/state", "/home", "/config/oj", "/tmux", "/fake"}) {
    fs::create_directories(dir_ + name);
    fs::permissions(dir_ + name, fs::perms::owner_all);
  }
  if (Status written = WriteConfig(); !written.ok()) return written;
  const Status made = TwinSetup(scenario_, dir_, environment()).Make();
  if (!made) return made;
  if (world_ == World::kReal) return StartRealTmux();
  WriteFakeSessions();
  std::ofstream(journal()).flush();
  return WriteRules(scenario_.tools, rules());
}

// Where one is missing, the next on PATH would be taken for it: the real one.
Status TwinWorld::HasFakes() const {
  if (world_ != World::kFakes) return Ok{};
  for (const char* tool : {"/tmux", "/git"}) {
    if (access((fakes_dir_ + tool).c_str(), X_OK) == 0) continue;
    return Error{ErrorCode::kUnavailable, "there is no fake tool " + fakes_dir_ + tool, ""};
  }
  return Ok{};
}

// All durations are written, those at their defaults too: they may be scaled.
Status TwinWorld::WriteConfig() const {
  std::string text;
  std::set<std::string> written;
  for (const auto& [key, field] : ConfigDurations()) {
    text += std::string(key) + " = " + SomeMillis(scenario_.config.*field) + "\n";
    written.insert(key);
  }
  for (const auto& [key, value] : scenario_.settings) {
    if (!written.insert(key).second || key.starts_with("client.")) continue;
    const bool number = value.find_first_not_of("0123456789") == std::string::npos;
    text += key + " = " + (number ? value : Quoted(value)) + "\n";
  }
  return WriteAtOnce(dir_ + "/config/oj/config.toml", text);
}

Status TwinWorld::WriteRules(const std::vector<ToolRule>& rules, const std::string& file) const {
  std::string text;
  for (const ToolRule& rule : rules) {
    text += "[[rule]]\n" + PlacedBelow(dir_, RuleLines(rule));
  }
  return WriteAtOnce(file, text);
}

void TwinWorld::WriteFakeSessions() const {
  const auto write = [this](const std::string& id, const std::string& screen) {
    fs::create_directories(dir_ + "/fake/sessions");
    std::ofstream(dir_ + "/fake/sessions/" + id, std::ios::binary) << std::time(nullptr) << '\n'
                                                                   << screen;
  };
  for (const SessionSetup& session : scenario_.sessions) write(session.id, session.screen);
  for (const AgentSetup& agent : scenario_.agents) {
    if (agent.runs) write(agent.id, "");
  }
}

// The server outlives its last session: it must never be the daemon that starts it, for then it
// would look like one of the daemon's processes.
Status TwinWorld::StartRealTmux() {
  const std::string tmux = FindTool("tmux");
  if (tmux.empty()) return Error{ErrorCode::kUnavailable, "there is no tmux on PATH", ""};
  const bp::environment env = environment();
  std::string pid;
  std::string why;
  if (RunBounded({tmux, "-f", "/dev/null", "start-server", ";", "set-option", "-s", "exit-empty",
                  "off", ";", "display-message", "-p", "#{pid}"},
                 env, kToolLimit, &pid, &why) != 0) {
    return Error{ErrorCode::kUnavailable, "tmux start-server failed: " + why, ""};
  }
  server_ = std::atoi(pid.c_str());
  for (const SessionSetup& session : scenario_.sessions) {
    const Status begun = StartRealSession(
        session.id, dir_, {"sh", "-c", "printf %s \"$1\"; exec sleep 600", "sh", session.screen});
    if (!begun) return begun;
    std::string shown;
    for (int i = 0; i < 200 && !session.screen.empty(); ++i) {
      RunBounded({tmux, "capture-pane", "-t", "=" + session.id + ":", "-p"}, env, kToolLimit,
                 &shown);
      if (shown.find_first_not_of('\n') != std::string::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  for (const AgentSetup& agent : scenario_.agents) {
    const std::string path = agent.workspace.empty() ? dir_ : WorkspacePath(dir_, agent.workspace);
    if (!agent.runs) continue;
    if (const Status begun = StartRealSession(agent.id, path, {"sh"}); !begun) return begun;
  }
  return Ok{};
}

Status TwinWorld::StartRealSession(const std::string& id, const std::string& directory,
                                   const std::vector<std::string>& command) const {
  std::vector<std::string> argv = {FindTool("tmux"), "new-session", "-d", "-s", id, "-c",
                                   directory,        "--"};
  argv.insert(argv.end(), command.begin(), command.end());
  std::string why;
  if (RunBounded(argv, environment(), kToolLimit, nullptr, &why) == 0) return Ok{};
  return Error{ErrorCode::kUnavailable, "tmux new-session failed for " + id + ": " + why, ""};
}

// Asked of the tool that the daemon had, which does first what was left to do late.
std::vector<std::string> TwinWorld::Left() const {
  std::vector<std::string> left = TwinSetup(scenario_, dir_, environment()).Left();
  std::string tmux = FindTool("tmux");
  if (world_ == World::kFakes) {
    static_cast<void>(WriteAtOnce(rules(), ""));
    tmux = fakes_dir_ + "/tmux";
  }
  std::string sessions;
  RunBounded({tmux, "list-sessions", "-F", "#{session_name}"}, environment(), kToolLimit,
             &sessions);
  std::istringstream names(sessions);
  for (std::string name; std::getline(names, name);) left.push_back("session " + name);
  std::sort(left.begin(), left.end());
  return left;
}

void TwinWorld::Turn() {
  const Instant now = recorder_.Now();
  for (std::size_t i = 0; i < hangs_.size(); ++i) {
    const Hang& hang = scenario_.hangs[i];
    if (!hangs_[i].begun && now >= Instant(hang.from)) BeginHang(i);
    if (hang.until && now >= Instant(*hang.until)) EndHang(i);
  }
}

void TwinWorld::Heal() {
  for (std::size_t i = 0; i < hangs_.size(); ++i) {
    EndHang(i);
    hangs_[i] = {true, true};
  }
}

void TwinWorld::BeginHang(std::size_t number) {
  if (hangs_[number].begun) return;
  hangs_[number].begun = true;
  const std::string& tool = scenario_.hangs[number].tool;
  HoldUp(tool);
  recorder_.Add(recorder_.Now(), TraceKind::kFaultBegan, number + 1, 0, 0, tool + " hangs");
}

void TwinWorld::EndHang(std::size_t number) {
  if (!hangs_[number].begun || hangs_[number].ended) return;
  hangs_[number].ended = true;
  HoldUp(scenario_.hangs[number].tool);
  recorder_.Add(recorder_.Now(), TraceKind::kFaultEnded, number + 1);
}

// As long as any hang is on.
void TwinWorld::HoldUp(const std::string& tool) const {
  bool on = false;
  bool ignore_term = false;
  for (std::size_t i = 0; i < hangs_.size(); ++i) {
    if (!hangs_[i].begun || hangs_[i].ended || scenario_.hangs[i].tool != tool) continue;
    on = true;
    ignore_term |= scenario_.hangs[i].ignore_term;
  }
  if (world_ == World::kReal) {
    if (server_ > 0) kill(server_, on ? SIGSTOP : SIGCONT);
    return;
  }
  const std::string file = dir_ + "/fake/hung." + tool;
  std::error_code ignored;
  if (!on) fs::remove(file, ignored);
  if (on) static_cast<void>(WriteAtOnce(file, ignore_term ? "ignore_term\n" : "\n"));
}

}  // namespace oj::sim
