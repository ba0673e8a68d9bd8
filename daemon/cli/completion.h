// Completion of what a user types. The scripts that shells read ask `oj __complete -- WORD...`,
// whose last word is the one to complete; it prints "word<TAB>what it is" lines. A line ":dirs",
// ":files" or ":commands" asks the shell for its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace oj::cli {

// The script for "bash", "zsh" or "fish".
std::string CompletionScript(const std::string& shell);

// Whether it is known what may stand for a value of this name, or that nobody knows.
bool KnowsValue(std::string_view name);

// What may come in the place of the last of `words`. Ids come from the daemon, where one runs.
std::string Complete(const std::vector<std::string>& words, const Invocation& invocation);

}  // namespace oj::cli
