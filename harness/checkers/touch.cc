#include "checkers/touch.h"

#include <algorithm>

namespace oj::sim {
namespace {

constexpr std::string_view kReaders[] = {"status",   "ls-files",     "rev-list", "log",
                                         "show-ref", "for-each-ref", "diff",     "cat-file"};

std::string_view TakeWord(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

bool ChangesSession(std::string_view command) {
  return command == "new-session" || command == "kill-session" || command == "send-keys";
}

std::string_view WithoutGitDir(std::string_view directory) {
  if (directory.ends_with("/.git")) directory.remove_suffix(std::string_view("/.git").size());
  return directory;
}

// `worktree add [-b BRANCH] PATH START`, `worktree remove --force --force -- PATH`.
std::string_view TreeOf(std::string_view command, std::string_view arguments) {
  while (true) {
    const std::string_view word = TakeWord(arguments);
    if (word.empty()) return "";
    if (command == "add" && (word == "-b" || word == "-B")) {
      TakeWord(arguments);
    } else if (!word.starts_with('-')) {
      return word;
    }
  }
}

void AddGit(std::string_view arguments, Touches& to) {
  std::string_view directory;
  std::string_view word = TakeWord(arguments);
  for (; word.starts_with('-'); word = TakeWord(arguments)) {
    if (word == "-C") directory = TakeWord(arguments);
    if (word == "-c") TakeWord(arguments);
  }
  if (word.empty() || word == "rev-parse") return;
  if (word == "status" || word == "ls-files") {
    return to.Add(Touch::What::kTree, directory, false);
  }
  const std::string_view repo = WithoutGitDir(directory);
  if (word != "worktree") {
    const bool reads =
        std::find(std::begin(kReaders), std::end(kReaders), word) != std::end(kReaders);
    return to.Add(Touch::What::kRepo, repo, !reads);
  }
  const std::string_view command = TakeWord(arguments);
  if (command == "list") return to.Add(Touch::What::kRepo, repo, false);
  to.Add(Touch::What::kRepo, repo, true);
  if (command != "prune") to.Add(Touch::What::kTree, TreeOf(command, arguments), true);
}

}  // namespace

Touches TouchesOf(std::string_view argv) {
  Touches touches;
  std::string_view rest = argv;
  std::string_view tool = TakeWord(rest);
  tool.remove_prefix(std::min(tool.size(), tool.rfind('/') + 1));
  if (tool == "git") {
    AddGit(rest, touches);
  } else {
    touches.Add(Touch::What::kSession, SessionOf(argv), ChangesSession(CommandOf(argv)));
  }
  return touches;
}

std::string_view CommandOf(std::string_view argv) {
  TakeWord(argv);
  return TakeWord(argv);
}

std::string_view SessionOf(std::string_view argv) {
  TakeWord(argv);
  TakeWord(argv);
  while (!argv.empty()) {
    const std::string_view word = TakeWord(argv);
    if (word == "--") return "";
    if (word != "-t" && word != "-s") continue;
    std::string_view id = TakeWord(argv);
    if (id.starts_with('=')) id.remove_prefix(1);
    return id.substr(0, id.find(':'));
  }
  return "";
}

bool CoveredBy(std::string_view key, const Touch& touch) {
  const std::size_t colon = key.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view kind = key.substr(0, colon);
  const std::string_view name = key.substr(colon + 1);
  switch (touch.what) {
    case Touch::What::kSession:
      return kind == "session" && touch.name == name;
    case Touch::What::kRepo:
      return kind == "repo" && touch.name == WithoutGitDir(name);
    case Touch::What::kTree:
      return kind == "workspace" && touch.name.ends_with(name) &&
             touch.name.substr(0, touch.name.size() - name.size()).ends_with("/");
  }
  return false;
}

}  // namespace oj::sim
