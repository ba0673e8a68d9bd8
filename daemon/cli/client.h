// Connection: one connection to ojd, with requests one after the other. Blocking, always with a
// deadline, and interruptible. Its socket is close-on-exec, and its sending side stays open while
// it waits. Destroying it closes the socket, which cancels a request in flight.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/outcome.h"
#include "cli/posix.h"
#include "oj/deadline.h"

namespace oj::cli {

enum class Trouble : std::uint8_t {
  kNotRunning,   // no socket, or nobody listens on it
  kNotAccepted,  // the deadline passed before the daemon took the connection
  kTimedOut,     // the deadline passed before the reply was complete
  kInterrupted,
  kForeignPeer,  // the listener belongs to another user
  kClosed,       // the daemon closed the connection before the reply was complete
  kBadReply,     // what came is no frame, or over the limit
  kSystem,       // a system call failed
};

struct ClientError {
  Trouble trouble = Trouble::kSystem;
  std::string what = {};  // one line; empty where the trouble says all
};

template <class T>
using ClientResult = Outcome<T, ClientError>;

struct Peer {
  int pid = 0;  // of whoever called listen(): ojd, or its socket activator
  unsigned uid = 0;
};

// Looks at the payload of each frame that comes: a sign of life, and until when to wait from now
// on; or nothing, and it is the reply.
using Interim = std::function<std::optional<Deadline>(std::string_view)>;

// What is done while a reply is awaited.
struct Meanwhile {
  Interim interim = {};
  std::function<void()> tick = {};  // ten times a second; may be empty
};

class Connection {
 public:
  // Connects to the Unix socket at `path`. The peer must be this user or root.
  static ClientResult<Connection> Open(const std::string& path, Deadline deadline,
                                       int interrupt_fd);

  const Peer& peer() const { return peer_; }

  // Sends one request and returns the payload of its reply, at most `max_reply_bytes` long.
  // After an error the connection is of no further use.
  ClientResult<std::string> Call(std::string_view payload, Deadline deadline,
                                 std::size_t max_reply_bytes, const Meanwhile& meanwhile = {});

 private:
  Connection(UniqueFd socket, Peer peer, int interrupt_fd)
      : socket_(std::move(socket)), peer_(peer), interrupt_fd_(interrupt_fd) {}

  UniqueFd socket_;
  Peer peer_;
  int interrupt_fd_ = -1;
  std::string received_;  // bytes that no reply has taken yet
};

}  // namespace oj::cli
