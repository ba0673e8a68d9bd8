// What a user is told of a request that did not go well.
#pragma once

#include <string>
#include <string_view>

#include "cli/client.h"
#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/question.h"

namespace oj::cli {

// Of an error of the client itself. `pid` of the daemon, or 0.
Failure Explain(const ClientError& error, const Settings& settings, const Question& question,
                int pid);

// Of an Error of the daemon, `text` as received. `timeout`: what the daemon was told of the limit.
Failure ExplainReply(const boost::json::object& error, std::string text, const Settings& settings,
                     const Question& question, Duration timeout);

// Nobody listens on the socket: either no daemon runs, or one starts or ends.
std::string NotRunningText(const Settings& settings);

// Of something that is no reply to this question.
Failure BadReply(const Question& question, const std::string& what);

// The exit status for a code of PROTOCOL.md.
Exit ExitOf(std::string_view code);

}  // namespace oj::cli
