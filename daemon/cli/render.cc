#include "cli/render_parts.h"

namespace oj::cli {

namespace json = boost::json;

std::string RenderRequests(const json::object& reply, const View& view) {
  Table table({"ID", "TYPE", "CLIENT", "AGE", "TIME LEFT", "STATE", "LOCKS", "WAITING FOR"});
  for (const json::object* request : Objects(reply, "requests")) {
    const std::string waiting = TextField(*request, "waiting_for");
    table.Row({{OrDash(TextField(*request, "id"))},
               {OrDash(TextField(*request, "type"))},
               {OrDash(TextField(*request, "client_pid"))},
               {DurationField(*request, "age_ms")},
               {DurationField(*request, "deadline_ms")},
               {OrDash(TextField(*request, "state"))},
               {OrDash(JoinedField(*request, "locks"))},
               {OrDash(waiting), waiting.empty() ? Style::kPlain : Style::kWarning}});
    for (const json::object* child : Objects(*request, "children")) {
      table.Note("pid " + OrDash(TextField(*child, "pid")) + ", " +
                 DurationField(*child, "age_ms") + ": " + CommandField(*child, "argv"));
    }
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderLocks(const json::object& reply, const View& view) {
  Table table({"KEY", "MODE", "HELD", "HOLDER", "WAITERS"});
  for (const json::object* lock : Objects(reply, "locks")) {
    table.Row({{OrDash(TextField(*lock, "key"))},
               {OrDash(TextField(*lock, "mode"))},
               {DurationField(*lock, "held_ms")},
               {OrDash(HolderOf(*lock))},
               {OrDash(WaitersField(*lock))}});
    const std::string quarantine = JoinedField(*lock, "quarantine");
    if (!quarantine.empty()) table.Note("quarantined: " + quarantine);
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderStatus(const json::object& reply, const View&) {
  Facts facts;
  facts.Add("ojd", OrDash(TextField(reply, "version")) + ", pid " +
                       OrDash(TextField(reply, "pid")) + ", up " +
                       DurationField(reply, "uptime_ms"));
  facts.Add("requests", OrDash(TextField(reply, "requests_active")) + " in flight");
  facts.Add("children", OrDash(TextField(reply, "children_active")) + " alive");
  facts.Add("locks", OrDash(TextField(reply, "locks_held")) + " held");
  const std::string quarantined = JoinedField(reply, "quarantined");
  if (!quarantined.empty()) facts.Add("quarantined", quarantined);
  for (const char* count : {"sessions", "workspaces", "agents"}) {
    facts.Add(count, TextField(reply, count));
  }
  const std::string counters = JoinedField(reply, "counters");
  if (!counters.empty()) facts.Add("counters", counters);
  return facts.Text();
}

}  // namespace oj::cli
