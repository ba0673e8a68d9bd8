// Records of the daemon, looked up by id or by the beginning of one.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "cli/ask.h"

namespace oj::cli {

// A kind of record and the query for all of it.
struct RecordKind {
  std::string thing;  // "workspace"
  std::string query;  // "ListWorkspaces"
  std::string reply;  // "Workspaces", and the member of the like name that has the list
  std::string list;   // "workspaces"
};

extern const RecordKind kSessionRecords;
extern const RecordKind kWorkspaceRecords;
extern const RecordKind kAgentRecords;

Question QueryOf(const std::string& command, const RecordKind& kind);

// The daemon's list of all records of a kind. `object`: what the command is about, for messages.
Outcome<boost::json::object> LookUp(const Invocation& invocation, const std::string& command,
                                    const RecordKind& kind, const std::string& object);

// The id that `given` means among those records: itself, or the only one of which it is the
// beginning. One that begins none is given back: the daemon says so. Failure: kExitBusy with the
// ids that it begins. What changes something takes whole ids only, so that asking once more never
// means another record.
Outcome<std::string> WholeId(const boost::json::object& records, const std::string& command,
                             const RecordKind& kind, const std::string& given);

// Both in one; kExitUsage for what is no id.
Outcome<std::string> WholeId(const Invocation& invocation, const std::string& command,
                             const RecordKind& kind, const std::string& given);

// The one record that `id` is the id of, or of which it is the beginning. Failure: kExitNotFound,
// or as of WholeId.
Outcome<boost::json::object> FindRecord(const Invocation& invocation, const std::string& command,
                                        const RecordKind& kind, const std::string& id);

// The session of an agent.
Outcome<std::string> SessionOfAgent(const Invocation& invocation, const std::string& command,
                                    const std::string& id);

// `list`: what there is, rendered; on stderr that there is nothing.
Outcome<Said> ListRecords(const Invocation& invocation, const RecordKind& kind, Question question,
                          std::string (*render)(const boost::json::object&, const View&));

// `show`: one record, rendered.
Outcome<Said> ShowRecord(const Invocation& invocation, const RecordKind& kind,
                         const std::string& id,
                         std::string (*render)(const boost::json::object&, const View&));

}  // namespace oj::cli
