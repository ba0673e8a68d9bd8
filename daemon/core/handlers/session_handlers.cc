#include <boost/json.hpp>
#include <utility>

#include "core/handlers/handlers.h"

namespace oj {
namespace {

namespace json = boost::json;

constexpr Duration kStatLimit = std::chrono::seconds(2);

std::string OkReply() { return R"({"type":"Ok"})"; }

Task<Status> CheckDirectory(Core& core, std::string path) {
  auto stat = core.seams.files.Stat(path, true);
  const Deadline limit = Deadline::After(core.seams.clock.Now(), kStatLimit);
  auto bounded = Shield(core.seams.clock, limit, std::move(stat));
  auto info = co_await std::move(bounded);
  if (!info) {
    co_return Error{ErrorCode::kUnavailable,
                    "directory '" + path + "' could not be looked at within 2000 ms", ""};
  }
  if (!*info) co_return std::move(*info).error();
  if (info->value().type != FileType::kDirectory) {
    co_return Error{ErrorCode::kNotFound, "'" + path + "' is not a directory", ""};
  }
  co_return Ok{};
}

// The session is verified to be gone: says so in the state, if the state knows it.
Task<Status> RecordGone(Core& core, std::string id) {
  const SessionRecord* known = core.sessions.Find(id);
  if (known == nullptr || known->status == SessionStatus::kGone) co_return Ok{};
  SessionRecord record = *known;
  record.status = SessionStatus::kGone;
  auto put = core.sessions.Put(std::move(record));
  auto status = co_await std::move(put);
  co_return std::move(status);
}

Task<Status> KillUnderLease(Core& core, Flight& flight, SessionLease& lease, std::string id) {
  auto kill = core.tmux.Kill(flight, lease, id);
  auto killed = co_await std::move(kill);
  if (!killed) co_return std::move(killed).error();
  if (*killed == Presence::kAbsent && core.sessions.Find(id) == nullptr) {
    co_return Error{ErrorCode::kNotFound, "session '" + id + "' does not exist", ""};
  }
  auto look = core.tmux.Has(flight, lease, id);
  auto found = co_await std::move(look);
  if (!found) co_return std::move(found).error();
  if (*found == Presence::kPresent) {
    co_return Error{ErrorCode::kUnknownOutcome,
                    "tmux says that it killed session '" + id + "', but the session is there", ""};
  }
  auto gone = RecordGone(core, id);
  auto status = co_await std::move(gone);
  co_return std::move(status);
}

Task<void> KillOne(Core& core, Flight& flight, std::string id) {
  auto lock = core.Lock(flight, id, LockMode::kExclusive);
  auto lease = co_await std::move(lock);
  if (!lease) co_return;
  auto kill = KillUnderLease(core, flight, *lease, id);
  // The daemon stops whatever came of it.
  static_cast<void>(co_await std::move(kill));
}

Task<void> KillAll(Core& core, Flight& flight, Nursery& nursery) {
  for (const auto& [id, record] : core.sessions.all()) {
    if (record.status != SessionStatus::kGone) nursery.Start(KillOne(core, flight, id));
  }
  co_return;
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
  auto intend = core.sessions.Put(record);
  auto intended = co_await std::move(intend);
  if (!intended) co_return std::move(intended).error();
  auto start = core.tmux.New(flight, lease, record, std::move(env));
  auto started = co_await std::move(start);
  if (!started) {
    const bool nothing_began = started.error().code == ErrorCode::kToolFailed ||
                               started.error().code == ErrorCode::kToolMissing ||
                               started.error().code == ErrorCode::kConflict ||
                               started.error().code == ErrorCode::kBusy;
    if (nothing_began) {
      auto remove = core.sessions.Remove(record.id);
      static_cast<void>(co_await std::move(remove));  // the first error is the one to tell
    }
    co_return std::move(started).error();
  }
  record.status = SessionStatus::kLive;
  auto put = core.sessions.Put(record);
  auto recorded = co_await std::move(put);
  if (!recorded) co_return std::move(recorded).error();
  co_return Created(record.id);
}

}  // namespace

Task<Reply> PeekSession(Core& core, Flight& flight, PeekSessionRequest request) {
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
    if (!Unfinished(core.sessions.Find(request.id), record)) {
      co_return Error{ErrorCode::kConflict, "session '" + request.id + "' exists already", ""};
    }
    record.status = SessionStatus::kLive;
    auto put = core.sessions.Put(record);
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
