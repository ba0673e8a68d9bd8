// One world for ojd: its directories, its environment, a tmux of its own, real or fake.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "process.h"
#include "wire.h"

namespace oj::e2e {

enum class Tmux { kReal, kFake };

// Paths of the programs under test.
extern const char* const kDaemonProgram;
extern const char* const kClientProgram;
extern const char* const kFakeTmuxProgram;

// Everything lives in a temporary directory. The destructor ends the daemon, the tmux server and
// every fake that is left, each by its pid, and removes the directory.
class World {
 public:
  explicit World(Tmux tmux = Tmux::kReal);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  std::string dir() const { return dir_; }
  std::string state() const { return dir_ + "/state"; }
  std::string socket() const { return state() + "/daemon.sock"; }
  std::string pid_file() const { return state() + "/daemon.pid"; }
  // Of what is started from now on.
  void Set(const std::string& name, const std::string& value) { environment_[name] = value; }
  void Unset(const std::string& name) { environment_.erase(name); }
  // The whole of config.toml.
  void Configure(const std::string& toml) const;
  // How the fake tmux misbehaves, for calls from now on: [[rule]] tables.
  void Rules(const std::string& toml) const;

  std::unique_ptr<Process> Start(const std::vector<std::string>& argv);
  // Starts ojd and waits until it is ready; false: it is not, see daemon().Err().
  bool StartDaemon();
  Process& daemon() { return *daemon_; }
  // Takes a daemon's place that has ended.
  Ended DaemonEnded(milliseconds limit = milliseconds(20000));

  // `oj` never starts a daemon on its own here.
  std::unique_ptr<Process> StartOj(std::vector<std::string> arguments);
  Ended Oj(std::vector<std::string> arguments);
  Wire Connect() const { return Wire(socket()); }
  // Whether a new client is served.
  bool Answers() const;

  // The real tmux on the private server.
  Ended RunTmux(std::vector<std::string> arguments);
  // Starts the server, where none runs, with a session whose screen shows `text`.
  bool StartSession(const std::string& id, const std::string& text = "hello");
  pid_t TmuxServer();  // 0: none runs
  // Stops the server (SIGSTOP), so that its clients hang; Thaw undoes it.
  void Freeze();
  void Thaw();

  // The daemon's subprocesses that are alive, and those of its children that are zombies.
  std::vector<pid_t> Tools() const;
  std::size_t Zombies() const;
  boost::json::object Status() const;
  // No request, child or lock is left.
  bool Quiet() const;

 private:
  std::string dir_;
  Environment environment_;
  std::unique_ptr<Process> daemon_;
  pid_t frozen_ = 0;
  int started_ = 0;
};

// A peek that no other one joins: the number of lines tells them apart.
boost::json::object Peek(const std::string& id, int lines = 40);

}  // namespace oj::e2e
