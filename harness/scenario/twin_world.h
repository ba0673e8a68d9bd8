// TwinWorld: what surrounds the daemon in a run on real processes: its directories, environment,
// configuration, repositories, tools, sessions, and the hangs of the tools' servers.
#pragma once

#include <sys/types.h>

#include <boost/process/environment.hpp>
#include <memory>
#include <string>
#include <vector>

#include "scenario/recorder.h"
#include "scenario/scenario.h"
#include "scenario/twin_setup.h"

namespace oj::sim {

inline constexpr const char* kRunName = "oj-twin";  // what a run's directory begins with

// Makes the file or replaces it in one step: who reads it just now has the old one or the new one.
Status WriteAtOnce(const std::string& path, const std::string& text);

// Has a temporary directory and, in the real world, a tmux server of its own; the destructor ends
// all that was started in there, and removes it.
class TwinWorld {
 public:
  // `fakes_dir` may be empty in the real world. `name` is what the directory's begins with.
  TwinWorld(const Scenario& scenario, World world, std::string fakes_dir, Recorder& recorder,
            const std::string& name = kRunName);
  ~TwinWorld();
  TwinWorld(const TwinWorld&) = delete;
  TwinWorld& operator=(const TwinWorld&) = delete;

  // Files, repositories, records and sessions. Error (kUnavailable): what cannot be made, or is
  // missing.
  Status SetUp();
  // Begins and ends the hangs that are due.
  void Turn();
  // Ends all hangs and begins no more.
  void Heal();
  // To rules(): in force for calls of the fakes from now on; at first those of the scenario. Error
  // (kUnavailable): the file is as before.
  Status WriteRules(const std::vector<ToolRule>& rules, const std::string& file) const;
  // Somebody else ends and removes it all: the destructor does nothing.
  void Abandon();

  // In the words of SimResult::left; once the daemon has ended, and all hangs. Sorted.
  std::vector<std::string> Left() const;

  const std::string& root() const { return dir_; }
  std::string state_dir() const { return dir_ + "/state"; }
  std::string socket() const { return state_dir() + "/daemon.sock"; }
  std::string rules() const { return dir_ + "/rules.toml"; }
  std::string journal() const;  // of the fakes; empty in the real world
  std::string log() const { return dir_ + "/ojd.log"; }
  boost::process::environment environment() const;
  // Variables that lead out of it, or change its settings: its environment has none of them.
  static std::vector<std::string> LeftOut();

 private:
  struct HangState {
    bool begun = false;
    bool ended = false;
  };
  Status HasFakes() const;
  Status WriteConfig() const;
  void WriteFakeSessions() const;
  Status StartRealTmux();
  Status StartRealSession(const std::string& id, const std::string& directory,
                          const std::vector<std::string>& command) const;
  void BeginHang(std::size_t number);
  void EndHang(std::size_t number);
  void HoldUp(const std::string& tool) const;

  const Scenario& scenario_;
  World world_;
  std::string fakes_dir_;
  Recorder& recorder_;
  std::string dir_;
  std::vector<HangState> hangs_;
  pid_t server_ = 0;  // the real tmux server
};

}  // namespace oj::sim
