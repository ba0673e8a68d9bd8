// Transport: byte streams between the daemon and its clients. Connections move bytes, not
// messages, so that partial reads and writes are part of what is explored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "oj/error.h"
#include "oj/task.h"

namespace oj {

struct PeerCredentials {
  int pid = 0;
  unsigned uid = 0;
};

// One client. At most one Read, one Write and one PeerGone wait at a time, each from a task of its
// own. Destroying it closes it. All waits throw Cancelled and then have moved no byte.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual std::uint64_t id() const = 0;  // unique within the daemon's life
  virtual PeerCredentials peer() const = 0;

  // Bytes read, at least 1; 0 at the end of what the peer sends (a half-close or a close); an Error
  // (kUnavailable) when the connection was reset.
  virtual Task<Result<std::size_t>> Read(std::span<char> buffer) = 0;
  // Bytes written, at least 1, perhaps fewer than given; an Error when the peer is gone.
  virtual Task<Result<std::size_t>> Write(std::span<const char> bytes) = 0;
  // Waits until the peer has fully closed or reset the connection; not for a half-close, and not
  // for bytes. Level-triggered, and true whatever is unread.
  virtual Task<void> PeerGone() = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // The next connection. An Error (kBusy) when descriptors have run out: the caller backs off.
  virtual Task<Result<std::unique_ptr<Connection>>> Accept() = 0;
  // No more connections: those not yet accepted are refused, the socket file is removed.
  virtual void Close() = 0;
};

}  // namespace oj
