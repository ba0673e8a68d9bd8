// Question and Reply: one request to the daemon and what came back.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "oj/deadline.h"

namespace oj::cli {

// How far a request with several units has got.
struct Progress {
  std::int64_t done = 0;
  std::int64_t total = 0;
  std::string item = {};     // the last that was done
  std::string message = {};  // what is under way, or empty
};

struct Question {
  std::string command = {};          // "session peek"
  std::string object = {};           // "work", or empty
  boost::json::object request = {};  // without timeout_ms, request_id, progress
  std::string tool = {};             // the tool that the daemon runs for it, or empty
  std::string check = {};            // for changes: the command that shows whether it took effect
  bool lasts = false;                // ojd goes on with it when the client has gone
  bool starts = true;                // a daemon where none runs
  // A change that may be asked for twice: it gets a request_id, and is asked for once more if the
  // connection breaks before the reply.
  bool repeatable = false;
  // Where set, the daemon is asked for progress, and the limit counts from the last of it.
  std::function<void(const Progress&)> on_progress = {};

  // Ten times a second while it waits; may be empty.
  std::function<void()> on_tick = {};

  std::string Name() const { return object.empty() ? command : command + " " + object; }
};

struct Reply {
  std::string text;  // as received
  boost::json::object object = {};
  int daemon_pid = 0;
  Duration took{};  // of the exchange

  std::string Line() const;  // the text on one line, for --output json
};

}  // namespace oj::cli
