#include "core/client.h"

#include <algorithm>
#include <utility>

#include "core/handlers/handlers.h"

namespace oj {
namespace {

// How long past its flight's deadline and the kill grace a client may wait for the answer.
constexpr Duration kLastWait = std::chrono::milliseconds(50);

Error ShuttingDown() { return {ErrorCode::kUnavailable, "the daemon is shutting down", ""}; }

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
  if (core_.flights.all().size() >= core_.config.max_requests) {
    auto send = Send(Error{ErrorCode::kBusy,
                           "too many requests in flight: limits.max_requests is " +
                               std::to_string(core_.config.max_requests),
                           R"({"retry_after_ms":1000})"});
    const Next next = co_await std::move(send);
    co_return next;
  }
  auto serve = ServeFlight(std::move(*launch), DeadlineOf(*request));
  const Next next = co_await std::move(serve);
  co_return next;
}

std::optional<FlightTable::Launch> Client::LaunchOf(const Request& request) {
  FlightTable::Launch launch;
  Core& core = core_;
  if (const auto* peek = std::get_if<PeekSessionRequest>(&request.body)) {
    launch.join_key = "peek " + peek->session_id + " " + std::to_string(peek->with_color) + " " +
                      std::to_string(peek->lines);
    launch.handler = [&core, body = *peek](Flight& flight) {
      return PeekSession(core, flight, body);
    };
  } else if (const auto* start = std::get_if<SessionNewRequest>(&request.body)) {
    launch.handler = [&core, body = *start](Flight& flight) {
      return SessionNew(core, flight, body);
    };
  } else if (const auto* send = std::get_if<SessionSendRequest>(&request.body)) {
    launch.handler = [&core, body = *send](Flight& flight) {
      return SessionSend(core, flight, body);
    };
  } else if (const auto* kill = std::get_if<SessionKillRequest>(&request.body)) {
    launch.handler = [&core, body = *kill](Flight& flight) {
      return SessionKill(core, flight, body);
    };
  } else if (const auto* stop = std::get_if<ShutdownRequest>(&request.body);
             stop != nullptr && stop->kill) {
    launch.handler = [&core, drain = stop->drain.value_or(core.config.drain)](Flight& flight) {
      return ShutdownKill(core, flight, drain);
    };
  } else {
    return std::nullopt;
  }
  launch.type = TypeOf(request.body);
  launch.client_pid = connection_->peer().pid;
  launch.connection = connection_->id();
  return launch;
}

Deadline Client::DeadlineOf(const Request& request) const {
  const Instant now = core_.seams.clock.Now();
  const Deadline own = Deadline::After(now, core_.config.handler);
  if (!request.timeout) return own;
  return own.Earlier(Deadline::After(now, *request.timeout - MarginOf(*request.timeout)));
}

// A waiter's place in a flight, given up by whatever way the frame is left.
struct Interest {
  FlightTable& flights;
  Flight& flight;
  Waiter& waiter;
  CancelReason reason = CancelReason::kDisconnected;
  ~Interest() { flights.Leave(flight, waiter, reason); }
};

Task<Client::Next> Client::ServeFlight(FlightTable::Launch launch, Deadline deadline) {
  const Duration limit = deadline.LeftAt(core_.seams.clock.Now());
  Event settled;
  Waiter waiter{deadline, settled};
  auto flight = core_.flights.Join(std::move(launch), waiter);
  Interest interest{core_.flights, *flight, waiter};
  auto wait = WithNursery([&](Nursery& watchers) { return AwaitFlight(*flight, waiter, watchers); },
                          WhenBodyEnds::kDrop);
  co_await std::move(wait);
  if (gone_) co_return Next::kClose;
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

Task<void> Client::AwaitFlight(Flight& flight, Waiter& waiter, Nursery& watchers) {
  watchers.Start(WatchHangup(waiter.settled));
  watchers.Start(ReadAhead(waiter.settled));
  auto wait = waiter.settled.WaitSet();
  auto bounded = WithDeadline(core_.seams.clock, waiter.deadline, std::move(wait));
  const bool in_time = co_await std::move(bounded);
  if (in_time || flight.deadline() > waiter.deadline) co_return;
  // The flight's own deadline is this one: its end, with all its children dead, is the answer. A
  // disk that hangs may keep it from that for longer than a client is to wait.
  flight.Latch(CancelReason::kDeadline);
  auto end = waiter.settled.WaitSet();
  const Deadline last =
      Deadline::After(core_.seams.clock.Now(), core_.config.kill_grace + kLastWait);
  auto ended = WithDeadline(core_.seams.clock, last, std::move(end));
  co_await std::move(ended);
}

Task<void> Client::WatchHangup(Event& settled) {
  auto gone = connection_->PeerGone();
  co_await std::move(gone);
  gone_ = true;
  settled.Set();
}

// Bytes that come while a request is served: the next requests, or the end of what the client
// sends. A full buffer stops the reading; a hang-up is seen nevertheless.
Task<void> Client::ReadAhead(Event& settled) {
  while (in_.HasRoom() && !end_of_file_) {
    auto read = ReadOnce();
    co_await std::move(read);
  }
  if (!end_of_file_ || core_.config.half_close == HalfClose::kKeep) co_return;
  gone_ = true;
  settled.Set();
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
