// UnixListener and UnixConnection: the production transport on Unix stream sockets.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "oj/transport.h"
#include "os/asio_loop.h"
#include "os/slot_wait.h"
#include "os/socket_poller.h"
#include "os/unique_fd.h"

namespace oj {

class UnixConnection final : public Connection, private SocketPoller::Watcher {
 public:
  // `socket` is connected and non-blocking.
  UnixConnection(std::shared_ptr<SocketPoller> poller, UniqueFd socket, std::uint64_t id);
  ~UnixConnection() override;

  std::uint64_t id() const override { return id_; }
  PeerCredentials peer() const override { return peer_; }
  Task<Result<std::size_t>> Read(std::span<char> buffer) override;
  Task<Result<std::size_t>> Write(std::span<const char> bytes) override;
  Task<void> PeerGone() override;

 private:
  class ReadWait;
  class WriteWait;
  class GoneWait;

  std::uint32_t Wanted() const;
  int WatchWanted();
  void OnEvents(std::uint32_t events) noexcept override;
  void OnHangup(std::uint32_t events) noexcept;

  std::shared_ptr<SocketPoller> poller_;
  UniqueFd socket_;
  std::uint64_t id_;
  PeerCredentials peer_;
  SlotWait* reader_ = nullptr;
  SlotWait* writer_ = nullptr;
  SlotWait* gone_waiter_ = nullptr;
  bool watched_ = false;
  std::uint32_t events_ = 0;  // told by the poller, if watched
  bool more_likely_ = true;   // try to read before waiting
  bool gone_ = false;         // the peer has closed or reset: no more waiting, not watched
  int reset_error_ = 0;       // taken from the socket, for the next read
};

class UnixListener final : public Listener, private SocketPoller::Watcher {
 public:
  // Listens at `path`, which must not exist, mode 0600. Close() removes the file, unless another
  // one has taken its place. Error (kUnavailable): names the path.
  //
  // `refusal`: bytes sent to a client that cannot be served because descriptors have run out,
  // before it is closed; may be empty.
  static Result<std::unique_ptr<UnixListener>> Bind(AsioLoop& loop, const std::string& path,
                                                    std::string refusal);
  // Takes over a listening socket (socket activation). Close() leaves its file alone.
  static std::unique_ptr<UnixListener> Adopt(AsioLoop& loop, UniqueFd socket, std::string refusal);
  ~UnixListener() override;

  // Error (kUnavailable) once the listener is closed. One Accept at a time. Connections may outlive
  // the listener, but not the loop.
  Task<Result<std::unique_ptr<Connection>>> Accept() override;
  void Close() override;

 private:
  class AcceptWait;

  UnixListener(AsioLoop& loop, UniqueFd socket, std::string refusal);
  void OnEvents(std::uint32_t events) noexcept override;
  bool RefuseOne() noexcept;

  std::shared_ptr<SocketPoller> poller_;
  UniqueFd socket_;
  std::string refusal_;
  std::string path_;  // empty: not ours to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
  // Given up for a moment to accept and close a client when descriptors have run out, who would
  // otherwise wait in vain.
  UniqueFd reserve_;
  std::uint64_t last_id_ = 0;
  SlotWait* acceptor_ = nullptr;
  bool watched_ = false;
  bool more_likely_ = false;  // try to accept before waiting
};

// Ok, or an Error (kInvalidRequest) naming path and limit: too long for a socket's address.
Status CheckSocketPath(const std::string& path);

}  // namespace oj
