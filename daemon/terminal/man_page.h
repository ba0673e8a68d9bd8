// Manual pages: prose from a file beside the program, commands and options from the program's own
// grammar.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oj::terminal {

// `text` as troff shows it, as it is.
std::string Escaped(std::string_view text);

// The options of this command, as paragraphs.
std::string OptionsAsMan(const CLI::App& app);

// All commands below this one that do something: synopsis, what they do, options, what else their
// footers tell, examples. Those in the group "" are left out.
std::string CommandsAsMan(const CLI::App& app);

// A paragraph with a tag, as in a list of options. Both are troff.
std::string Tagged(const std::string& tag, const std::string& text);

// `prose` with each line "@NAME@" as the part of that name. Throws std::runtime_error if there is
// no such part, or one that the prose does not name.
std::string ManPage(std::string_view prose, const std::map<std::string, std::string>& parts);

// For the main() of a generator: reads the prose from `from`, writes the page to `to`. 0, or 1
// after telling what is wrong.
int WriteManPage(const std::string& from, const std::string& to,
                 const std::map<std::string, std::string>& parts);

}  // namespace oj::terminal
