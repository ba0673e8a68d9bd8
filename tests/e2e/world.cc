#include "world.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace oj::e2e {

namespace fs = std::filesystem;

const char* const kDaemonProgram = OJ_DAEMON;
const char* const kClientProgram = OJ_CLIENT;
const char* const kFakeTmuxProgram = OJ_FAKE_TMUX;

World::World(Tmux tmux) {
  // A socket's path has at most 107 bytes: a short name in the usual place.
  std::string path = (fs::temp_directory_path() / "oj-e2e-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) std::abort();
  dir_ = path;
  for (const char* name : {"/home", "/config/oj", "/tmux", "/fake"}) {
    fs::create_directories(dir_ + name);
  }
  for (const char* name : {"TMUX", "TMUX_PANE", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID"}) {
    unsetenv(name);
  }
  for (char** at = environ; *at != nullptr;) {
    const std::string name = std::string(*at).substr(0, std::string(*at).find('='));
    // Whoever runs the tests may have settings of their own.
    if (name.starts_with("OJ_")) {
      unsetenv(name.c_str());
    } else {
      ++at;
    }
  }
  environment_ = {{"HOME", dir_ + "/home"},
                  {"XDG_CONFIG_HOME", dir_ + "/config"},
                  {"OJ_STATE_DIR", state()},
                  {"TMUX_TMPDIR", dir_ + "/tmux"},
                  {"LC_ALL", "C.UTF-8"},
                  {"OJ_TIMEOUT_DRAIN_MS", "1000"},
                  {"OJ_FAKE_STATE", dir_ + "/fake"},
                  {"OJ_FAKE_JOURNAL", dir_ + "/journal"},
                  {"TERM", "xterm"}};
  if (tmux == Tmux::kFake) {
    environment_["OJ_FAKE_RULES"] = dir_ + "/rules.toml";
    const char* inherited = std::getenv("PATH");
    environment_["PATH"] = fs::path(kFakeTmuxProgram).parent_path().string() + ":" +
                           (inherited == nullptr ? "/usr/bin:/bin" : inherited);
    Rules("");
    fs::create_directories(dir_ + "/fake/sessions");
    WriteFile(dir_ + "/fake/sessions/work", "1700000000\nhello\n");
  }
}

World::~World() {
  Thaw();
  if (daemon_ != nullptr && daemon_->Running()) {
    daemon_->Signal(SIGTERM);
    daemon_->Signal(SIGTERM);
    daemon_->Wait(milliseconds(5000));
  }
  for (const pid_t pid : RunningFrom(kFakeTmuxProgram)) {
    // Only those of this world.
    const std::string environment = ReadFile("/proc/" + std::to_string(pid) + "/environ");
    if (environment.find(dir_ + "/fake") != std::string::npos) kill(pid, SIGKILL);
  }
  if (const pid_t server = TmuxServer(); server > 0) {
    kill(server, SIGTERM);
    if (!Eventually([server] { return !IsAlive(server); }, milliseconds(3000))) {
      kill(server, SIGKILL);
    }
  }
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

void World::Configure(const std::string& toml) const {
  WriteFile(dir_ + "/config/oj/config.toml", toml);
}

// Replaced in one step: a fake that starts just now reads the old file or the new one.
void World::Rules(const std::string& toml) const {
  WriteFile(dir_ + "/rules.new", toml);
  fs::rename(dir_ + "/rules.new", dir_ + "/rules.toml");
}

std::unique_ptr<Process> World::Start(const std::vector<std::string>& argv) {
  const std::string output = dir_ + "/" + std::to_string(++started_);
  return std::make_unique<Process>(argv, environment_, output);
}

bool World::StartDaemon() {
  daemon_ = Start({kDaemonProgram});
  const auto ready = [this] { return daemon_->Out().find("READY\n") != std::string::npos; };
  return Eventually([&] { return ready() || !daemon_->Running(); }) && ready();
}

Ended World::DaemonEnded(milliseconds limit) { return daemon_->Wait(limit); }

std::unique_ptr<Process> World::StartOj(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kClientProgram, "--no-start"});
  return Start(arguments);
}

Ended World::Oj(std::vector<std::string> arguments) {
  return StartOj(std::move(arguments))->Wait();
}

bool World::Answers() const { return Text(Connect().Ask({{"type", "Ping"}}), "type") == "Pong"; }

Ended World::RunTmux(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), OJ_TMUX);
  return Start(arguments)->Wait(milliseconds(10000));
}

bool World::StartSession(const std::string& id, const std::string& text) {
  const std::string script = "printf '%s\\n' \"$1\"; exec cat";
  if (RunTmux({"new-session", "-d", "-s", id, "--", "sh", "-c", script, "sh", text}).code != 0) {
    return false;
  }
  return Eventually([&] {
    return RunTmux({"capture-pane", "-p", "-t", "=" + id + ":"}).out.find(text) !=
           std::string::npos;
  });
}

pid_t World::TmuxServer() {
  if (frozen_ > 0) return frozen_;
  if (!fs::exists(dir_ + "/tmux/tmux-" + std::to_string(getuid()) + "/default")) return 0;
  const Ended asked = RunTmux({"display-message", "-p", "#{pid}"});
  return asked.code == 0 ? std::atoi(asked.out.c_str()) : 0;
}

void World::Freeze() {
  frozen_ = TmuxServer();
  if (frozen_ <= 0) return;
  kill(frozen_, SIGSTOP);
  Eventually([this] { return StateOf(frozen_) == 'T'; });
}

void World::Thaw() {
  if (frozen_ > 0) kill(frozen_, SIGCONT);
  frozen_ = 0;
}

std::vector<pid_t> World::Tools() const {
  std::vector<pid_t> tools;
  for (const pid_t child : ChildrenOf(daemon_->pid())) {
    // The server that `tmux new-session` leaves behind is adopted by the daemon, and no tool.
    const bool server = ReadFile("/proc/" + std::to_string(child) + "/comm") == "tmux: server\n";
    if (IsAlive(child) && !server) tools.push_back(child);
  }
  return tools;
}

std::size_t World::Zombies() const {
  std::size_t zombies = 0;
  for (const pid_t child : ChildrenOf(daemon_->pid())) zombies += StateOf(child) == 'Z';
  return zombies;
}

boost::json::object World::Status() const { return Connect().Ask({{"type", "Status"}}); }

bool World::Quiet() const {
  const boost::json::object status = Status();
  for (const char* key : {"requests_active", "children_active", "locks_held"}) {
    const boost::json::value* value = status.if_contains(key);
    if (value == nullptr || !value->is_number() || value->to_number<int>() != 0) return false;
  }
  return Zombies() == 0 && Tools().empty();
}

boost::json::object Peek(const std::string& id, int lines) {
  return {{"type", "PeekSession"}, {"session_id", id}, {"lines", lines}};
}

}  // namespace oj::e2e
