// A tmux that obeys: the commands that the daemon uses, with the exit codes and messages of tmux
// 3.3a; how it disobeys is in behaviour.h. tests/fakes holds it against the real one.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "behaviour.h"
#include "journal.h"
#include "tmux_command.h"
#include "tmux_promise.h"
#include "tmux_server.h"

namespace oj::fakes {
namespace {

std::string SocketPath() {
  const char* directory = std::getenv("TMUX_TMPDIR");
  return std::string(directory == nullptr || *directory == 0 ? "/tmp" : directory) + "/tmux-" +
         std::to_string(getuid()) + "/default";
}

class Tmux {
 public:
  // `passing`: as in Behaviour.
  Tmux(TmuxServer server, const std::string& passing) : server_(std::move(server)) {
    if (server_.EverRan() && server_.Sessions().empty()) passing_ = passing;
  }

  // Stops at the first command that fails, as tmux does.
  Outcome Run(const Args& args) {
    if (passing_ == "exits") return Fail("server exited unexpectedly");
    std::vector<Command> commands;
    const std::string error = ParseCommands(args, &commands);
    const bool starts =
        error.empty() &&
        (commands.empty() || std::any_of(commands.begin(), commands.end(),
                                         [](auto& c) { return c.name == "new-session"; }));
    if (!starts && passing_.empty() && server_.Sessions().empty()) return NoServer();
    if (!error.empty()) return Fail(error);
    for (const Command& command : commands) {
      if (Do(command); outcome_.exit != 0) break;
    }
    server_.EndPrograms();
    return outcome_;
  }

 private:
  Outcome NoServer() {
    return server_.EverRan()
               ? Fail("no server running on " + SocketPath())
               : Fail("error connecting to " + SocketPath() + " (No such file or directory)");
  }

  Outcome Fail(const std::string& message) {
    outcome_.exit = 1;
    outcome_.err += message + "\n";
    return outcome_;
  }

  void Do(const Command& c) {
    if (c.name == "new-session") return NewSession(c);
    if (c.name == "list-sessions") return ListSessions(c);
    if (c.name == "list-panes") return ListPanes(c);
    if (c.name == "set-option") return SetOption(c);
    if (c.name == "run-shell") return RunShell(c);
    if (c.name == "kill-server") return KillServer();
    const bool pane = c.name == "capture-pane" || c.name == "send-keys";
    std::string session;
    if (c.name != "display-message" || c.Has('t')) {
      if (!Find(c.Get('t'), pane, &session)) return;
    } else if (const auto all = server_.Sessions(); !all.empty()) {
      session = all.back();
    }
    if (c.name == "kill-session") server_.Kill(session);
    if (c.name == "send-keys") server_.Type(session, Typed(c));
    if (c.name == "capture-pane") Capture(c, session);
    if (c.name == "display-message" && c.Has('p')) {
      outcome_.out += Format(c.rest.empty() ? "" : c.rest[0], session) + "\n";
    }
  }

  void NewSession(const Command& c) {
    if (!c.Has('d')) return static_cast<void>(Fail("open terminal failed: not a terminal"));
    std::string name = c.Get('s');
    if (c.Has('s') && name.empty() && !c.rest.empty()) {
      return static_cast<void>(Fail("invalid session: "));
    }
    std::replace_if(
        name.begin(), name.end(), [](char letter) { return letter == '.' || letter == ':'; }, '_');
    for (int i = 0; name.empty(); ++i) {
      if (!server_.Has(std::to_string(i))) name = std::to_string(i);
    }
    if (server_.Has(name)) return static_cast<void>(Fail("duplicate session: " + name));
    server_.Create(name, c.rest);
  }

  void KillServer() {
    for (const std::string& name : server_.Sessions()) server_.Kill(name);
  }

  // The daemon's only option is that of a window; a server's or a session's are not kept.
  void SetOption(const Command& c) {
    const std::string target = c.Get('t');
    if (c.Has('s') || c.Has('g')) return;
    std::string session;
    if (server_.Sessions().empty()) {
      return static_cast<void>(
          Fail(c.Has('t') ? "no such window: " + target : "no current window"));
    }
    const Outcome before = outcome_;
    if (!Find(target, true, &session)) {
      outcome_ = before;
      return static_cast<void>(Fail("no such window: " + target));
    }
    if (c.rest[0] != "remain-on-exit") {
      return static_cast<void>(Fail("invalid option: " + c.rest[0]));
    }
    const std::string value =
        c.rest.size() > 1 ? c.rest[1] : (server_.Get(session).stays ? "off" : "on");
    if (value != "on" && value != "off" && value != "failed") {
      return static_cast<void>(Fail("unknown value: " + value));
    }
    server_.Stay(session, value != "off");
  }

  // No shell runs, but it has ended, and the server has seen that others have.
  void RunShell(const Command& c) {
    server_.Reap();
    if (!c.rest.empty() && !c.Has('b') && c.rest[0].starts_with("exit ")) {
      outcome_.exit = std::atoi(c.rest[0].c_str() + 5);
    }
  }

  // "=NAME" is that session; "NAME" may also be a prefix that only one session has; "" any. For a
  // pane the session's name ends in ':', or else it would be the name of a pane.
  bool Find(const std::string& target, bool pane, std::string* session) {
    if (server_.Sessions().empty()) {
      Fail("no current target");
      return false;
    }
    const std::size_t colon = target.find(':');
    const std::size_t period = target.find('.');
    std::string name = target.substr(0, colon);
    if (colon == std::string::npos && period != std::string::npos) {
      return NotFound("pane: " + target.substr(period + 1));
    }
    const bool exact = !name.empty() && name[0] == '=';
    if (exact) name.erase(0, 1);
    if (exact && pane && colon == std::string::npos) return NotFound("pane: " + target);
    *session = exact || server_.Has(name) ? name : ByPrefix(name);
    if (!server_.Has(*session)) {
      return NotFound((pane && colon == std::string::npos ? "pane: " : "session: ") + name);
    }
    if (colon != std::string::npos && target.size() > colon + 1) {
      if (target.substr(colon + 1) != "0") return NotFound("window: " + target.substr(colon + 1));
    }
    return true;
  }

  bool NotFound(const std::string& what) {
    Fail("can't find " + what);
    return false;
  }

  std::string ByPrefix(const std::string& prefix) const {
    std::string found;
    for (const std::string& name : server_.Sessions()) {
      if (!name.starts_with(prefix)) continue;
      if (!prefix.empty() && !found.empty()) return "";
      found = name;
    }
    return found;
  }

  // As a pane in cooked mode echoes it.
  static std::string Typed(const Command& c) {
    std::string text;
    for (const std::string& key : c.rest) {
      if (!c.Has('l') && key == "Enter") {
        text += '\n';
      } else if (!c.Has('l') && key == "Space") {
        text += ' ';
      } else {
        text += key;
      }
    }
    return text;
  }

  void Capture(const Command& c, const std::string& session) {
    if (!c.Has('p')) return;
    const std::vector<std::string> lines = server_.Screen(session);
    const auto history = static_cast<long>(lines.size()) - 24;
    const long above = std::min(-std::atol(c.Get('S').c_str()), history);
    for (auto at = static_cast<std::size_t>(history - above); at < lines.size(); ++at) {
      outcome_.out += lines[at] + "\n";
    }
  }

  void ListSessions(const Command& c) {
    for (const std::string& name : server_.Sessions()) {
      std::string format = c.Get('F');
      if (format.empty()) {
        const std::time_t created = std::atol(server_.Get(name).created.c_str());
        std::array<char, 64> text{};
        std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", std::localtime(&created));
        format = name + ": 1 windows (created " + text.data() + ")";
      }
      outcome_.out += Format(format, name) + "\n";
    }
  }

  void ListPanes(const Command& c) {
    std::vector<std::string> sessions = server_.Sessions();
    if (sessions.empty()) return static_cast<void>(Fail("no current target"));
    if (!c.Has('a')) {
      std::string one;
      if (!FindWindow(c.Get('t'), &one)) return;
      sessions = {one};
    }
    for (const std::string& name : sessions) {
      const std::string own = c.Has('a') ? "#{session_name}:0.0: [80x24]" : "0: [80x24]";
      outcome_.out += Format(c.Has('F') ? c.Get('F') : own, name) + "\n";
    }
  }

  // Where a window is meant, a lone name may be one.
  bool FindWindow(const std::string& target, std::string* session) {
    const Outcome before = outcome_;
    if (Find(target, false, session)) return true;
    if (target.find(':') == std::string::npos && target.find('.') == std::string::npos) {
      outcome_ = before;
      NotFound("window: " + target.substr(target.starts_with('=') ? 1 : 0));
    }
    return false;
  }

  // `#{name}` of what is known here; other names are empty, as in tmux.
  std::string Format(const std::string& format, const std::string& session) const {
    std::string text;
    for (std::size_t at = 0; at < format.size();) {
      const std::size_t end = format.compare(at, 2, "#{") == 0 ? format.find('}', at) : at;
      if (end == at || end == std::string::npos) {
        text += format[at++];
        continue;
      }
      const std::string name = format.substr(at + 2, end - at - 2);
      if (name == "session_name") text += session;
      if (name == "session_created") text += server_.Get(session).created;
      if (name == "session_windows") text += "1";
      if (name == "pane_dead") text += server_.Get(session).dead ? "1" : "0";
      if (name == "pane_dead_status") text += ExitTold(session);
      if (name == "socket_path") text += SocketPath();
      if (name == "pid") text += std::to_string(getpid());
      at = end + 1;
    }
    return text;
  }

  std::string ExitTold(const std::string& name) const {
    const Session session = server_.Get(name);
    return session.dead && session.reaped ? std::to_string(session.exit.value_or(0)) : "";
  }

  TmuxServer server_;
  std::string passing_;  // of a server that has no session any more
  Outcome outcome_;
};

Outcome Serve(const Args& args, const std::string& passing) {
  return Tmux(TmuxServer(StateDirectory()), passing).Run(args);
}

Outcome Work(const Args& args, const Behaviour& behaviour) {
  if (!args.empty() && args[0] == "-V") return {0, "tmux 3.3a\n", ""};
  const ServerTurn turn(StateDirectory());
  Keep();  // not before: a client that is killed while it waits has asked all the same
  for (const Args& late : TakeBroken()) Serve(late, "");
  return Serve(args, behaviour.passing);
}

}  // namespace
}  // namespace oj::fakes

int main(int argc, char** argv) {
  using namespace oj::fakes;
  return RunFake({"tmux", Work, Promise}, {argv + 1, argv + argc});
}
