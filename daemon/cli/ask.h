// Ask: one request to the daemon, which is started where need be, and every way in which that can
// fail, in words.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "cli/client.h"
#include "cli/command.h"

namespace oj::cli {

struct Question {
  std::string command = {};          // "session peek"
  std::string object = {};           // "work", or empty
  boost::json::object request = {};  // without timeout_ms
  std::string tool = {};             // the tool that the daemon runs for it, or empty
  std::string check = {};            // for changes: the command that shows whether it took effect
  bool lasts = false;                // ojd goes on with it when the client has gone
  bool starts = true;                // a daemon where none runs

  std::string Name() const { return object.empty() ? command : command + " " + object; }
};

struct Reply {
  std::string text;  // as received
  boost::json::object object = {};
  int daemon_pid = 0;
  Duration took{};  // of the exchange

  std::string Line() const;  // the text on one line, for --output json
};

// Asks once, never twice. The limit is settings.ipc, not counting the start of a daemon. A reply of
// type Error is a Failure, and so is one whose type is not `expected`.
Outcome<Reply> Ask(const Invocation& invocation, Question question, const std::string& expected);

// The same on a connection that is there already.
Outcome<Reply> AskOn(Connection& connection, const Invocation& invocation, const Question& question,
                     const std::string& expected, Deadline deadline);

// What a user is told of an error of the client itself. `pid` of the daemon, or 0.
Failure Explain(const ClientError& error, const Settings& settings, const Question& question,
                int pid);

}  // namespace oj::cli
