// Sessions, workspaces and agents as text.
#include "cli/render_parts.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

Table::Cell StatusCell(const json::object& record) {
  const std::string status = OrDash(TextField(record, "status"));
  if (status == "live" || status == "ready" || status == "running") return {status, Style::kGood};
  if (status == "unknown" || status == "creating" || status == "removing" || status == "starting") {
    return {status, Style::kWarning};
  }
  if (status == "failed") return {status, Style::kBad};
  const std::string exit = TextField(record, "exit");
  if (!exit.empty()) return {status + " " + exit, exit == "0" ? Style::kDim : Style::kBad};
  return {status, Style::kDim};
}

Table::Cell Field(const json::object& record, std::string_view name) {
  return {OrDash(TextField(record, name))};
}

Table::Cell Path(const json::object& record, std::string_view name, const View& view) {
  return {OrDash(ShortPath(TextField(record, name), view))};
}

// The facts that every kind of record has.
Facts Common(const json::object& record, const View& view) {
  Facts facts;
  facts.Add("id", TextField(record, "id"));
  const Table::Cell status = StatusCell(record);
  facts.Add("status", Styled(status.text, status.style, view.color));
  facts.Add("age", AgeOf(record, "created_at_ms", view));
  return facts;
}

void AddIfThere(Facts& facts, const json::object& record, std::string_view name,
                std::string label) {
  std::string value = TextField(record, name);
  if (!value.empty()) facts.Add(std::move(label), std::move(value));
}

}  // namespace

std::string RenderSessions(const json::object& reply, const View& view) {
  Table table({"ID", "STATUS", "AGE", "CWD", "COMMAND"});
  for (const json::object* session : Objects(reply, "sessions")) {
    table.Row({Field(*session, "id"),
               StatusCell(*session),
               {AgeOf(*session, "created_at_ms", view)},
               Path(*session, "cwd", view),
               {CommandField(*session, "command")}});
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderSession(const json::object& session, const View& view) {
  Facts facts = Common(session, view);
  facts.Add("cwd", ShortPath(TextField(session, "cwd"), view));
  facts.Add("command", CommandField(session, "command"));
  AddIfThere(facts, session, "namespace", "namespace");
  AddIfThere(facts, session, "agent_id", "agent");
  return facts.Text();
}

std::string RenderWorkspaces(const json::object& reply, const View& view) {
  Table table({"ID", "STATUS", "AGE", "BRANCH", "AGENT", "REPO"});
  for (const json::object* workspace : Objects(reply, "workspaces")) {
    table.Row({Field(*workspace, "id"),
               StatusCell(*workspace),
               {AgeOf(*workspace, "created_at_ms", view)},
               Field(*workspace, "branch"),
               Field(*workspace, "agent_id"),
               Path(*workspace, "repo", view)});
    const std::string error = TextField(*workspace, "error");
    if (!error.empty()) table.Note(error);
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderWorkspace(const json::object& workspace, const View& view) {
  Facts facts = Common(workspace, view);
  facts.Add("path", ShortPath(TextField(workspace, "path"), view));
  facts.Add("branch", TextField(workspace, "branch"));
  facts.Add("repo", ShortPath(TextField(workspace, "repo"), view));
  AddIfThere(facts, workspace, "agent_id", "agent");
  AddIfThere(facts, workspace, "namespace", "namespace");
  AddIfThere(facts, workspace, "error", "error");
  return facts.Text();
}

std::string RenderAgents(const json::object& reply, const View& view) {
  Table table({"ID", "STATUS", "AGE", "WORKSPACE", "COMMAND"});
  for (const json::object* agent : Objects(reply, "agents")) {
    table.Row({Field(*agent, "id"),
               StatusCell(*agent),
               {AgeOf(*agent, "created_at_ms", view)},
               Field(*agent, "workspace_id"),
               {CommandField(*agent, "command")}});
  }
  return table.empty() ? "" : table.Text(view);
}

std::string RenderAgent(const json::object& agent, const View& view) {
  Facts facts = Common(agent, view);
  facts.Add("changed", AgeOf(agent, "updated_at_ms", view) + " ago");
  facts.Add("command", CommandField(agent, "command"));
  AddIfThere(facts, agent, "session_id", "session");
  AddIfThere(facts, agent, "workspace_id", "workspace");
  AddIfThere(facts, agent, "namespace", "namespace");
  return facts.Text();
}

}  // namespace oj::cli
