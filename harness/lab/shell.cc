#include "lab/shell.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "scenario/twin_world.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> Split(const std::vector<std::string>& entries) {
  std::map<std::string, std::string> split;
  for (const std::string& entry : entries) {
    const std::size_t equals = entry.find('=');
    split[entry.substr(0, equals)] = entry.substr(std::min(entry.size(), equals + 1));
  }
  return split;
}

// The user's own files may set PATH: the lab's comes back in front of it.
constexpr const char* kBash = R"([ -r /etc/bash.bashrc ] && . /etc/bash.bashrc
[ -r ~/.bashrc ] && . ~/.bashrc
PATH=$OJ_LAB_PATH:$PATH
PS1="(lab) $PS1"
)";
constexpr const char* kZsh = R"(ZDOTDIR=${OJ_LAB_ZDOTDIR:-$HOME}
[ -r "$ZDOTDIR/.zshrc" ] && . "$ZDOTDIR/.zshrc"
PATH=$OJ_LAB_PATH:$PATH
PROMPT="(lab) $PROMPT"
)";
constexpr const char* kFish =
    "set -gx PATH (string split : $OJ_LAB_PATH) $PATH; functions -c fish_prompt lab_prompt; "
    "function fish_prompt; echo -n '(lab) '; lab_prompt; end";

}  // namespace

std::string OwnVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Variables Difference(const std::vector<std::string>& wanted) {
  std::vector<std::string> own;
  for (char** at = environ; *at != nullptr; ++at) own.emplace_back(*at);
  const auto have = Split(own);
  const auto want = Split(wanted);
  Variables difference;
  for (const auto& [name, value] : want) {
    const auto at = have.find(name);
    if (at == have.end() || at->second != value) difference.push_back(name + "=" + value);
  }
  for (const auto& [name, value] : have) {
    if (!want.contains(name)) difference.push_back(name);
  }
  return difference;
}

Status SaveVariables(const Variables& variables, const std::string& file) {
  std::string text;
  for (const std::string& each : variables) text += each + '\0';
  return WriteAtOnce(file, text);
}

Variables LoadVariables(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  Variables variables;
  for (std::string entry; std::getline(in, entry, '\0');) variables.push_back(entry);
  return variables;
}

Result<Shell> UserShell(const std::string& directory) {
  std::string path = OwnVariable("SHELL");
  if (path.empty() || access(path.c_str(), X_OK) != 0) path = "/bin/sh";
  const std::string name = fs::path(path).filename();
  if (name == "bash") {
    const Status written = WriteAtOnce(directory + "/bashrc", kBash);
    if (!written.ok()) return written.error();
    return Shell{{path, "--rcfile", directory + "/bashrc"}, {}};
  }
  if (name == "zsh") {
    std::error_code error;
    fs::create_directories(directory + "/zsh", error);
    const Status written = WriteAtOnce(directory + "/zsh/.zshrc", kZsh);
    if (!written.ok()) return written.error();
    return Shell{{path},
                 {"OJ_LAB_ZDOTDIR=" + OwnVariable("ZDOTDIR"), "ZDOTDIR=" + directory + "/zsh"}};
  }
  if (name == "fish") return Shell{{path, "-C", kFish}, {}};
  return Shell{{path}, {"PS1=(lab) $ "}};
}

namespace {

// Changes this process's environment.
void Apply(const Variables& variables) {
  for (const std::string& each : variables) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos) {
      unsetenv(each.c_str());
    } else {
      setenv(each.substr(0, equals).c_str(), each.c_str() + equals + 1, 1);
    }
  }
}

}  // namespace

int Become(const Shell& shell, const Variables& variables) {
  Apply(variables);
  Apply(shell.variables);
  std::vector<char*> argv;
  for (const std::string& word : shell.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  return errno;
}

}  // namespace oj::sim
