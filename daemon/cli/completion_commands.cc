// oj completion, and what its scripts call.
#include <memory>

#include "cli/completion.h"

namespace oj::cli {
namespace {

constexpr const char* kBash = R"(# Completion of oj for bash: source <(oj completion bash)
_oj() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :dirs) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
      :files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
      :commands) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _oj oj
)";

constexpr const char* kZsh = R"(#compdef oj
# Completion of oj for zsh: source <(oj completion zsh), or as _oj in a directory of $fpath
_oj() {
  local -a lines found
  local line
  lines=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      :dirs) [[ $PREFIX == --*=* ]] && compset -P 1 '*='; _files -/; return ;;
      :files) [[ $PREFIX == --*=* ]] && compset -P 1 '*='; _files; return ;;
      :commands) _command_names -e; return ;;
      *) found+=("${line%%$'\t'*}:${line#*$'\t'}") ;;
    esac
  done
  (( $#found )) && _describe oj found
}
if [[ $funcstack[1] == _oj ]]; then _oj "$@"; else compdef _oj oj; fi
)";

constexpr const char* kFish = R"(# Completion of oj for fish: oj completion fish | source
function __oj_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (oj __complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':dirs'
                __fish_complete_directories (commandline -ct)
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':commands'
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete -c oj -f -a '(__oj_complete)'
)";

}  // namespace

std::string CompletionScript(const std::string& shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
}

void AddCompletionCommands(CLI::App& app, Invocation& invocation) {
  auto shell = std::make_shared<std::string>();
  CLI::App& completion = AddCommand(
      app, invocation, "completion", "Print a script that completes oj's words in a shell.",
      "source <(oj completion bash)",
      [shell](const Invocation&) -> Outcome<Said> { return Said{CompletionScript(*shell)}; });
  completion.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  CLI::App& complete = AddCommand(
      app, invocation, "__complete", "What may come next.", "oj __complete -- session",
      [](const Invocation& given) -> Outcome<Said> { return Said{Complete(given.tail, given)}; });
  complete.group("");
}

}  // namespace oj::cli
