// What a tmux server keeps, as files: `<state>/sessions/<name>` holds a line with the second of
// creation and what is true of its program, and then the screen's text. No such directory: there
// never was a server; an empty one: there is none any more. Without a state directory the server is
// built in, and empty for ever.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "behaviour.h"

namespace oj::fakes {

// No program runs in a session. Of these command lines the program ends when the sequence that
// starts it is done: "... true" with 0, "... false" with 1, "... -c 'exit N'" with N; all others
// run for ever, and echo what is typed.
struct Session {
  std::string created;  // seconds since the epoch
  bool stays = false;   // when its program ends: remain-on-exit
  bool dead = false;
  std::optional<int> exit;  // its program's, which is about to end, or dead
  bool reaped = false;      // its exit is told: tmux 3.3a may miss it till its next child ends
};

// A server serves one client at a time: while this lives, no other client has one. It is let go
// when its process dies.
class ServerTurn {
 public:
  explicit ServerTurn(const std::string& state);
  ServerTurn(const ServerTurn&) = delete;
  ServerTurn& operator=(const ServerTurn&) = delete;
  ~ServerTurn();

 private:
  int fd_ = -1;
};

class TmuxServer {
 public:
  explicit TmuxServer(std::string state);

  bool EverRan() const;
  std::vector<std::string> Sessions() const;  // by name
  bool Has(const std::string& name) const;
  void Create(const std::string& name, const Args& command);
  void Kill(const std::string& name);
  void Type(const std::string& name, const std::string& text);
  void Stay(const std::string& name, bool stays);
  // The programs that are to end do.
  void EndPrograms();
  void Reap();
  Session Get(const std::string& name) const;
  // The lines as the pane shows them, wrapped at 80 columns, blanks at their ends cut off; the
  // last 24 are visible, the others history. At least 24.
  std::vector<std::string> Screen(const std::string& name) const;

 private:
  std::string FileOf(const std::string& name) const;
  std::string TextOf(const std::string& name) const;
  void Put(const std::string& name, const Session& session, const std::string& text) const;
  std::string sessions_;  // the directory, or empty
};

}  // namespace oj::fakes
