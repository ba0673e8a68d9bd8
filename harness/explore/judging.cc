#include "explore/judging.h"

#include <algorithm>
#include <boost/json.hpp>

#include "sim/behaviour.h"
#include "sim/memory_store.h"
#include "sim/sim_transport.h"
#include "sim/sites.h"

namespace oj::sim {
namespace {

constexpr Duration kAcceptPause = std::chrono::milliseconds(50);  // after an accept that failed

// How often there was anything but the default.
auto TimesOf(const Site& site, const Chooser& chooser) {
  const auto& names = chooser.site_names();
  const auto number = std::find(names.begin(), names.end(), site.name) - names.begin();
  return std::count_if(chooser.tape().begin(), chooser.tape().end(), [&](const Decision& each) {
    return each.site == number && each.choice != 0;
  });
}

// Anything but the default, at a site of that class.
bool Chose(const Chooser& chooser, SiteClass kind) {
  return std::any_of(chooser.tape().begin(), chooser.tape().end(), [&](const Decision& each) {
    return each.choice != 0 && chooser.site_kinds()[each.site] == kind;
  });
}

// At most, from a daemon's start until it takes what its clients have sent: it waits for strays.
Duration SlowestStart(const Trace& trace) {
  Duration slowest{};
  Instant started{};
  for (const TraceEvent& event : trace.events()) {
    if (event.kind == TraceKind::kDaemonStarted) started = event.at;
    if (event.kind != TraceKind::kDaemon || event.daemon != EventKind::kReadyToServe) continue;
    slowest = std::max(slowest, event.at - started);
  }
  return slowest;
}

CallFacts FactsOf(const Step& step) {
  CallFacts facts;
  boost::system::error_code error;
  const boost::json::value json = boost::json::parse(step.text, error);
  if (error || !json.is_object()) return facts;
  const boost::json::object& object = json.as_object();
  const auto text = [&object](const char* key) {
    const boost::json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
  };
  for (const char* key : {"session_id", "id", "agent_id"}) {  // an agent's session has its id
    if (facts.session.empty()) facts.session = text(key);
  }
  if (text("type") == "AgentRun") facts.made = text("name") + "-";
  facts.request_id = text("request_id");
  const boost::json::value* timeout = object.if_contains("timeout_ms");
  if (timeout != nullptr && timeout->is_int64()) {
    facts.timeout = std::chrono::milliseconds(timeout->as_int64());
  }
  return facts;
}

}  // namespace

Judging::Judging(const Scenario& scenario) : scenario_(scenario) {
  const Config& config = scenario.config;
  facts_.kill_grace = config.kill_grace;
  facts_.tmux_limit = config.tmux;
  facts_.git_limit = config.git_worktree;
  facts_.handler_limit = config.handler;
  facts_.write_limit = config.response_write;
  facts_.half_close_cancels = config.half_close == HalfClose::kCancel;
  facts_.max_children = config.max_children;
  facts_.max_requests = config.max_requests;
  facts_.has_clients = !scenario.clients.empty() || scenario.mix.clients > 0;
  for (const ClientScript& client : scenario.clients) {
    auto& calls = scripts_.emplace_back();
    for (const Step& step : client.steps) {
      const bool sends = step.what == Step::Do::kCall || step.what == Step::Do::kSend;
      if (sends) calls.push_back(FactsOf(step));
      if (step.what == Step::Do::kRaw) facts_.raw_clients.insert(scripts_.size());
    }
  }
}

// A client's n-th call is the n-th that its script sends.
Facts Judging::FactsFor(const Trace& trace) const {
  Facts facts = facts_;
  std::vector<std::size_t> sent(scripts_.size());
  for (const TraceEvent& event : trace.events()) {
    if (event.kind != TraceKind::kClientSent) continue;
    if (event.subject == 0 || event.subject > scripts_.size()) continue;
    const auto& script = scripts_[event.subject - 1];
    std::size_t& next = sent[event.subject - 1];
    if (next < script.size()) facts.calls[event.object] = script[next++];
  }
  return facts;
}

std::vector<Verdict> Judging::Judge(const SimResult& run, const Chooser& chooser) const {
  Facts facts = FactsFor(run.trace);
  for (auto& [call, each] : facts.calls) {
    if (each.timeout == Duration::zero()) each.timeout = run.call_timeout;
  }
  facts.stalled = run.stalled;
  facts.latency = kLongestLatency + SlowestStart(run.trace) +
                  TimesOf(sites::kAcceptFails, chooser) * kAcceptPause;
  facts.spawn = kLongestSpawn;
  facts.shielded = TimesOf(sites::kCommit, chooser) * kLongestCommit;
  facts.forgets = run.daemons > 1 || Chose(chooser, SiteClass::kStore);
  facts.misanswered = run.misanswered;
  for (const MixCall& each : run.mix_calls)
    facts.calls[each.call] = {each.session, each.timeout, each.request_id};
  std::int64_t zombies = 0;
  std::int64_t alive = 0;
  for (const LeftProcess& each : run.processes) {
    if (each.of_tool) ++(each.zombie ? zombies : alive);
  }
  // What is quarantined to the end is held on purpose; the trace tells which those are.
  const auto held = static_cast<std::int64_t>(run.keys_quarantined == 0 ? run.leases_held : 0);
  facts.left = {{"zombies", zombies},
                {"live processes", alive},
                {"held leases", held},
                {"open connections", static_cast<std::int64_t>(run.open_connections)},
                {"armed timers", static_cast<std::int64_t>(run.armed_timers)}};
  for (const ClientOutcome& each : run.outcomes) {
    if (each.expected) continue;
    facts.unexpected.push_back(scenario_.path + ":" + std::to_string(each.line) + ": " +
                               each.client + ": came out as " + each.outcome);
  }
  std::vector<Verdict> verdicts = sim::Judge(run.trace, facts);
  for (const WorldViolation& each : run.violations) {
    AddViolation(verdicts, each.law, {run.ended, each.what, {}});
  }
  return verdicts;
}

void AddViolation(std::vector<Verdict>& verdicts, const std::string& law, Violation violation) {
  auto at = std::find_if(verdicts.begin(), verdicts.end(),
                         [&](const Verdict& each) { return each.law == law; });
  if (at == verdicts.end()) at = verdicts.insert(verdicts.end(), Verdict{law, "by the world", {}});
  at->violations.push_back(std::move(violation));
}

}  // namespace oj::sim
