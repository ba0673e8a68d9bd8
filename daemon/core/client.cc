#include "core/client.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "core/handlers/handlers.h"
#include "core/reply_cache.h"

namespace oj {
namespace {

// How long past its flight's deadline and the kill grace a client may wait for the answer.
constexpr Duration kLastWait = std::chrono::milliseconds(50);

Error ShuttingDown() { return {ErrorCode::kUnavailable, "the daemon is shutting down", ""}; }

// What a reply is called: its type, or the error's code. Both come first in every reply.
std::string_view OutcomeOf(std::string_view payload) {
  for (const std::string_view head : {R"({"type":"Error","code":")", R"({"type":")"}) {
    if (!payload.starts_with(head)) continue;
    payload.remove_prefix(head.size());
    return payload.substr(0, payload.find('"'));
  }
  return "";
}

bool OnlyLooks(const RequestBody& body) {
  return std::holds_alternative<StatusRequest>(body) ||
         std::holds_alternative<RequestsRequest>(body) ||
         std::holds_alternative<LocksRequest>(body);
}

}  // namespace

Task<void> Client::Serve() {
  core_.seams.log.Record(
      {EventKind::kConnectionOpened, connection_->id(), 0, connection_->peer().pid, {}});
  ++core_.connections;
  ++core_.counters["connections"];
  // Also when the frame is destroyed in mid-air.
  struct Closed {
    Client& client;
    ~Closed() {
      --client.core_.connections;
      client.core_.seams.log.Record(
          {EventKind::kConnectionClosed, client.connection_->id(), 0, 0, {}});
    }
  } closed{*this};
  const std::optional<Error> refusal = Refusal();
  if (refusal) {
    auto refuse = Send(*refusal);
    co_await std::move(refuse);
    co_return;
  }
  auto serve = ServeFrames();
  co_await std::move(serve);
}

std::optional<Error> Client::Refusal() const {
  const PeerCredentials peer = connection_->peer();
  if (peer.uid != 0 && peer.uid != core_.identity.uid) {
    return Error{ErrorCode::kUnauthenticated,
                 "this daemon serves uid " + std::to_string(core_.identity.uid) + ", not " +
                     std::to_string(peer.uid),
                 ""};
  }
  if (core_.connections > core_.config.max_connections) {
    return Error{ErrorCode::kBusy,
                 "too many connections: limits.max_connections is " +
                     std::to_string(core_.config.max_connections),
                 R"({"retry_after_ms":1000})"};
  }
  return std::nullopt;
}

Task<void> Client::ServeFrames() {
  while (true) {
    auto next = NextFrame();
    auto payload = co_await std::move(next);
    if (!payload) co_return;
    // Also what was pipelined behind a request in flight. Nothing new is read: see ReadMore.
    auto serve = core_.lifecycle.draining.is_set() ? Send(ShuttingDown()) : ServeFrame(*payload);
    const Next then = co_await std::move(serve);
    if (then == Next::kClose) co_return;
  }
}

Task<std::optional<std::string_view>> Client::NextFrame() {
  Deadline begun = Deadline::Never();
  while (true) {
    auto frame = in_.Next();
    if (!frame) {
      auto refuse = Send(std::move(frame).error());
      co_await std::move(refuse);
      co_return std::nullopt;
    }
    if (*frame) co_return **frame;
    if (!in_.empty() && begun.never()) {
      begun = Deadline::After(core_.seams.clock.Now(), core_.config.request_read);
    }
    auto read = ReadMore(begun);
    const bool more = co_await std::move(read);
    if (!more) co_return std::nullopt;
  }
}

Task<bool> Client::ReadMore(Deadline begun_frame) {
  if (end_of_file_) co_return false;
  // Between requests a client may stay as long as it likes, until the daemon drains.
  DeadlineScope scope(&core_.lifecycle.intake, core_.seams.clock, begun_frame);
  auto read = ReadOnce();
  co_await read.EndIn(scope);
  co_return !read.cancelled() && read.Take();
}

Task<bool> Client::ReadOnce() {
  auto read = connection_->Read(in_.Room());
  auto bytes = co_await std::move(read);
  if (!bytes || *bytes == 0) {
    end_of_file_ = true;
    co_return false;
  }
  in_.Filled(*bytes);
  co_return true;
}

Task<Client::Next> Client::ServeFrame(std::string_view payload) {
  auto request = ParseRequest(payload);
  // What only looks changes nothing, and `oj top` would soon have overwritten all that does.
  if (!request || !OnlyLooks(request->body)) {
    core_.seams.log.Record({EventKind::kRequestReceived, connection_->id(), 0, 0, payload});
  }
  if (!request) {
    auto refuse = Send(std::move(request).error());
    co_await std::move(refuse);
    co_return Next::kClose;
  }
  auto launch = LaunchOf(*request);
  if (!launch) {
    auto send = Send(AnswerAtOnce(core_, request->body));
    const Next next = co_await std::move(send);
    co_return next;
  }
  if (core_.flights.all().size() >= core_.config.max_requests + launch->beyond) {
    auto send = Send(Error{ErrorCode::kBusy,
                           "too many requests in flight: limits.max_requests is " +
                               std::to_string(core_.config.max_requests),
                           R"({"retry_after_ms":1000})"});
    const Next next = co_await std::move(send);
    co_return next;
  }
  if (const auto known = Known(*request)) {
    auto send = Send(*known);
    const Next next = co_await std::move(send);
    co_return next;
  }
  Patience patience{
      Deadline::After(core_.seams.clock.Now(), core_.config.handler), {}, request->progress, {}};
  if (request->timeout) {
    patience.margin = MarginOf(*request->timeout);
    patience.limit = *request->timeout - patience.margin;
  }
  auto serve = ServeFlight(std::move(*launch), patience);
  const Next next = co_await std::move(serve);
  co_return next;
}

namespace {

// A handler with its request, as a flight begins it.
template <class Body>
FlightTable::Handler Bind(Core& core, Task<Reply> (*handler)(Core&, Flight&, Body),
                          const Body& body) {
  return [&core, handler, body](Flight& flight) { return handler(core, flight, body); };
}

// The handlers of the requests that are flights, and what makes two of them the same. The others
// are answered at once.
struct Launcher {
  Core& core;
  FlightTable::Launch& launch;

  template <class Body>
  bool Fly(Task<Reply> (*handler)(Core&, Flight&, Body), const Body& body) const {
    launch.handler = Bind(core, handler, body);
    return true;
  }
  bool operator()(const PeekSessionRequest& body) const {
    launch.join_key = "peek " + body.session_id + " " + std::to_string(body.with_color) + " " +
                      std::to_string(body.lines);
    return Fly(PeekSession, body);
  }
  bool operator()(const SessionNewRequest& body) const { return Fly(SessionNew, body); }
  bool operator()(const SessionSendRequest& body) const { return Fly(SessionSend, body); }
  bool operator()(const SessionKillRequest& body) const { return Fly(SessionKill, body); }
  bool operator()(const SessionPruneRequest& body) const {
    launch.join_key = "prune sessions " + std::to_string(body.all) + std::to_string(body.dry_run) +
                      " " + (body.name_space ? "of " + *body.name_space : "");
    return Fly(SessionPrune, body);
  }
  bool operator()(const AgentRunRequest& body) const { return Fly(AgentRun, body); }
  bool operator()(const AgentSendRequest& body) const { return Fly(AgentSend, body); }
  bool operator()(const AgentResumeRequest& body) const { return Fly(AgentResume, body); }
  bool operator()(const WorkspaceAddRequest& body) const { return Fly(WorkspaceAdd, body); }
  bool operator()(const WorkspaceDropRequest& body) const { return Fly(WorkspaceDrop, body); }
  bool operator()(const WorkspaceDropFailedRequest& body) const {
    return Fly(WorkspaceDropFailed, body);
  }
  bool operator()(const WorkspaceDropAllRequest& body) const { return Fly(WorkspaceDropAll, body); }
  bool operator()(const WorkspacePruneRequest& body) const {
    launch.join_key = "prune workspaces " + std::to_string(body.all) +
                      std::to_string(body.how.force) + std::to_string(body.how.delete_branch) +
                      std::to_string(body.how.dry_run) + " " +
                      (body.name_space ? "of " + *body.name_space : "");
    return Fly(WorkspacePrune, body);
  }
  // It is wanted most when all else is refused, and takes neither a lock nor a child.
  bool operator()(const DebugDumpRequest& body) const {
    launch.join_key = "dump " + std::to_string(body.redact);
    launch.beyond = 2;
    return Fly(DebugDump, body);
  }
  bool operator()(const ShutdownRequest& body) const {
    if (!body.kill) return false;
    launch.handler = [&core = core, drain = body.drain.value_or(core.config.drain)](
                         Flight& flight) { return ShutdownKill(core, flight, drain); };
    return true;
  }
  template <class Body>
  bool operator()(const Body&) const {
    return false;
  }
};

}  // namespace

std::optional<FlightTable::Launch> Client::LaunchOf(const Request& request) {
  FlightTable::Launch launch;
  if (!std::visit(Launcher{core_, launch}, request.body)) return std::nullopt;
  launch.type = TypeOf(request.body);
  launch.client_pid = connection_->peer().pid;
  launch.connection = connection_->id();
  if (!request.request_id.empty()) {
    launch.request_id = request.request_id;
    launch.digest = request.digest;
    launch.handler = [&core = core_, inner = std::move(launch.handler), id = request.request_id,
                      digest = request.digest](Flight& flight) {
      return HandleAndRemember(core, flight, inner, id, digest);
    };
  }
  return launch;
}

std::optional<Reply> Client::Known(const Request& request) const {
  if (request.request_id.empty()) return std::nullopt;
  const Error reused{ErrorCode::kInvalidRequest,
                     "field 'request_id' names another request than this one", ""};
  const auto* record = core_.state.Find<ReplyRecord>(request.request_id);
  if (record != nullptr && !IsForgotten(core_, *record)) {
    if (record->digest != request.digest) return reused;
    return Reply(record->reply);
  }
  for (const auto& [id, flight] : core_.flights.all()) {
    if (flight->request_id == request.request_id && flight->digest != request.digest) return reused;
  }
  return std::nullopt;
}

Deadline Client::DeadlineOf(const Patience& patience) const {
  if (!patience.limit) return patience.own;
  return patience.own.Earlier(Deadline::After(core_.seams.clock.Now(), *patience.limit));
}

// A waiter's place in a flight, given up by whatever way the frame is left.
struct Interest {
  FlightTable& flights;
  Flight& flight;
  Waiter& waiter;
  CancelReason reason = CancelReason::kDisconnected;
  ~Interest() { flights.Leave(flight, waiter, reason); }
};

Task<Client::Next> Client::ServeFlight(FlightTable::Launch launch, Patience patience) {
  Waiter waiter(DeadlineOf(patience));
  const Duration limit = waiter.deadline.LeftAt(core_.seams.clock.Now());
  auto flight = core_.flights.Join(std::move(launch), waiter);
  Interest interest{core_.flights, *flight, waiter};
  auto wait = WithNursery(
      [&](Nursery& watchers) { return AwaitFlight(*flight, waiter, patience, watchers); },
      WhenBodyEnds::kDrop);
  co_await std::move(wait);
  if (gone_) {
    core_.seams.log.Record({EventKind::kClientLeft, connection_->id(), flight->id, 0, {}});
    co_return Next::kClose;
  }
  if (!flight->ended()) {
    interest.reason = CancelReason::kDeadline;
    auto late = Send(Error{ErrorCode::kDeadlineExceeded,
                           flight->type + " (" + RequestName(flight->id) +
                               ") has not ended within the client's limit; " +
                               (flight->joinable() ? "others wait for it on"
                                                   : "it was cancelled and has not ended yet"),
                           DeadlineDetail(*flight, limit, limit)});
    const Next next = co_await std::move(late);
    co_return next;
  }
  auto send = Send(flight->reply());
  const Next next = co_await std::move(send);
  co_return next;
}

namespace {

Task<void> News(Waiter& waiter) {
  while (!waiter.settled && !waiter.progressed) {
    auto turn = waiter.bell.Heard();
    co_await turn;
  }
}

Task<void> Settled(Waiter& waiter) {
  while (!waiter.settled) {
    auto turn = waiter.bell.Heard();
    co_await turn;
  }
}

std::string ProgressFrame(const Progress& progress) {
  boost::json::object frame{{"type", "Progress"},
                            {"done", progress.done},
                            {"total", progress.total},
                            {"item", ToUtf8(progress.item)}};
  std::string under_way;
  for (const std::string& each : progress.under_way) {
    under_way += (under_way.empty() ? "" : ", ") + ToUtf8(each);
  }
  if (!under_way.empty()) frame["message"] = std::move(under_way);
  return boost::json::serialize(frame);
}

}  // namespace

Task<void> Client::AwaitFlight(Flight& flight, Waiter& waiter, Patience patience,
                               Nursery& watchers) {
  watchers.Start(WatchHangup(waiter));
  watchers.Start(ReadAhead(waiter));
  while (!waiter.settled) {
    auto news = AwaitNews(flight, waiter, patience);
    const bool in_time = co_await std::move(news);
    if (in_time) continue;
    if (flight.deadline() > waiter.deadline) co_return;
    // The flight's own deadline is this one: its end, with all its children dead, is the answer. A
    // disk that hangs may keep it from that for longer than a client is to wait.
    flight.Latch(CancelReason::kDeadline);
    auto end = Settled(waiter);
    Duration wait = core_.config.kill_grace + kLastWait;
    if (patience.limit) wait = std::min(wait, patience.margin / 8);  // the answer has a way to go
    const Deadline last = Deadline::After(core_.seams.clock.Now(), wait);
    auto ended = WithDeadline(core_.seams.clock, last, std::move(end));
    co_await std::move(ended);
    co_return;
  }
}

Task<bool> Client::AwaitNews(Flight& flight, Waiter& waiter, Patience patience) {
  auto news = News(waiter);
  auto bounded = WithDeadline(core_.seams.clock, waiter.deadline, std::move(news));
  const bool in_time = co_await std::move(bounded);
  if (!in_time) co_return false;
  waiter.progressed = false;
  if (waiter.settled || !patience.progress) co_return true;
  auto send = Send(ProgressFrame(flight.progress()));
  const Next next = co_await std::move(send);
  if (next == Next::kClose) {
    gone_ = true;
    waiter.settled = true;
  }
  waiter.deadline = DeadlineOf(patience);
  core_.flights.Renew(flight);
  co_return true;
}

Task<void> Client::WatchHangup(Waiter& waiter) {
  auto gone = connection_->PeerGone();
  co_await std::move(gone);
  gone_ = true;
  waiter.Settle();
}

// Bytes that come while a request is served: the next requests, or the end of what the client
// sends. A full buffer stops the reading; a hang-up is seen nevertheless.
Task<void> Client::ReadAhead(Waiter& waiter) {
  while (in_.HasRoom() && !end_of_file_) {
    auto read = ReadOnce();
    co_await std::move(read);
  }
  if (!end_of_file_ || core_.config.half_close == HalfClose::kKeep) co_return;
  gone_ = true;
  waiter.Settle();
}

Task<Client::Next> Client::Send(Reply reply) {
  std::string payload = reply ? std::move(*reply) : ErrorReply(reply.error());
  if (payload.size() > core_.config.max_reply_bytes) {
    payload = ErrorReply(Error{ErrorCode::kTooLarge,
                               "the reply has " + std::to_string(payload.size()) +
                                   " bytes; limits.max_reply_bytes is " +
                                   std::to_string(core_.config.max_reply_bytes),
                               ""});
  }
  // There is one answer to a ping, and there are many pings.
  const std::string_view outcome = OutcomeOf(payload);
  if (outcome != "Pong" && outcome != "Status" && outcome != "Requests" && outcome != "Locks") {
    const auto size = static_cast<std::int64_t>(payload.size());
    core_.seams.log.Record({EventKind::kReplied, connection_->id(), 0, size, outcome});
  }
  const std::string frame = Frame(payload);
  auto write = WriteAll(frame);
  const Deadline limit = Deadline::After(core_.seams.clock.Now(), core_.config.response_write);
  auto bounded = WithDeadline(core_.seams.clock, limit, std::move(write));
  const auto written = co_await std::move(bounded);
  co_return written && *written ? Next::kGoOn : Next::kClose;
}

Task<bool> Client::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    auto write = connection_->Write(bytes);
    auto written = co_await std::move(write);
    if (!written) co_return false;
    bytes.remove_prefix(*written);
  }
  co_return true;
}

}  // namespace oj
