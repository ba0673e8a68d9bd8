// Requests that do several things, one after the other: how far they are is shown while they run,
// and what was done, what failed and what remains is told however they end.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "cli/ask.h"
#include "cli/command.h"

namespace oj::cli {

// How a kind of request is spoken of.
struct Manner {
  std::string list;         // the reply's member for what is done: "pruned"
  std::string thing;        // "workspace"
  std::string title;        // before the bar: "pruning"
  std::string done;         // "removed"; of a dry run "would be removed"
  std::string spared = {};  // why things are skipped that the reply only counts
};

// What came of each thing.
struct Tally {
  struct Failed {
    std::string id;
    std::string code;
    std::string message;
  };
  struct Skipped {
    std::string id;
    std::string why;
  };
  std::vector<boost::json::object> done;  // each has an id
  std::vector<Failed> failed;
  std::vector<Skipped> skipped;
  std::int64_t skipped_count = 0;
  std::vector<std::string> remaining;

  // Adds what a reply, or the detail of an error, says.
  void Add(const boost::json::object& reply, std::string_view list);
  // kExitBusy where something could not be done for a conflict or because it was busy.
  Exit exit() const;
};

// Asks with progress. A Failure tells what was done before it.
Outcome<Reply> AskForMany(const Invocation& invocation, Question question,
                          const std::string& expected, const Manner& manner);

// "workspace ws-1 removed (~/...), branch oj/ws-1 deleted", a line for each that is done.
std::string DoneLines(const Tally& tally, const Manner& manner, const View& view);
// A line for each that failed or was skipped, and what remains.
std::string TroubleLines(const Tally& tally, const Manner& manner);
// "2 workspaces", "1 workspace".
std::string Counted(std::size_t count, const std::string& thing);

// The code of the daemon's Error that a failure is of, or "".
std::string CodeOf(const Failure& failure);

// All of the above. The JSON is that of one reply of this type.
Said SayTally(const Tally& tally, const std::string& type, const Manner& manner,
              const Invocation& invocation);
Said SayMany(const Reply& reply, const Manner& manner, const Invocation& invocation);

}  // namespace oj::cli
