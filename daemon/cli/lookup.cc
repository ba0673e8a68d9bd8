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

namespace {

std::string ListHint(const RecordKind& kind) {
  return "`oj " + kind.thing + " list` shows the " + kind.thing + "s there are";
}

// The record whose id it is, or the only one of which it is the beginning; null: it begins none.
Outcome<const json::object*> Meant(const json::object& records, const std::string& command,
                                   const RecordKind& kind, const std::string& given) {
  const json::object* found = nullptr;
  std::size_t matches = 0;
  std::string ids;
  for (const json::object* record : Objects(records, kind.list)) {
    const std::string each = TextField(*record, "id");
    if (each == given) return record;
    if (!each.starts_with(given)) continue;
    found = record;
    ids += (++matches == 1 ? "" : ", ") + each;
  }
  if (matches <= 1) return found;
  const std::string message = "'" + given + "' begins several ids: " + ids;
  return Failure{kExitBusy, command + ": " + message, ListHint(kind),
                 json::serialize(
                     json::object{{"type", "Error"}, {"code", "ambiguous"}, {"message", message}})};
}

}  // namespace

Outcome<json::object> LookUp(const Invocation& invocation, const std::string& command,
                             const RecordKind& kind, const std::string& object) {
  Question question = QueryOf(command, kind);
  question.object = object;
  auto reply = Ask(invocation, std::move(question), kind.reply);
  if (!reply) return reply.error();
  return reply->object;
}

Outcome<std::string> WholeId(const json::object& records, const std::string& command,
                             const RecordKind& kind, const std::string& given) {
  auto meant = Meant(records, command, kind, given);
  if (!meant) return meant.error();
  return *meant == nullptr ? given : TextField(**meant, "id");
}

Outcome<std::string> WholeId(const Invocation& invocation, const std::string& command,
                             const RecordKind& kind, const std::string& given) {
  if (auto failure = CheckId(command, kind.thing, given)) return *std::move(failure);
  auto records = LookUp(invocation, command, kind, given);
  if (!records) return records.error();
  return WholeId(*records, command, kind, given);
}

Outcome<json::object> FindRecord(const Invocation& invocation, const std::string& command,
                                 const RecordKind& kind, const std::string& id) {
  if (auto failure = CheckId(command, kind.thing, id)) return *std::move(failure);
  auto records = LookUp(invocation, command, kind, id);
  if (!records) return records.error();
  auto meant = Meant(*records, command, kind, id);
  if (!meant) return meant.error();
  if (*meant != nullptr) return **meant;
  return Failure{kExitNotFound, kind.thing + " " + id + " does not exist", ListHint(kind)};
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
