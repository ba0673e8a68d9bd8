#include "sim/mix_requests.h"

#include <iterator>
#include <utility>

#include "sim/sites.h"

namespace oj::sim {
namespace {

constexpr std::string_view kTypes[] = {"PeekSession", "SessionSend",  "SessionNew", "SessionKill",
                                       "Ping",        "Status",       "Requests",   "Locks",
                                       "Query",       "CancelRequest"};

}  // namespace

MixRequests::MixRequests(const Scenario& scenario, Draw draw)
    : scenario_(scenario), draw_(std::move(draw)) {
  for (const auto& [type, weight] : scenario.mix.requests) {
    total_ += static_cast<std::uint32_t>(weight);
  }
}

std::string_view MixRequests::Type() {
  const std::uint32_t choice =
      Pick(sites::kRequest, 1 + (total_ == 0 ? std::size(kTypes) : total_));
  if (choice == 0) return "";
  std::uint32_t at = choice - 1;
  if (total_ == 0) return kTypes[at];
  for (const auto& [type, weight] : scenario_.mix.requests) {
    if (at < static_cast<std::uint32_t>(weight)) return type;
    at -= static_cast<std::uint32_t>(weight);
  }
  return kTypes[0];
}

bool MixRequests::Option() { return Pick(sites::kOption, 2) == 1; }

std::string MixRequests::Workspace() {
  const auto& all = scenario_.workspaces;
  const std::uint32_t choice = Pick(sites::kWorkspace, all.size() + 1);
  return choice < all.size() ? all[choice].id : "w-new";
}
// One of few, so that requests meet.
std::string MixRequests::Agent() {
  std::string name("a");
  return name.append(std::to_string(Pick(sites::kAgent, 3) + 1));
}

void MixRequests::AddWorkspaceFields(std::string_view type, std::string& json) {
  if (type == "WorkspaceAdd") {
    json.append(R"(,"repo":")").append(scenario_.repos.front().path);
    json.append(R"(","name":")").append(Workspace()).append("\"");
    return;
  }
  if (type == "WorkspaceDrop") json.append(R"(,"id":")").append(Workspace()).append("\"");
  if (type == "WorkspacePrune" && !Option()) json += R"(,"all":true)";
  if (Option() && Option()) json += R"(,"force":true)";
  for (const char* option : {"delete_branch", "dry_run"}) {
    if (Option()) json.append(",\"").append(option).append("\":true");
  }
}

void MixRequests::AddAgentFields(std::string_view type, std::string& json) {
  const std::string agent = Agent();
  if (type != "AgentRun") {
    json.append(R"(,"agent_id":")").append(agent).append("\"");
    if (type == "AgentSend") json += R"(,"message":"go on")";
    if (type == "AgentResume" && !Option()) json += R"(,"kill":true)";
    return;
  }
  json.append(R"(,"name":")").append(agent).append("\"");
  json += Option() ? R"(,"command":["true"])" : R"(,"command":["sh"])";
  if (scenario_.repos.empty() || Option()) {
    json += R"(,"cwd":"/tmp")";
  } else if (Option()) {
    json.append(R"(,"workspace":")").append(Workspace()).append("\"");
  } else {
    json.append(R"(,"repo":")").append(scenario_.repos.front().path).append("\"");
  }
}

std::string MixRequests::Request(std::string_view type, Duration patience, MixCall& call) {
  const std::uint32_t session =
      Pick(sites::kSession, static_cast<std::size_t>(scenario_.mix.sessions + 1));
  const std::string id = MixSession(session + 1);
  std::string json;
  json.reserve(192);
  json.append("{\"type\":\"").append(type).append("\"");
  if (type == "PeekSession") json.append(R"(,"session_id":")").append(id).append("\"");
  const bool session_verb = type.starts_with("Session") && type != "SessionPrune";
  if (session_verb) json.append(R"(,"id":")").append(id).append("\"");
  if (type == "PeekSession" || session_verb) call.session = id;
  if (type == "SessionPrune") json += R"(,"all":true)";
  if (type.starts_with("Workspace")) AddWorkspaceFields(type, json);
  if (type.starts_with("Agent")) AddAgentFields(type, json);
  if (type == "SessionNew") json += R"(,"cwd":"/tmp","command":["sh"])";
  if (type == "SessionSend") json += R"(,"input":"ls")";
  if (type == "Query") json += R"(,"query":{"type":"ListSessions"})";
  if (type == "Hello") json += R"(,"version":"0")";
  if (type == "CancelRequest") {
    json.append(R"(,"id":"r)").append(std::to_string(session + 1)).append("\"");
  }
  if (Pick(sites::kTimeout, 2) == 0) {
    call.timeout = patience;
    json.append(R"(,"timeout_ms":)").append(std::to_string(Millis(patience)));
  }
  if (!call.request_id.empty()) {
    json.append(R"(,"request_id":")").append(call.request_id).append("\"");
  }
  return json.append("}");
}

std::string MixSession(std::uint32_t number) {
  std::string name("s");
  return name.append(std::to_string(number));
}

}  // namespace oj::sim
