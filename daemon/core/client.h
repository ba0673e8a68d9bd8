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

  // Refuses clients that are not to be served.
  std::optional<Error> Refusal() const;
  Task<void> ServeFrames();
  // The next frame's payload; nothing: the connection is to be closed.
  Task<std::optional<std::string_view>> NextFrame();
  // False: end of file, reset, or the limit for reading one request has passed.
  Task<bool> ReadMore(Deadline begun_frame);
  Task<bool> ReadOnce();

  Task<Next> ServeFrame(std::string_view payload);
  Task<Next> ServeFlight(FlightTable::Launch launch, Deadline deadline);
  Task<void> AwaitFlight(Flight& flight, Waiter& waiter, Nursery& watchers);
  Task<void> WatchHangup(Event& settled);
  Task<void> ReadAhead(Event& settled);

  // How a request is run as a flight; nothing: it is answered at once.
  std::optional<FlightTable::Launch> LaunchOf(const Request& request);
  Deadline DeadlineOf(const Request& request) const;
  Task<Next> Send(Reply reply);
  Task<bool> WriteAll(std::string_view bytes);

  Core& core_;
  std::unique_ptr<Connection> connection_;
  FrameBuffer in_;
  bool end_of_file_ = false;
  bool gone_ = false;  // nobody waits for an answer
};

}  // namespace oj
