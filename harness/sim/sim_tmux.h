// SimTmux: the model of a tmux server: its sessions, and what its commands answer, in the words
// of tmux 3.3a.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oj::sim {

struct ToolAnswer {
  int exit = 0;
  std::string out;
  std::string err;
};

class SimTmux {
 public:
  void Create(const std::string& id, std::string screen);
  // Carries out `argv` (argv[0] is the tool), perhaps a sequence of commands; stops at the first
  // that fails.
  ToolAnswer Execute(const std::vector<std::string>& argv);
  bool Has(std::string_view id) const { return sessions_.find(id) != sessions_.end(); }
  bool running() const { return !sessions_.empty(); }
  // What is on each session's screen, by id.
  const std::map<std::string, std::string, std::less<>>& sessions() const { return sessions_; }

 private:
  struct Command;
  ToolAnswer NoServer() const;
  void Do(const Command& command, ToolAnswer& answer);
  void NewSession(const Command& command, ToolAnswer& answer);
  void ListSessions(const Command& command, ToolAnswer& answer) const;
  // Null: `answer` says so.
  std::string* Find(std::string_view target, bool pane, ToolAnswer& answer, std::string_view& id);

  std::map<std::string, std::string, std::less<>> sessions_;
  bool ever_ran_ = false;
};

}  // namespace oj::sim
