// Ask: one request to the daemon, which is started where need be.
#pragma once

#include <string>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/question.h"

namespace oj::cli {

// Asks; a second time only where the question is repeatable and the connection broke. The limit is
// settings.ipc, not counting the start of a daemon. A reply of type Error is a Failure, and so is
// one whose type is not `expected`.
Outcome<Reply> Ask(const Invocation& invocation, Question question, const std::string& expected);

// The same, once, on a connection that is there already.
Outcome<Reply> AskOn(Connection& connection, const Invocation& invocation, const Question& question,
                     const std::string& expected, Deadline deadline);

}  // namespace oj::cli
