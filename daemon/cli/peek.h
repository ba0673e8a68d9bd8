// peek: what a session's screen shows.
#pragma once

#include <string>

#include "cli/command.h"

namespace oj::cli {

struct PeekOptions {
  std::string id;
  bool color = false;
  int lines = 40;
};

// `command`: as it was called. The id is a session's, or the beginning of one.
Outcome<Said> Peek(const std::string& command, const PeekOptions& options,
                   const Invocation& invocation);

// `name`: of the positional, SESSION or AGENT.
void AddPeekCommand(CLI::App& parent, Invocation& invocation, const std::string& name,
                    const std::string& about, const std::string& example,
                    Outcome<Said> (*run)(PeekOptions, const Invocation&));

}  // namespace oj::cli
