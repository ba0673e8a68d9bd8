// DumpStory: what a dump tells, in terms of a scenario: calls by connection, processes, what there
// was before the first call.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oj/error.h"

namespace oj::sim {

struct DumpStory {
  struct Call {
    std::int64_t at = 0;  // ns, as all times here
    boost::json::object request;
    std::optional<std::int64_t> replied;
    std::string outcome;  // the reply's type or error code
    std::optional<std::int64_t> left;
  };
  struct Process {
    std::int64_t begun = 0;
    std::optional<std::int64_t> ended;
    bool of_request = false;  // not of the daemon itself
    std::string tool;
    std::vector<std::string> arguments;
    std::string result;  // as in process_result, or empty
  };
  boost::json::object head;
  std::int64_t begin = 0;                             // of the first call
  std::int64_t begin_wall = 0;                        // ms
  std::map<std::int64_t, std::vector<Call>> clients;  // by connection
  std::vector<Process> processes;
  std::vector<boost::json::object> sessions, workspaces, agents;  // as at the end
  std::int64_t end = 0;                                           // of the last event
  std::map<std::uint64_t, int> requests;  // by number: that of the same in the story, from 1
  std::size_t cut = 0;                    // calls left out: the dump has not their whole text
  std::size_t refused = 0;                // or the daemon refused to read them
  std::size_t unsayable = 0;              // or no scenario can say them
  bool torn = false;                      // the last line is not whole, and left out
};

// Error: as ScenarioOf.
Result<DumpStory> ReadDump(const std::string& dump, const std::string& name);

// A field's number, or 0. Throws std::exception where it is none that fits.
std::int64_t NumberOf(const boost::json::object& object, std::string_view name);

// A field's text, or "".
std::string TextOf(const boost::json::object& object, std::string_view name);

}  // namespace oj::sim
