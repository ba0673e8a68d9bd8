#include "scenario/setup_records.h"

#include <algorithm>

namespace oj::sim {
namespace {

constexpr WallMillis kHour = 3'600'000;

}  // namespace

std::string WorkspacePath(const std::string& root, const std::string& id) {
  return root + "/state/workspaces/" + id;
}

std::vector<Change> RecordsOf(const WorkspaceSetup& setup, const std::string& root,
                              WallMillis now) {
  if (std::find(setup.states.begin(), setup.states.end(), "no-record") != setup.states.end()) {
    return {};
  }
  WorkspaceRecord record;
  record.id = setup.id;
  record.repo = root + setup.repo;
  record.path = WorkspacePath(root, setup.id);
  record.branch = "oj/" + setup.id;
  record.status = WorkspaceStatus::kReady;
  record.created_at_ms = now - setup.age_hours * kHour;
  return {std::move(record)};
}

std::vector<Change> RecordsOf(const AgentSetup& setup, const std::string& root, WallMillis now) {
  AgentRecord agent;
  agent.id = agent.name = setup.id;
  agent.session_id = setup.id;
  if (!setup.workspace.empty()) agent.workspace_id = setup.workspace;
  agent.command = {"sh"};
  agent.status = setup.runs ? AgentStatus::kRunning : AgentStatus::kGone;
  agent.created_at_ms = agent.updated_at_ms = now - 24 * kHour;
  SessionRecord session;
  session.id = setup.id;
  session.agent_id = setup.id;
  session.cwd = setup.workspace.empty() ? "/tmp" : WorkspacePath(root, setup.workspace);
  session.command = {"sh"};
  session.status = setup.runs ? SessionStatus::kLive : SessionStatus::kGone;
  session.created_at_ms = agent.created_at_ms;
  return {std::move(session), std::move(agent)};
}

}  // namespace oj::sim
