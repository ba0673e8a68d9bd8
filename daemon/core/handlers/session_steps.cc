#include "core/handlers/session_steps.h"

#include <utility>

#include "core/protocol.h"

namespace oj {
namespace {

constexpr Duration kStatLimit = std::chrono::seconds(2);

// The session is verified to be gone: says so in the state, if the state knows it.
Task<Status> RecordGone(Core& core, std::string id) {
  const SessionRecord* known = core.state.Find<SessionRecord>(id);
  if (known == nullptr || known->status == SessionStatus::kGone) co_return Ok{};
  SessionRecord record = *known;
  record.status = SessionStatus::kGone;
  auto put = core.state.Commit(std::move(record));
  auto status = co_await std::move(put);
  co_return std::move(status);
}

}  // namespace

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

Task<Status> KillUnderLease(Core& core, Flight& flight, SessionLease& lease, std::string id) {
  auto kill = core.tmux.Kill(flight, lease, id);
  auto killed = co_await std::move(kill);
  if (!killed) co_return std::move(killed).error();
  if (*killed == Presence::kAbsent && core.state.Find<SessionRecord>(id) == nullptr) {
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

bool NothingBegan(const Error& error) {
  return error.code == ErrorCode::kToolFailed || error.code == ErrorCode::kToolMissing ||
         error.code == ErrorCode::kConflict || error.code == ErrorCode::kBusy;
}

namespace {

std::string EightDigits(std::uint64_t number) {
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[number >> shift & 15];
  return text;
}

}  // namespace

std::string DigitsFor(const Flight& flight) {
  const std::uint64_t hash = StableHash(flight.request_id);
  return EightDigits(hash ^ hash >> 32);
}

std::string RandomDigits(Core& core) { return EightDigits(core.seams.random.Next()); }

bool IsRecent(const Core& core, WallMillis created_at) {
  const auto age = core.seams.clock.WallNow() - created_at;
  return age <= Millis(core.config.reply_cache) + Millis(core.config.handler);
}

bool IsOver(const AgentRecord* agent) {
  return agent == nullptr || agent->status == AgentStatus::kExited ||
         agent->status == AgentStatus::kGone;
}

}  // namespace oj
