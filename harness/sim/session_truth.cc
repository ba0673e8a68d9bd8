#include "sim/session_truth.h"

#include <boost/json.hpp>

namespace oj::sim {
namespace {

namespace json = boost::json;
using State = SimTmux::State;

bool WasGone(const SimTmux& tmux, std::string_view id, std::uint64_t since) {
  return tmux.Any(id, since, [](const State& state) { return !state.there; });
}
bool WasThere(const SimTmux& tmux, std::string_view id, std::uint64_t since) {
  return tmux.Any(id, since, [](const State& state) { return state.there; });
}
bool WasMade(const SimTmux& tmux, std::string_view id, std::uint64_t since) {
  return tmux.Any(id, since, [since](const State& state) { return state.made > since; });
}
bool WasTypedInto(const SimTmux& tmux, std::string_view id, std::uint64_t since) {
  return tmux.Any(id, since,
                  [since](const State& state) { return state.there && state.version > since; });
}

std::string Untrue(std::string_view id, const char* what) {
  std::string text("a reply says that session '");
  return text.append(id).append("' ").append(what);
}

// Each of a list of objects with "id", or of ids.
template <class Check>
void ForEach(const json::object& reply, const char* list, Check check) {
  const json::value* all = reply.if_contains(list);
  if (all == nullptr) return;
  for (const json::value& each : all->as_array()) {
    check(each.is_string() ? each.get_string() : each.as_object().at("id").as_string());
  }
}

}  // namespace

std::string UntrueOfSessions(const SimTmux& tmux, const json::object& reply,
                             const AskedOfTmux& asked) {
  const std::string_view type = reply.at("type").as_string();
  const std::uint64_t since = asked.version;
  std::string untrue;
  if (type == "Ok" && asked.type == "SessionKill" && !WasGone(tmux, asked.session, since)) {
    untrue = Untrue(asked.session, "was killed, and it was there all the time");
  }
  if (type == "Ok" && asked.type == "SessionSend" && !WasTypedInto(tmux, asked.session, since)) {
    untrue = Untrue(asked.session, "was typed into, and it was not");
  }
  if (type == "SessionCreated" && !WasThere(tmux, reply.at("id").as_string(), since)) {
    untrue = Untrue(reply.at("id").as_string(), "was made, and it was not there");
  }
  if (type == "AgentStarted" && !WasMade(tmux, reply.at("session_id").as_string(), since)) {
    untrue = Untrue(reply.at("session_id").as_string(), "runs an agent, and it was not made");
  }
  if (type == "SessionPeek") {
    const std::string_view output = reply.at("output").as_string();
    const bool shown = tmux.Any(asked.session, since, [output](const State& state) {
      return state.there && SimTmux::Shown(state.screen) == output;
    });
    if (!shown) untrue = Untrue(asked.session, "shows what was not on its screen");
  }
  ForEach(reply, "pruned", [&](std::string_view id) {
    if (type == "SessionsPruned" && !WasGone(tmux, id, since)) {
      untrue = Untrue(id, "was pruned, and it was there all the time");
    }
  });
  ForEach(reply, "resumed", [&](std::string_view id) {
    if (!WasMade(tmux, id, since)) untrue = Untrue(id, "was resumed, and it was not made again");
  });
  return untrue;
}

std::vector<std::string> UntrueRecords(const SimTmux& tmux, const StateSnapshot& durable) {
  std::vector<std::string> untrue;
  for (const SessionRecord& each : durable.sessions) {
    // One that is recorded as live may be gone: by a kill whose outcome is not known. One that is
    // recorded as gone may be there if a client of tmux that a dead daemon left behind was that
    // slow: the start of a session has no tag by which it could be found and ended.
    const auto session = tmux.sessions().find(each.id);
    const bool there = session != tmux.sessions().end() && !session->second.late;
    if (each.status == SessionStatus::kGone && there) {
      untrue.push_back("session '" + each.id + "' is recorded as gone, and it is there");
    }
  }
  for (const AgentRecord& each : durable.agents) {
    const auto session = tmux.sessions().find(each.session_id.value_or(""));
    const bool runs = session != tmux.sessions().end() && !session->second.dead;
    if (runs && session->second.late) continue;
    if (runs == (each.status == AgentStatus::kRunning)) continue;
    const bool says = each.status == AgentStatus::kRunning || each.status == AgentStatus::kExited ||
                      each.status == AgentStatus::kGone;
    if (!says) continue;
    untrue.push_back("agent '" + each.id + "' is recorded as " +
                     (runs ? "ended, and it runs" : "running, and it does not run"));
  }
  return untrue;
}

std::string SessionNamedIn(std::string_view request) {
  for (const std::string_view key : {R"("session_id":")", R"("id":")"}) {
    const std::size_t at = request.find(key);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = request.substr(at + key.size());
    return std::string(rest.substr(0, rest.find('"')));
  }
  return "";
}

}  // namespace oj::sim
