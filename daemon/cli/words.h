// What users type: checks before anything is asked of the daemon. Failures are kExitUsage.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/outcome.h"

namespace oj::cli {

Failure Usage(const std::string& command, const std::string& message);

// An id, or the beginning of one. `kind`: "session".
std::optional<Failure> CheckId(const std::string& command, const std::string& kind,
                               const std::string& id);

// JSON carries UTF-8 only; what is not would arrive changed.
std::optional<Failure> CheckUtf8(const std::string& command, const std::string& what,
                                 const std::string& text);

// The path as the daemon needs it, absolute; empty: the working directory. It must be a directory.
// `option`: where it was given.
Outcome<std::string> DirectoryPath(const std::string& command, const std::string& option,
                                   const std::string& path);

// The words of a program to run.
Outcome<boost::json::array> ProgramWords(const std::string& command,
                                         const std::vector<std::string>& words);

// The words joined by blanks. Failure: there are none.
Outcome<std::string> TextWords(const std::string& command, const std::vector<std::string>& words);

}  // namespace oj::cli
