// WaitForest: who waits for whom: each request below the one that holds what it waits for.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace oj::cli {

struct WaitRow {
  std::string name;  // with the lines of the tree before it: "└─r7"
  std::string type;
  std::string client;
  std::string age;
  std::string left;
  std::string waits_for;  // a subprocess, or a lease and its holder
  bool blocked = false;   // it waits for a lease
  bool cancelling = false;
};

// From the replies to Requests and Locks. A holder that is no request any more has a row,
// too, and so has what the daemon does of its own accord, one for each lock that is waited for.
std::vector<WaitRow> WaitForest(const boost::json::object& requests,
                                const boost::json::object& locks, bool utf8);

// The program and what it is to do: "tmux capture-pane".
std::string ShortCommand(const std::string& line);

}  // namespace oj::cli
