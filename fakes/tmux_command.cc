#include "tmux_command.h"

#include <string_view>

namespace oj::fakes {
namespace {

struct Syntax {
  std::string_view name;
  std::string_view alias;
  std::string_view options;  // as getopt has them
  int least;                 // arguments
  int most;                  // -1: any number
};
constexpr Syntax kCommands[] = {
    {"capture-pane", "capturep", "ab:CeE:JNpPqS:Tt:", 0, 0},
    {"display-message", "display", "aIc:d:lNpt:F:v", 0, 1},
    {"has-session", "has", "t:", 0, 0},
    {"kill-server", "", "", 0, 0},
    {"kill-session", "", "aCt:", 0, 0},
    {"list-panes", "lsp", "aF:f:st:", 0, 0},
    {"list-sessions", "ls", "F:f:", 0, 0},
    {"new-session", "new", "Ac:dDe:EF:f:n:Ps:t:x:Xy:", 0, -1},
    {"run-shell", "run", "bd:Ct:", 0, 1},
    {"send-keys", "send", "FHlMN:Rt:X", 0, -1},
    {"set-option", "set", "aFgopqst:uUw", 1, 2},
};

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
  if (to->rest.size() < static_cast<std::size_t>(syntax.least)) {
    return "command " + to->name + ": too few arguments (need at least " +
           std::to_string(syntax.least) + ")";
  }
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

}  // namespace

std::string ParseCommands(const Args& args, std::vector<Command>* to) {
  for (const Args& one : SplitSequence(args)) {
    if (std::string error = Parse(one, &to->emplace_back()); !error.empty()) return error;
  }
  return "";
}

}  // namespace oj::fakes
