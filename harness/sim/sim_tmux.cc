#include "sim/sim_tmux.h"

#include <algorithm>
#include <span>

namespace oj::sim {
namespace {

constexpr std::size_t kRows = 24;
constexpr std::string_view kSocket = "/tmp/tmux-0/default";

struct Syntax {
  std::string_view name;
  std::string_view valued;  // options with a value
};
constexpr Syntax kCommands[] = {
    {"capture-pane", "bEStJ"}, {"display-message", "cdtF"},  {"has-session", "t"},
    {"kill-server", ""},       {"kill-session", "t"},        {"list-panes", "Fft"},
    {"list-sessions", "Ff"},   {"new-session", "ceFfnstxy"}, {"send-keys", "Nt"},
    {"run-shell", "cdt"},      {"set-option", "t"},
};

void Fail(ToolAnswer& answer, std::string_view what, std::string_view object = "") {
  answer.exit = 1;
  ((answer.err += what) += object) += '\n';
}

}  // namespace

// One command of a sequence; views into its arguments.
struct SimTmux::Command {
  std::string_view name;
  std::string_view target;   // -t
  std::string_view session;  // -s
  std::string_view format;   // -F
  bool literal = false;      // -l
  bool print = false;        // -p
  bool detached = false;     // -d
  std::span<const std::string_view> rest;

  // False: it is no command that is known here.
  bool Parse(std::span<const std::string_view> args) {
    name = args[0];
    const auto* syntax = std::find_if(std::begin(kCommands), std::end(kCommands),
                                      [this](const Syntax& each) { return each.name == name; });
    if (syntax == std::end(kCommands)) return false;
    std::size_t at = 1;
    for (; at < args.size() && args[at].size() > 1 && args[at][0] == '-'; ++at) {
      if (args[at] == "--") {
        ++at;
        break;
      }
      at = Options(args, at, syntax->valued);
    }
    rest = args.subspan(std::min(at, args.size()));
    return true;
  }

 private:
  // Returns where the last of the options' words is.
  std::size_t Options(std::span<const std::string_view> args, std::size_t at,
                      std::string_view valued) {
    for (std::size_t i = 1; i < args[at].size(); ++i) {
      const char option = args[at][i];
      if (valued.find(option) == std::string_view::npos) {
        literal = literal || option == 'l';
        print = print || option == 'p';
        detached = detached || option == 'd';
        continue;
      }
      std::string_view value = args[at].substr(i + 1);
      if (value.empty() && at + 1 < args.size()) value = args[++at];
      if (option == 't') target = value;
      if (option == 's') session = value;
      if (option == 'F') format = value;
      break;
    }
    return at;
  }
};

namespace {

// An argument that ends in ';' ends a command, unless it ends in '\;'. `kept` owns what changes.
std::vector<std::vector<std::string_view>> Split(const std::vector<std::string>& argv,
                                                 std::vector<std::string>& kept) {
  std::vector<std::vector<std::string_view>> sequence(1);
  kept.reserve(argv.size());  // views stay valid
  sequence.back().reserve(argv.size());
  for (std::size_t i = 1; i < argv.size(); ++i) {
    std::string_view arg = argv[i];
    bool last = false;
    if (!arg.empty() && arg.back() == ';') {
      arg.remove_suffix(1);
      last = arg.empty() || arg.back() != '\\';
      if (!last) {
        kept.emplace_back(arg).back() = ';';
        arg = kept.back();
      }
    }
    if (!last || !arg.empty()) sequence.back().push_back(arg);
    if (last && !sequence.back().empty()) sequence.emplace_back();
  }
  if (sequence.back().empty()) sequence.pop_back();
  return sequence;
}

std::string Typed(std::span<const std::string_view> keys, bool literal) {
  std::string text;
  for (const std::string_view key : keys) {
    if (!literal && key == "Enter") {
      text += '\n';
    } else if (!literal && key == "Space") {
      text += ' ';
    } else {
      text += key;
    }
  }
  return text;
}

// `#{session_name}` and its like; other names are empty.
void Format(std::string_view format, std::string_view id, const TmuxSession& session,
            std::string& to) {
  for (std::size_t at = 0; at < format.size();) {
    const std::size_t end = format.compare(at, 2, "#{") == 0 ? format.find('}', at) : at;
    if (end == at || end == std::string_view::npos) {
      to += format[at++];
      continue;
    }
    const std::string_view name = format.substr(at + 2, end - at - 2);
    if (name == "session_name") to += id;
    if (name == "session_created") to += "1700000000";
    if (name == "session_windows") to += '1';
    if (name == "pane_dead") to += session.dead ? '1' : '0';
    if (name == "pane_dead_status" && session.reaped) to += '0';
    if (name == "pid") to += "99";
    at = end + 1;
  }
  to += '\n';
}

void Capture(const std::string& screen, std::string& to) {
  to += screen;
  if (!screen.empty() && screen.back() != '\n') to += '\n';
  const auto lines = static_cast<std::size_t>(std::count(to.begin(), to.end(), '\n'));
  if (lines < kRows) to.append(kRows - lines, '\n');
}

}  // namespace

void SimTmux::Create(const std::string& id, std::string screen) {
  sessions_[id].screen = std::move(screen);
  ever_ran_ = true;
  Note(id);
}

std::string SimTmux::Shown(const std::string& screen) {
  std::string text;
  Capture(screen, text);
  return text;
}

void SimTmux::Note(std::string_view id) {
  const auto at = history_.try_emplace(std::string(id)).first;
  const auto session = sessions_.find(id);
  State state{++version_, session != sessions_.end(), 0, {}};
  if (state.there) {
    const bool was = !at->second.empty() && at->second.back().there;
    state.made = was ? at->second.back().made : version_;
    state.screen = session->second.screen;
  }
  at->second.push_back(std::move(state));
}

void SimTmux::MarkLate(std::uint64_t since) {
  for (auto& [id, session] : sessions_) {
    session.late = session.late || history_.find(id)->second.back().made > since;
  }
}

void SimTmux::PowerOff() {
  while (!sessions_.empty()) {
    const std::string id = sessions_.begin()->first;
    sessions_.erase(sessions_.begin());
    Note(id);
  }
  ever_ran_ = false;
}

void SimTmux::EndPrograms() {
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    at->second.dead = at->second.dead || at->second.ends;
    if (!at->second.dead || at->second.stays) {
      ++at;
      continue;
    }
    const std::string id = at->first;
    at = sessions_.erase(at);
    Note(id);
  }
}

// tmux 3.3a may miss that a program has ended while it takes the pane out of utmp.
void SimTmux::Reap() {
  for (auto& [id, session] : sessions_) session.reaped = session.dead;
}

ToolAnswer SimTmux::Execute(const std::vector<std::string>& argv, Passing passing) {
  ToolAnswer answer;
  if (argv.size() > 1 && argv[1] == "-V") {
    answer.out = "tmux 3.3a\n";
    return answer;
  }
  if (running() || !ever_ran_) passing = Passing::kGone;
  if (passing == Passing::kExits) {
    Fail(answer, "server exited unexpectedly");
    return answer;
  }
  std::vector<std::string> kept;
  const auto sequence = Split(argv, kept);
  std::vector<Command> commands(sequence.size());
  bool starts = false;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (!commands[i].Parse(sequence[i])) {
      Fail(answer, "unknown command: ", sequence[i][0]);
      return answer;
    }
    starts = starts || commands[i].name == "new-session";
  }
  if (!starts && !running() && passing == Passing::kGone) return NoServer();
  for (const Command& command : commands) {
    Do(command, answer);
    if (answer.exit != 0) break;
  }
  EndPrograms();
  return answer;
}

// The server exits with its last session; its socket stays.
ToolAnswer SimTmux::NoServer() const {
  ToolAnswer answer;
  if (ever_ran_) {
    Fail(answer, "no server running on ", kSocket);
  } else {
    Fail(answer, "error connecting to /tmp/tmux-0/default (No such file or directory)");
  }
  return answer;
}

void SimTmux::Do(const Command& command, ToolAnswer& answer) {
  if (command.name == "new-session") return NewSession(command, answer);
  if (command.name == "list-sessions") {
    return List(command, "#{session_name}: 1 windows", answer);
  }
  if (command.name == "list-panes") {
    if (!running()) return Fail(answer, "no current target");
    return List(command, "#{session_name}:0.0: [80x24]", answer);
  }
  if (command.name == "kill-server") return sessions_.clear();
  if (command.name == "run-shell") return Reap();
  const bool pane =
      command.name == "capture-pane" || command.name == "send-keys" || command.name == "set-option";
  std::string_view id;
  TmuxSession* session = nullptr;
  if (command.name != "display-message" || !command.target.empty()) {
    session = Find(command.target, pane, answer, id);
    if (session == nullptr && command.name == "set-option" && running()) {
      answer.err.clear();
      Fail(answer, "no such window: ", command.target);
    }
    if (session == nullptr) return;
  }
  if (command.name == "kill-session") {
    const std::string gone(id);
    sessions_.erase(gone);
    return Note(gone);
  }
  if (command.name == "send-keys") {
    session->screen += Typed(command.rest, command.literal);
    Note(id);
  }
  if (command.name == "capture-pane" && command.print) Capture(session->screen, answer.out);
  if (command.name == "set-option" && command.rest.size() == 2) {
    session->stays = command.rest[0] == "remain-on-exit" && command.rest[1] == "on";
  }
  if (command.name == "display-message" && command.print) {
    Format(command.rest.empty() ? "" : command.rest[0], id, TmuxSession{}, answer.out);
  }
}

void SimTmux::NewSession(const Command& command, ToolAnswer& answer) {
  if (!command.detached) return Fail(answer, "open terminal failed: not a terminal");
  std::string id(command.session);
  std::replace_if(
      id.begin(), id.end(), [](char letter) { return letter == '.' || letter == ':'; }, '_');
  for (int i = 0; id.empty(); ++i) {
    if (!Has(std::to_string(i))) id = std::to_string(i);
  }
  if (Has(id)) return Fail(answer, "duplicate session: ", id);
  Create(id, "");
  sessions_[id].ends = !command.rest.empty() && command.rest.back() == "true";
}

// `format`: where the command has none. Every session has one pane.
void SimTmux::List(const Command& command, std::string_view format, ToolAnswer& answer) const {
  if (!command.format.empty()) format = command.format;
  for (const auto& [id, session] : sessions_) Format(format, id, session, answer.out);
}

// "=ID" is that session; "ID" may also be a prefix that only one has. For a pane ':' follows.
TmuxSession* SimTmux::Find(std::string_view target, bool pane, ToolAnswer& answer,
                           std::string_view& id) {
  if (!running()) {
    Fail(answer, "no current target");
    return nullptr;
  }
  const std::size_t colon = target.find(':');
  std::string_view name = target.substr(0, colon);
  const bool exact = !name.empty() && name[0] == '=';
  if (exact) name.remove_prefix(1);
  const bool misread = exact && pane && colon == std::string_view::npos;
  auto at = misread ? sessions_.end() : sessions_.find(name);
  if (at == sessions_.end() && !exact) {
    at = sessions_.lower_bound(name);
    const auto next = at == sessions_.end() ? at : std::next(at);
    const bool fits = at != sessions_.end() && at->first.starts_with(name);
    const bool only = next == sessions_.end() || !next->first.starts_with(name) || name.empty();
    if (!fits || !only) at = sessions_.end();
  }
  if (at == sessions_.end()) {
    const bool session = !pane || colon != std::string_view::npos;
    Fail(answer, session ? "can't find session: " : "can't find pane: ", misread ? target : name);
    return nullptr;
  }
  id = at->first;
  return &at->second;
}

}  // namespace oj::sim
