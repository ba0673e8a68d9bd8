// SimTmux: the model of a tmux server: its sessions, and what its commands answer, in the words
// of tmux 3.3a.
#pragma once

#include <cstdint>
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

// What a client meets that comes a moment after a server's last session has gone.
enum class Passing : std::uint8_t {
  kGone,    // nobody listens any more
  kServes,  // it still serves whoever comes before it looks at its clients again
  kExits,   // it exits with the client's connection not yet taken: nothing was carried out
};

class SimTmux {
 public:
  void Create(const std::string& id, std::string screen);
  // Carries out `argv` (argv[0] is the tool), perhaps a sequence of commands; stops at the first
  // that fails. `passing`: of a server without sessions, if one ever ran.
  ToolAnswer Execute(const std::vector<std::string>& argv, Passing passing = Passing::kGone);
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
