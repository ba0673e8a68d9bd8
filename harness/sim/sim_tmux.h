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
  bool ends = false;    // its program ends at once
  bool stays = false;   // remain-on-exit
  bool dead = false;    // its program has ended
  bool reaped = false;  // its exit code is known: the next child of the server that ends sees to it
  bool late = false;    // what a dead daemon had started made it: no record need know of it
};

class SimTmux {
 public:
  void Create(const std::string& id, std::string screen);
  // Carries out `argv` (argv[0] is the tool), perhaps a sequence of commands; stops at the first
  // that fails. `passing`: of a server without sessions, if one ever ran.
  ToolAnswer Execute(const std::vector<std::string>& argv, Passing passing = Passing::kGone);
  // Those made after that version are `late`.
  void MarkLate(std::uint64_t since);
  bool Has(std::string_view id) const { return sessions_.find(id) != sessions_.end(); }
  void PowerOff();

  // What became of a session with a change of it.
  struct State {
    std::uint64_t version = 0;
    bool there = false;
    std::uint64_t made = 0;  // the version with which it came
    std::string screen{};
  };
  // Rises with every change.
  std::uint64_t version() const { return version_; }
  // Whether that is so of a state that the session was in at that version or later.
  template <class Predicate>
  bool Any(std::string_view id, std::uint64_t since, Predicate predicate) const {
    const auto at = history_.find(id);
    if (at == history_.end()) return predicate(State{});
    const std::vector<State>& states = at->second;
    std::size_t i = states.size();
    while (i > 0 && states[i - 1].version > since) {
      if (predicate(states[--i])) return true;
    }
    return predicate(i == 0 ? State{} : states[i - 1]);
  }
  // A screen as capture-pane prints it.
  static std::string Shown(const std::string& screen);
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
  void Reap();
  void Note(std::string_view id);
  // Null: `answer` says so.
  TmuxSession* Find(std::string_view target, bool pane, ToolAnswer& answer, std::string_view& id);

  Sessions sessions_;
  std::map<std::string, std::vector<State>, std::less<>> history_;
  std::uint64_t version_ = 0;
  bool ever_ran_ = false;
};

}  // namespace oj::sim
