#include "core/reply_cache.h"

#include <utility>

#include "core/protocol.h"

namespace oj {
namespace {

// What a request came to, not what came in its way.
bool IsFinal(const Reply& reply) {
  if (reply) return true;
  switch (reply.error().code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kAmbiguous:
    case ErrorCode::kConflict:
    case ErrorCode::kToolFailed:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool IsForgotten(const Core& core, const ReplyRecord& record) {
  return core.EvenNow() - record.finished_at_ms > Millis(core.config.reply_cache);
}

Task<Reply> HandleAndRemember(Core& core, Flight& flight, FlightTable::Handler handler,
                              std::string request_id, std::string digest) {
  auto handle = handler(flight);
  Reply reply = co_await std::move(handle);
  // What it saw may be old before the reply is stored: only a retry has it then, no neighbour.
  flight.join_key.clear();
  if (!IsFinal(reply)) co_return std::move(reply);
  std::vector<Change> changes;
  for (const auto& [id, record] : core.state.All<ReplyRecord>()) {
    if (IsForgotten(core, record)) changes.emplace_back(Delete{RecordKind::kReply, id});
  }
  ReplyRecord record;
  record.request_id = std::move(request_id);
  record.digest = std::move(digest);
  record.reply = reply ? *reply : ErrorReply(reply.error());
  record.finished_at_ms = core.EvenNow();
  changes.emplace_back(std::move(record));
  auto commit = core.state.Commit(std::move(changes));
  // Without it a retry does the work again, which every handler can bear but the one that types.
  static_cast<void>(co_await std::move(commit));
  co_return std::move(reply);
}

}  // namespace oj
