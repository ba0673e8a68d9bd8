// Client: one connection: reads frames, serves them one after the other, notices when nobody waits
// for the answer any more.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/core.h"
#include "core/frame_buffer.h"
#include "core/protocol.h"

namespace oj {

class Client {
 public:
  Client(Core& core, std::unique_ptr<Connection> connection)
      : core_(core), connection_(std::move(connection)), in_(core.config.max_request_bytes) {}

  // Serves until the client leaves, breaks the protocol, or the daemon drains.
  Task<void> Serve();

 private:
  // What becomes of the connection after a request.
  enum class Next : std::uint8_t { kGoOn, kClose };

  // How long a client waits.
  struct Patience {
    Deadline own;                   // of the daemon, for the whole handler
    std::optional<Duration> limit;  // the client's, less the margin
    bool progress = false;          // the limit counts from the last sign of life
    Duration margin{};              // between the limit and the moment the client gives up
  };

  // Refuses clients that are not to be served.
  std::optional<Error> Refusal() const;
  Task<void> ServeFrames();
  // The next frame's payload; nothing: the connection is to be closed.
  Task<std::optional<std::string_view>> NextFrame();
  // False: end of file, reset, or the limit for reading one request has passed.
  Task<bool> ReadMore(Deadline begun_frame);
  Task<bool> ReadOnce();

  Task<Next> ServeFrame(std::string_view payload);
  Task<Next> ServeFlight(FlightTable::Launch launch, Patience patience);
  Task<void> AwaitFlight(Flight& flight, Waiter& waiter, Patience patience, Nursery& watchers);
  // False: the client's limit has passed.
  Task<bool> AwaitNews(Flight& flight, Waiter& waiter, Patience patience);
  Task<void> WatchHangup(Waiter& waiter);
  Task<void> ReadAhead(Waiter& waiter);

  // How a request is run as a flight; nothing: it is answered at once.
  std::optional<FlightTable::Launch> LaunchOf(const Request& request);
  // What is known already of a request with a request_id: the reply that it had, or why not.
  std::optional<Reply> Known(const Request& request) const;
  Deadline DeadlineOf(const Patience& patience) const;
  Task<Next> Send(Reply reply);
  Task<bool> WriteAll(std::string_view bytes);

  Core& core_;
  std::unique_ptr<Connection> connection_;
  FrameBuffer in_;
  bool end_of_file_ = false;
  bool gone_ = false;  // nobody waits for an answer
};

}  // namespace oj
