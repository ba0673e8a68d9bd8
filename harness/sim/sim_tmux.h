// SimTmux: the model of a tmux server: its sessions, and what its commands answer, in the words
// of tmux 3.3a.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/tool_answer.h"

namespace oj::sim {

// What a client meets that comes a moment after a server's last session has gone.
enum class Passing : std::uint8_t {
  kGone,    // nobody listens any more
  kServes,  // it still serves whoever comes before it looks at its clients again
  kExits,   // it exits with the client's connection not yet taken: nothing was carried out
};

struct TmuxSession {
  std::string screen;
  bool ends = false;   // its program ends at once
  bool stays = false;  // remain-on-exit
  bool dead = false;   // its program has ended
};

class SimTmux {
 public:
  void Create(const std::string& id, std::string screen);
  // Carries out `argv` (argv[0] is the tool), perhaps a sequence of commands; stops at the first
  // that fails. `passing`: of a server without sessions, if one ever ran.
  ToolAnswer Execute(const std::vector<std::string>& argv, Passing passing = Passing::kGone);
  bool Has(std::string_view id) const { return sessions_.find(id) != sessions_.end(); }
  void PowerOff();
  bool running() const { return !sessions_.empty(); }
  using Sessions = std::map<std::string, TmuxSession, std::less<>>;
  const Sessions& sessions() const { return sessions_; }

 private:
  struct Command;
  ToolAnswer NoServer() const;
  void Do(const Command& command, ToolAnswer& answer);
  void NewSession(const Command& command, ToolAnswer& answer);
  void List(const Command& command, std::string_view format, ToolAnswer& answer) const;
  void EndPrograms();
  // Null: `answer` says so.
  TmuxSession* Find(std::string_view target, bool pane, ToolAnswer& answer, std::string_view& id);

  Sessions sessions_;
  bool ever_ran_ = false;
};

}  // namespace oj::sim
