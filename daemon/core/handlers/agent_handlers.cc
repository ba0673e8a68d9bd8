#include <boost/json.hpp>
#include <utility>

#include "core/agent_runs.h"
#include "core/handlers/handlers.h"
#include "core/handlers/outcome.h"
#include "core/handlers/session_steps.h"
#include "core/workspaces.h"

namespace oj {
namespace {

namespace json = boost::json;

std::string NewId(Core& core, const Flight& flight, const AgentRunRequest& request) {
  std::string id = request.name + "-" + DigitsFor(flight);
  const auto* known = core.state.Find<AgentRecord>(id);
  const bool ours = known == nullptr || IsRun(core, *known, request);
  if (!flight.request_id.empty() && ours) return id;
  return request.name + "-" + RandomDigits(core);
}

Error NoAgent(const std::string& id) {
  return {ErrorCode::kNotFound, "agent '" + id + "' does not exist", ""};
}

struct Selected {
  std::vector<AgentRecord> agents;
  json::array skipped;
};

Selected Select(const Core& core, const std::string& id, bool kill) {
  Selected selected;
  for (const auto& [each, agent] : core.state.All<AgentRecord>()) {
    if (!id.empty() && each != id) continue;
    const char* why = nullptr;
    if (!agent.session_id) why = "it has no session";
    if (agent.status == AgentStatus::kStarting) why = "it is being started";
    if (agent.status == AgentStatus::kRunning && !kill) why = "it is running";
    if (why == nullptr) {
      selected.agents.push_back(agent);
    } else {
      selected.skipped.push_back(json::array{each, why});
    }
  }
  return selected;
}

// Nobody removes the workspace while the agent begins to live in it again; null: it has none.
Task<Result<SharedRepoLease>> KeepWorkspace(Core& core, Flight& flight, AgentRecord agent) {
  if (!agent.workspace_id) co_return SharedRepoLease();
  std::vector<LockRequest> wanted;
  wanted.push_back(LockRequest{"workspace:" + *agent.workspace_id, LockMode::kShared});
  auto acquire = core.Acquire(flight, std::move(wanted));
  auto lease = co_await std::move(acquire);
  if (!lease) co_return std::move(lease).error();
  co_return std::make_shared<RepoLease>(std::move(*lease));
}

// Holds the leases until it has ended, whatever becomes of the request.
Task<Result<Ok>> ResumeIn(Core& core, SharedSessionLease lease, SharedRepoLease, AgentRecord agent,
                          std::string cwd) {
  auto resume = ResumeAgent(core, std::move(lease), std::move(agent), std::move(cwd));
  auto resumed = co_await std::move(resume);
  co_return std::move(resumed);
}

// One agent at a time is a unit: killed and resumed, or neither.
Task<Status> ResumeOne(Core& core, Flight& flight, AgentRecord agent) {
  auto lock = LockAgent(core, flight, agent.id, *agent.session_id);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto keep = KeepWorkspace(core, flight, agent);
  auto workspace = co_await std::move(keep);
  if (!workspace) co_return std::move(workspace).error();
  const auto* session = core.state.Find<SessionRecord>(*agent.session_id);
  if (session == nullptr) co_return NoAgent(agent.id);
  const std::string cwd = session->cwd;
  auto check = CheckDirectory(core, cwd);
  auto directory = co_await std::move(check);
  if (!directory) co_return std::move(directory).error();
  const auto* now = core.state.Find<AgentRecord>(agent.id);
  if (now == nullptr) co_return NoAgent(agent.id);
  auto work = ResumeIn(core, *lease, std::move(*workspace), *now, cwd);
  auto unit = Unit<Ok>::Begin(core.units, core.seams.log, std::move(work));
  auto wait = unit.Done();
  auto resumed = co_await std::move(wait);
  co_return std::move(resumed);
}

}  // namespace

Task<Reply> AgentRun(Core& core, Flight& flight, AgentRunRequest request) {
  AgentRecord agent;
  agent.id = NewId(core, flight, request);
  agent.name = request.name;
  agent.name_space = request.name_space;
  agent.session_id = agent.id;
  agent.command = request.command;
  agent.created_at_ms = core.seams.clock.WallNow();
  auto run = RunAgent(core, flight, std::move(request), std::move(agent));
  auto started = co_await std::move(run);
  if (!started) co_return std::move(started).error();
  json::object reply{
      {"type", "AgentStarted"}, {"agent_id", started->id}, {"session_id", *started->session_id}};
  if (started->workspace_id) reply["workspace_id"] = *started->workspace_id;
  co_return json::serialize(reply);
}

Task<Reply> AgentSend(Core& core, Flight& flight, AgentSendRequest request) {
  const auto* agent = core.state.Find<AgentRecord>(request.agent_id);
  if (agent == nullptr || !agent->session_id) co_return NoAgent(request.agent_id);
  if (IsOver(agent)) {
    co_return Error{ErrorCode::kConflict, "agent '" + agent->id + "' does not run any more", ""};
  }
  auto send = SessionSend(core, flight, SessionSendRequest{*agent->session_id, request.message});
  auto reply = co_await std::move(send);
  co_return std::move(reply);
}

Task<Reply> AgentResume(Core& core, Flight& flight, AgentResumeRequest request) {
  const bool all = request.agent_id.empty();
  if (!all && core.state.Find<AgentRecord>(request.agent_id) == nullptr) {
    co_return NoAgent(request.agent_id);
  }
  Selected selected = Select(core, request.agent_id, request.kill);
  Outcome outcome(flight, "resumed", {{"skipped", std::move(selected.skipped)}});
  for (const AgentRecord& each : selected.agents) outcome.Expect(each.id);
  for (const AgentRecord& each : selected.agents) {
    outcome.Begun(each.id);
    auto resume = ResumeOne(core, flight, each);
    const auto resumed = co_await std::move(resume);
    if (resumed) {
      outcome.Done(each.id, json::string(each.id));
    } else {
      outcome.Failed(each.id, resumed.error());
    }
  }
  co_return outcome.Reply("AgentResumed");
}

}  // namespace oj
