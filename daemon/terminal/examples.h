// The examples in the help of a command: the lines after "Example:" in its footer that begin with
// two blanks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oj::terminal {

std::vector<std::string> ExamplesIn(const std::string& footer);

// The lines before these.
std::vector<std::string> LinesBeforeExamples(const std::string& footer);

// The words of each call of `program` in a line for a shell, without the program: what is before
// and after it in pipes, lists and substitutions, variables and quotes are understood as far as
// examples need it. A comment ends the line.
std::vector<std::vector<std::string>> CallsIn(std::string_view line, std::string_view program);

}  // namespace oj::terminal
