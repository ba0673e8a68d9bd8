#include <boost/json.hpp>
#include <utility>

#include "core/handlers/handlers.h"
#include "core/handlers/outcome.h"
#include "core/handlers/session_steps.h"

namespace oj {
namespace {

namespace json = boost::json;

std::string OkReply() { return R"({"type":"Ok"})"; }

Task<void> KillOne(Core& core, Flight& flight, std::string id) {
  auto lock = core.Lock(flight, id, LockMode::kExclusive);
  auto lease = co_await std::move(lock);
  if (!lease) co_return;
  auto kill = KillUnderLease(core, flight, *lease, id);
  // The daemon stops whatever came of it.
  static_cast<void>(co_await std::move(kill));
}

Task<void> KillAll(Core& core, Flight& flight, Nursery& nursery) {
  for (const auto& [id, record] : core.state.All<SessionRecord>()) {
    if (record.status != SessionStatus::kGone) nursery.Start(KillOne(core, flight, id));
  }
  co_return;
}

json::value Pruned(const SessionRecord& session) {
  json::object pruned{{"id", session.id}, {"job_id", nullptr}, {"namespace", session.name_space}};
  if (session.agent_id) pruned["job_id"] = *session.agent_id;
  return pruned;
}

Task<Status> PruneOne(Core& core, Flight& flight, std::string id) {
  auto lock = core.Lock(flight, id, LockMode::kExclusive);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto kill = KillUnderLease(core, flight, *lease, id);
  auto killed = co_await std::move(kill);
  if (!killed) co_return std::move(killed).error();
  auto forget = core.state.Commit(Delete{RecordKind::kSession, id});
  auto forgotten = co_await std::move(forget);
  co_return std::move(forgotten);
}

// Whether an earlier SessionNew began exactly this session and did not see it through.
bool Unfinished(const SessionRecord* known, const SessionRecord& wanted) {
  return known != nullptr && known->status == SessionStatus::kUnknown && known->cwd == wanted.cwd &&
         known->command == wanted.command;
}

std::string Created(const std::string& id) {
  return json::serialize(json::object{{"type", "SessionCreated"}, {"id", id}});
}

// From here on the session may exist: the record says `unknown` until it is verified.
Task<Reply> Start(Core& core, Flight& flight, SessionLease& lease, SessionRecord record,
                  std::vector<std::pair<std::string, std::string>> env) {
  auto intend = core.state.Commit(record);
  auto intended = co_await std::move(intend);
  if (!intended) co_return std::move(intended).error();
  auto start = core.tmux.New(flight, lease, record, std::move(env));
  auto started = co_await std::move(start);
  if (!started) {
    if (NothingBegan(started.error())) {
      auto remove = core.state.Commit(Delete{RecordKind::kSession, record.id});
      static_cast<void>(co_await std::move(remove));  // the first error is the one to tell
    }
    co_return std::move(started).error();
  }
  record.status = SessionStatus::kLive;
  auto put = core.state.Commit(record);
  auto recorded = co_await std::move(put);
  if (!recorded) co_return std::move(recorded).error();
  co_return Created(record.id);
}

// The id that `given` means: itself, or the only one that it is the beginning of. One that nothing
// begins with is given back: whoever looks for it says so. For what reads only: a change that is
// asked for once more must not find another session than the first time.
Result<std::string> ResolveId(const State& state, const std::string& given) {
  const auto& all = state.All<SessionRecord>();
  if (all.contains(given)) return given;
  std::string matches;
  std::size_t count = 0;
  std::string found = given;
  for (auto at = all.lower_bound(given); at != all.end() && at->first.starts_with(given); ++at) {
    if (++count == 1) found = at->first;
    matches += (count == 1 ? "" : ", ") + at->first;
  }
  if (count <= 1) return found;
  return Error{ErrorCode::kAmbiguous, "'" + given + "' begins several ids: " + matches, ""};
}

}  // namespace

Task<Reply> PeekSession(Core& core, Flight& flight, PeekSessionRequest request) {
  const auto id = ResolveId(core.state, request.session_id);
  if (!id) co_return id.error();
  request.session_id = *id;
  auto lock = core.Lock(flight, request.session_id, LockMode::kShared);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto capture =
      core.tmux.Capture(flight, *lease, request.session_id, request.with_color, request.lines);
  auto screen = co_await std::move(capture);
  if (!screen) co_return std::move(screen).error();
  co_return json::serialize(json::object{{"type", "SessionPeek"}, {"output", ToUtf8(*screen)}});
}

Task<Reply> SessionNew(Core& core, Flight& flight, SessionNewRequest request) {
  auto check = CheckDirectory(core, request.cwd);
  auto directory = co_await std::move(check);
  if (!directory) co_return std::move(directory).error();
  auto lock = core.Lock(flight, request.id, LockMode::kExclusive);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();

  SessionRecord record;
  record.id = request.id;
  record.cwd = request.cwd;
  record.command = request.command;
  record.created_at_ms = core.seams.clock.WallNow();
  auto look = core.tmux.Has(flight, *lease, request.id);
  auto found = co_await std::move(look);
  if (!found) co_return std::move(found).error();
  if (*found == Presence::kPresent) {
    if (!Unfinished(core.state.Find<SessionRecord>(request.id), record)) {
      co_return Error{ErrorCode::kConflict, "session '" + request.id + "' exists already", ""};
    }
    record.status = SessionStatus::kLive;
    auto put = core.state.Commit(record);
    auto recorded = co_await std::move(put);
    if (!recorded) co_return std::move(recorded).error();
    co_return Created(request.id);
  }
  auto start = Start(core, flight, *lease, std::move(record), std::move(request.env));
  auto reply = co_await std::move(start);
  co_return std::move(reply);
}

Task<Reply> SessionSend(Core& core, Flight& flight, SessionSendRequest request) {
  auto lock = core.Lock(flight, request.id, LockMode::kExclusive);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto send = core.tmux.Send(flight, *lease, request.id, request.input);
  auto sent = co_await std::move(send);
  if (!sent) co_return std::move(sent).error();
  co_return OkReply();
}

Task<Reply> SessionKill(Core& core, Flight& flight, SessionKillRequest request) {
  auto lock = core.Lock(flight, request.id, LockMode::kExclusive);
  auto lease = co_await std::move(lock);
  if (!lease) co_return std::move(lease).error();
  auto kill = KillUnderLease(core, flight, *lease, request.id);
  auto killed = co_await std::move(kill);
  if (!killed) co_return std::move(killed).error();
  co_return OkReply();
}

Task<Reply> SessionPrune(Core& core, Flight& flight, SessionPruneRequest request) {
  std::vector<SessionRecord> selected;
  std::size_t skipped = 0;
  for (const auto& [id, record] : core.state.All<SessionRecord>()) {
    if (request.name_space && record.name_space != *request.name_space) continue;
    const bool old = request.all || core.seams.clock.WallNow() - record.created_at_ms >= kPruneAge;
    const AgentRecord* owner =
        record.agent_id ? core.state.Find<AgentRecord>(*record.agent_id) : nullptr;
    if (old && IsOver(owner)) {
      selected.push_back(record);
    } else {
      ++skipped;
    }
  }
  Outcome outcome(flight, "pruned", {{"skipped", skipped}});
  for (const SessionRecord& each : selected) outcome.Expect(each.id);
  for (const SessionRecord& each : selected) {
    outcome.Begun(each.id);
    Status pruned = Ok{};
    if (!request.dry_run) {
      auto prune = PruneOne(core, flight, each.id);
      pruned = co_await std::move(prune);
    }
    if (pruned) {
      outcome.Done(each.id, Pruned(each));
    } else {
      outcome.Failed(each.id, pruned.error());
    }
  }
  co_return outcome.Reply("SessionsPruned");
}

Task<Reply> ShutdownKill(Core& core, Flight& flight, Duration drain) {
  // Also when this is cancelled half-way: a shutdown that was asked for takes place.
  struct StopAtEnd {
    Core& core;
    Duration drain;
    ~StopAtEnd() { core.lifecycle.Drain(Deadline::After(core.seams.clock.Now(), drain)); }
  } stop{core, drain};
  auto kill = WithNursery([&](Nursery& nursery) { return KillAll(core, flight, nursery); });
  co_await std::move(kill);
  co_return R"({"type":"ShuttingDown"})";
}

}  // namespace oj
