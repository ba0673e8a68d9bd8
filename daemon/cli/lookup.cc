#include "cli/lookup.h"

#include "cli/render_parts.h"
#include "cli/words.h"

namespace oj::cli {

namespace json = boost::json;

const RecordKind kSessionRecords = {"session", "ListSessions", "Sessions", "sessions"};
const RecordKind kWorkspaceRecords = {"workspace", "ListWorkspaces", "Workspaces", "workspaces"};
const RecordKind kAgentRecords = {"agent", "ListAgents", "Agents", "agents"};

Question QueryOf(const std::string& command, const RecordKind& kind) {
  Question question;
  question.command = command;
  question.request = {{"type", "Query"}, {"query", {{"type", kind.query}}}};
  return question;
}

Outcome<json::object> FindRecord(const Invocation& invocation, const std::string& command,
                                 const RecordKind& kind, const std::string& id) {
  if (auto failure = CheckId(command, kind.thing, id)) return *std::move(failure);
  auto reply = Ask(invocation, QueryOf(command, kind), kind.reply);
  if (!reply) return reply.error();
  std::vector<const json::object*> matches;
  std::string ids;
  for (const json::object* record : Objects(reply->object, kind.list)) {
    const std::string each = TextField(*record, "id");
    if (each == id) return *record;
    if (!each.starts_with(id)) continue;
    matches.push_back(record);
    ids += (ids.empty() ? "" : ", ") + each;
  }
  if (matches.size() == 1) return *matches.front();
  const std::string hint = "`oj " + kind.thing + " list` shows the " + kind.thing + "s there are";
  if (matches.empty()) {
    return Failure{kExitNotFound, kind.thing + " " + id + " does not exist", hint};
  }
  return Failure{kExitBusy, command + ": '" + id + "' begins several ids: " + ids, hint};
}

Outcome<std::string> SessionOfAgent(const Invocation& invocation, const std::string& command,
                                    const std::string& id) {
  auto agent = FindRecord(invocation, command, kAgentRecords, id);
  if (!agent) return agent.error();
  std::string session = TextField(*agent, "session_id");
  if (!session.empty()) return session;
  return Failure{kExitNotFound, "agent " + TextField(*agent, "id") + " has no session"};
}

Outcome<Said> ListRecords(const Invocation& invocation, const RecordKind& kind, Question question,
                          std::string (*render)(const json::object&, const View&)) {
  auto reply = Ask(invocation, std::move(question), kind.reply);
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  std::string table = render(reply->object, ViewOf(invocation));
  const bool none = table.empty();
  return Said{std::move(table), none ? "no " + kind.list + "\n" : ""};
}

Outcome<Said> ShowRecord(const Invocation& invocation, const RecordKind& kind,
                         const std::string& id,
                         std::string (*render)(const json::object&, const View&)) {
  auto record = FindRecord(invocation, kind.thing + " show", kind, id);
  if (!record) return record.error();
  if (!invocation.settings.json) return Said{render(*record, ViewOf(invocation))};
  // As the daemon answers for one record.
  std::string type = kind.reply;
  type.pop_back();
  return Said{json::serialize(json::object{{"type", type}, {kind.thing, *record}}) + "\n"};
}

}  // namespace oj::cli
