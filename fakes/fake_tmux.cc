// A tmux that obeys: the commands that the daemon uses, with the exit codes and messages of tmux
// 3.3a; how it disobeys is in behaviour.h. tests/fakes holds it against the real one.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "behaviour.h"
#include "tmux_server.h"

namespace oj::fakes {
namespace {

using Args = std::vector<std::string>;

// One command of a sequence, its options parsed.
struct Command {
  std::string name;
  std::multimap<char, std::string> options;
  Args rest;

  bool Has(char option) const { return options.contains(option); }
  std::string Get(char option) const {
    const auto at = options.find(option);
    return at == options.end() ? "" : at->second;
  }
};

struct Syntax {
  std::string_view name;
  std::string_view alias;
  std::string_view options;  // as getopt has them
  int most;                  // arguments; -1: any number
};
constexpr Syntax kCommands[] = {
    {"capture-pane", "capturep", "ab:CeE:JNpPqS:Tt:", 0},
    {"display-message", "display", "aIc:d:lNpt:F:v", 1},
    {"has-session", "has", "t:", 0},
    {"kill-server", "", "", 0},
    {"kill-session", "", "aCt:", 0},
    {"list-sessions", "ls", "F:f:", 0},
    {"new-session", "new", "Ac:dDe:EF:f:n:Ps:t:x:Xy:", -1},
    {"send-keys", "send", "FHlMN:Rt:X", -1},
};

std::string SocketPath() {
  const char* directory = std::getenv("TMUX_TMPDIR");
  return std::string(directory == nullptr || *directory == 0 ? "/tmp" : directory) + "/tmux-" +
         std::to_string(getuid()) + "/default";
}

// tmux's rule: an argument that ends in ';' ends the command, unless it ends in '\;'.
std::vector<Args> SplitSequence(const Args& args) {
  std::vector<Args> sequence(1);
  for (std::string arg : args) {
    bool last = false;
    if (!arg.empty() && arg.back() == ';') {
      arg.pop_back();
      last = arg.empty() || arg.back() != '\\';
      if (!last) arg.back() = ';';
    }
    if (!last || !arg.empty()) sequence.back().push_back(arg);
    if (last && !sequence.back().empty()) sequence.emplace_back();
  }
  if (sequence.back().empty()) sequence.pop_back();
  return sequence;
}

// Options stop at "--", at the first other argument, and at a lone "-". Returns an error or "".
std::string ParseOptions(const Args& args, const Syntax& syntax, Command* to) {
  std::size_t at = 1;
  for (; at < args.size() && args[at].size() > 1 && args[at][0] == '-'; ++at) {
    if (args[at] == "--") {
      ++at;
      break;
    }
    for (std::size_t i = 1; i < args[at].size(); ++i) {
      const char option = args[at][i];
      const std::size_t known =
          option == ':' ? std::string_view::npos : syntax.options.find(option);
      if (known == std::string_view::npos) {
        return "command " + to->name + ": unknown flag -" + option;
      }
      if (syntax.options.substr(known + 1, 1) != ":") {
        to->options.emplace(option, "");
        continue;
      }
      std::string value = args[at].substr(i + 1);
      if (value.empty() && at + 1 < args.size()) value = args[++at];
      to->options.emplace(option, value);
      break;
    }
  }
  to->rest.assign(args.begin() + static_cast<std::ptrdiff_t>(std::min(at, args.size())),
                  args.end());
  if (syntax.most >= 0 && to->rest.size() > static_cast<std::size_t>(syntax.most)) {
    return "command " + to->name + ": too many arguments (need at most " +
           std::to_string(syntax.most) + ")";
  }
  return "";
}

std::string Parse(const Args& args, Command* to) {
  for (const Syntax& syntax : kCommands) {
    if (args[0] != syntax.name && (syntax.alias.empty() || args[0] != syntax.alias)) continue;
    to->name = syntax.name;
    return ParseOptions(args, syntax, to);
  }
  return "unknown command: " + args[0];
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
    std::string error;
    for (const Args& one : SplitSequence(args)) {
      if (error = Parse(one, &commands.emplace_back()); !error.empty()) break;
    }
    const bool starts =
        error.empty() &&
        (commands.empty() || std::any_of(commands.begin(), commands.end(),
                                         [](auto& c) { return c.name == "new-session"; }));
    if (!starts && passing_.empty() && server_.Sessions().empty()) return NoServer();
    if (!error.empty()) return Fail(error);
    for (const Command& command : commands) {
      if (Do(command); outcome_.exit != 0) break;
    }
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
    server_.Create(name);
  }

  void KillServer() {
    for (const std::string& name : server_.Sessions()) server_.Kill(name);
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
        const std::time_t created = std::atol(server_.Created(name).c_str());
        std::array<char, 64> text{};
        std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", std::localtime(&created));
        format = name + ": 1 windows (created " + text.data() + ")";
      }
      outcome_.out += Format(format, name) + "\n";
    }
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
      if (name == "session_created") text += server_.Created(session);
      if (name == "session_windows") text += "1";
      if (name == "socket_path") text += SocketPath();
      if (name == "pid") text += std::to_string(getpid());
      at = end + 1;
    }
    return text;
  }

  TmuxServer server_;
  std::string passing_;  // of a server that has no session any more
  Outcome outcome_;
};

Outcome Work(const Args& args, const Behaviour& behaviour) {
  if (!args.empty() && args[0] == "-V") return {0, "tmux 3.3a\n", ""};
  return Tmux(TmuxServer(StateDirectory()), behaviour.passing).Run(args);
}

}  // namespace
}  // namespace oj::fakes

int main(int argc, char** argv) {
  return oj::fakes::RunFake("tmux", {argv + 1, argv + argc}, oj::fakes::Work);
}
