#include <algorithm>
#include <boost/json.hpp>

#include "core/handlers/handlers.h"

namespace oj {
namespace {

namespace json = boost::json;

std::string_view StatusName(SessionStatus status) {
  constexpr std::string_view kNames[] = {"live", "gone", "unknown"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string_view StatusName(WorkspaceStatus status) {
  constexpr std::string_view kNames[] = {"creating", "ready", "removing", "failed"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string_view StatusName(AgentStatus status) {
  constexpr std::string_view kNames[] = {"starting", "running", "exited", "gone", "unknown"};
  return kNames[static_cast<std::size_t>(status)];
}

template <class T>
json::value OrNull(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value();
}

json::value WorkspaceJson(const WorkspaceRecord& record) {
  return {{"id", record.id},
          {"namespace", record.name_space},
          {"repo", record.repo},
          {"path", record.path},
          {"branch", OrNull(record.branch)},
          {"agent_id", OrNull(record.agent_id)},
          {"status", StatusName(record.status)},
          {"created_at_ms", record.created_at_ms},
          {"error", OrNull(record.error)}};
}

json::value AgentJson(const AgentRecord& record) {
  json::array command;
  for (const std::string& each : record.command) command.emplace_back(each);
  return {{"id", record.id},
          {"name", record.name},
          {"namespace", record.name_space},
          {"session_id", OrNull(record.session_id)},
          {"workspace_id", OrNull(record.workspace_id)},
          {"command", std::move(command)},
          {"status", StatusName(record.status)},
          {"created_at_ms", record.created_at_ms},
          {"updated_at_ms", record.updated_at_ms},
          {"exit", OrNull(record.exit)}};
}

json::value SessionJson(const SessionRecord& record) {
  json::array command;
  for (const std::string& each : record.command) command.emplace_back(each);
  json::object session{{"id", record.id},
                       {"namespace", record.name_space},
                       {"agent_id", nullptr},
                       {"cwd", record.cwd},
                       {"command", std::move(command)},
                       {"created_at_ms", record.created_at_ms},
                       {"status", StatusName(record.status)}};
  if (record.agent_id) session["agent_id"] = *record.agent_id;
  return session;
}

std::string Text(json::object reply) { return json::serialize(reply); }

class Answer {
 public:
  explicit Answer(Core& core) : core_(core), now_(core.seams.clock.Now()) {}

  Reply operator()(const PingRequest&) const { return std::string(R"({"type":"Pong"})"); }

  Reply operator()(const HelloRequest&) const {
    return Text({{"type", "Hello"},
                 {"version", kVersion},
                 {"protocol", kProtocol},
                 {"features", {"half_close", "coalesced_peeks", "quarantine"}}});
  }

  Reply operator()(const StatusRequest&) const {
    std::int64_t live = 0;
    for (const auto& [id, record] : core_.state.All<SessionRecord>()) {
      live += record.status != SessionStatus::kGone;
    }
    json::object counters{{"requests", core_.flights.begun()}};
    for (const auto& [name, count] : core_.counters) counters[name] = count;
    return Text({{"type", "Status"},
                 {"version", kVersion},
                 {"pid", core_.identity.pid},
                 {"uptime_ms", Millis(now_ - core_.started)},
                 {"requests_active", core_.flights.all().size()},
                 {"children_active", core_.tools.children()},
                 {"connections", core_.connections},
                 {"limits",
                  {{"requests", core_.config.max_requests},
                   {"children", core_.config.max_children},
                   {"connections", core_.config.max_connections}}},
                 {"sessions", live},
                 {"workspaces", core_.state.All<WorkspaceRecord>().size()},
                 {"agents", core_.state.All<AgentRecord>().size()},
                 {"locks_held", core_.locks.held()},
                 {"quarantined", Quarantined()},
                 {"counters", std::move(counters)}});
  }

  Reply operator()(const ShutdownRequest& request) const {
    core_.lifecycle.Drain(Deadline::After(now_, request.drain.value_or(core_.config.drain)));
    return std::string(R"({"type":"ShuttingDown"})");
  }

  Reply operator()(const RequestsRequest&) const {
    json::array all;
    for (const auto& [id, flight] : core_.flights.all()) all.push_back(FlightJson(*flight));
    return Text({{"type", "Requests"},
                 {"requests", std::move(all)},
                 {"own_children", ChildrenJson(core_.tools.own())}});
  }

  Reply operator()(const CancelRequestRequest& request) const {
    const auto flight = core_.flights.Find(RequestNumber(request.id));
    if (flight == nullptr) {
      return Error{ErrorCode::kNotFound,
                   "no request '" + request.id + "' is in flight; see `oj requests`", ""};
    }
    flight->Latch(CancelReason::kOperator);
    return std::string(R"({"type":"Ok"})");
  }

  Reply operator()(const LocksRequest&) const {
    json::array all;
    for (const LockTable::Row& row : core_.locks.Rows()) {
      json::array waiters;
      for (const std::uint64_t waiter : row.waiters) waiters.emplace_back(RequestName(waiter));
      json::object lock{{"key", row.key},
                        {"mode", row.holder.mode == LockMode::kExclusive ? "exclusive" : "shared"},
                        {"holder", RequestName(row.holder.request)},
                        {"held_ms", Millis(now_ - row.holder.since)},
                        {"waiters", std::move(waiters)}};
      if (!row.quarantine.empty()) lock["quarantine"] = row.quarantine;
      all.push_back(std::move(lock));
    }
    return Text({{"type", "Locks"}, {"locks", std::move(all)}});
  }

  Reply operator()(const ListSessionsQuery&) const {
    json::array all;
    for (const auto& [id, record] : core_.state.All<SessionRecord>())
      all.push_back(SessionJson(record));
    return Text({{"type", "Sessions"}, {"sessions", std::move(all)}});
  }

  Reply operator()(const GetSessionQuery& query) const {
    const SessionRecord* record = core_.state.Find<SessionRecord>(query.id);
    return Text({{"type", "Session"},
                 {"session", record == nullptr ? json::value() : SessionJson(*record)}});
  }

  Reply operator()(const ListWorkspacesQuery&) const {
    json::array all;
    for (const auto& [id, record] : core_.state.All<WorkspaceRecord>()) {
      all.push_back(WorkspaceJson(record));
    }
    return Text({{"type", "Workspaces"}, {"workspaces", std::move(all)}});
  }

  Reply operator()(const GetWorkspaceQuery& query) const {
    const auto* record = core_.state.Find<WorkspaceRecord>(query.id);
    return Text({{"type", "Workspace"},
                 {"workspace", record == nullptr ? json::value() : WorkspaceJson(*record)}});
  }

  Reply operator()(const ListAgentsQuery& query) const {
    json::array all;
    for (const auto& [id, record] : core_.state.All<AgentRecord>()) {
      if (!query.status || StatusName(record.status) == *query.status) {
        all.push_back(AgentJson(record));
      }
    }
    return Text({{"type", "Agents"}, {"agents", std::move(all)}});
  }

  // The requests that run tools never come here.
  template <class Request>
  Reply operator()(const Request&) const {
    return Error{ErrorCode::kInternal, "this request needs a flight", ""};
  }

 private:
  // "session:work: process 7 (state D) could not be killed", for each key in quarantine.
  json::array Quarantined() const {
    json::array all;
    for (const LockTable::Row& row : core_.locks.Rows()) {
      if (!row.quarantine.empty()) all.emplace_back(row.key + ": " + row.quarantine);
    }
    return all;
  }

  json::array ChildrenJson(const std::list<Flight::Child>& children) const {
    json::array all;
    for (const Flight::Child& each : children) {
      std::string argv = ToUtf8(each.command);
      std::replace(argv.begin(), argv.end(), '\0', ' ');
      json::object child{{"pid", each.pid}, {"argv", argv}, {"age_ms", Millis(now_ - each.since)}};
      if (each.ending) child["ending"] = true;
      all.push_back(std::move(child));
    }
    return all;
  }

  json::value FlightJson(const Flight& flight) const {
    json::array locks;
    for (const std::string& key : flight.locks) locks.emplace_back(key);
    json::object request{{"id", RequestName(flight.id)},
                         {"type", flight.type},
                         {"client_pid", flight.client_pid},
                         {"age_ms", Millis(now_ - flight.begun)},
                         {"state", flight.state},
                         {"locks", std::move(locks)},
                         {"children", ChildrenJson(flight.children)},
                         {"waiters", flight.waiters()}};
    if (!flight.deadline().never()) {
      request["deadline_ms"] = Millis(flight.deadline().LeftAt(now_));
    }
    if (!flight.waiting_for.empty()) request["waiting_for"] = flight.waiting_for;
    return request;
  }

  Core& core_;
  Instant now_;
};

}  // namespace

std::string StateLines(const Core& core) {
  std::string lines;
  const auto add = [&lines](std::string_view what, json::value record) {
    lines += Text({{what, std::move(record)}}) + "\n";
  };
  for (const auto& [id, each] : core.state.All<SessionRecord>()) add("session", SessionJson(each));
  for (const auto& [id, each] : core.state.All<WorkspaceRecord>()) {
    add("workspace", WorkspaceJson(each));
  }
  for (const auto& [id, each] : core.state.All<AgentRecord>()) add("agent", AgentJson(each));
  return lines;
}

Reply AnswerAtOnce(Core& core, const RequestBody& body) { return std::visit(Answer(core), body); }

}  // namespace oj
