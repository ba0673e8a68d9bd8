#include "cli/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/protocol.h"

namespace oj::cli {
namespace {

constexpr std::size_t kHeaderBytes = 4;
constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kBacklogPause = std::chrono::milliseconds(5);

ClientError System(const std::string& what, int error) {
  return {Trouble::kSystem, what + ": " + ErrnoText(error)};
}

// 0 or an errno; EAGAIN means that the daemon's backlog is full.
int TryConnect(int fd, const sockaddr_un& address) {
  for (;;) {
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

std::optional<ClientError> ConnectUntil(int fd, const sockaddr_un& address, Deadline deadline,
                                        int interrupt_fd) {
  for (;;) {
    const int error = TryConnect(fd, address);
    if (error == 0) return std::nullopt;
    if (error == ENOENT || error == ECONNREFUSED) return ClientError{Trouble::kNotRunning};
    if (error != EAGAIN) return System("cannot connect to " + std::string(address.sun_path), error);
    if (deadline.PassedAt(Now())) return ClientError{Trouble::kNotAccepted};
    const Deadline pause = Deadline::After(Now(), kBacklogPause).Earlier(deadline);
    if (AwaitFd(-1, 0, pause, interrupt_fd).interrupted) return ClientError{Trouble::kInterrupted};
  }
}

ClientResult<Peer> VerifiedPeer(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return System("cannot tell who listens", errno);
  }
  if (credentials.uid != geteuid() && credentials.uid != 0) {
    return ClientError{Trouble::kForeignPeer,
                       "the listener (pid " + std::to_string(credentials.pid) +
                           ") belongs to uid " + std::to_string(credentials.uid) + ", not to uid " +
                           std::to_string(geteuid())};
  }
  return Peer{credentials.pid, credentials.uid};
}

// One exchange: the request's bytes go out while the reply's come in, so that a daemon that
// refuses a request from its length alone is heard.
class Exchange {
 public:
  Exchange(int fd, std::string_view frame, std::string& received, std::size_t max_reply_bytes,
           const Meanwhile& meanwhile)
      : fd_(fd),
        unsent_(frame),
        received_(received),
        max_reply_bytes_(max_reply_bytes),
        meanwhile_(meanwhile) {}

  ClientResult<std::string> Run(Deadline deadline, int interrupt_fd) {
    for (;;) {
      if (auto frame = TakeFrame()) {
        const auto& interim = meanwhile_.interim;
        const auto renewed = *frame && interim ? interim(**frame) : std::nullopt;
        if (!renewed) return *std::move(frame);
        deadline = *renewed;
        continue;
      }
      // Looked at here too: bytes that trickle in keep the descriptor ready for ever.
      if (deadline.PassedAt(Now())) return ClientError{Trouble::kTimedOut};
      const short events = static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT);
      const Deadline look = meanwhile_.tick ? Deadline::After(Now(), kTick) : deadline;
      const Ready ready = AwaitFd(fd_, events, look.Earlier(deadline), interrupt_fd);
      if (meanwhile_.tick) meanwhile_.tick();
      if (ready.interrupted) return ClientError{Trouble::kInterrupted};
      if ((ready.events & POLLOUT) != 0) Send();
      if ((ready.events & ~POLLOUT) != 0) {
        if (auto error = Receive()) return *std::move(error);
      }
    }
  }

 private:
  // A peer that takes no more may still have answered: the error is left to Receive().
  void Send() {
    const ssize_t sent = send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      unsent_.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      unsent_ = {};
    }
  }

  std::optional<ClientError> Receive() {
    std::array<char, 65536> chunk;
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got > 0) {
      received_.append(chunk.data(), static_cast<std::size_t>(got));
      return std::nullopt;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (got < 0 && errno != ECONNRESET && errno != EPIPE) return System("cannot read", errno);
    if (received_.empty())
      return ClientError{Trouble::kClosed, "ojd closed the connection without an answer"};
    return ClientError{Trouble::kClosed, "ojd closed the connection in the middle of its reply"};
  }

  // The length that the frame at the front announces; nothing while it is incomplete.
  std::optional<std::size_t> Announced() const {
    if (received_.size() < kHeaderBytes) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < kHeaderBytes; ++i) {
      length = length << 8 | static_cast<unsigned char>(received_[i]);
    }
    return length;
  }

  // The next frame's payload, an error, or nothing while it is incomplete.
  std::optional<ClientResult<std::string>> TakeFrame() {
    const auto length = Announced();
    if (!length) return std::nullopt;
    if (*length == 0) return ClientError{Trouble::kBadReply, "an empty frame"};
    if (*length > max_reply_bytes_) {
      return ClientError{Trouble::kBadReply,
                         "a reply of " + std::to_string(*length) + " bytes, over the limit of " +
                             std::to_string(max_reply_bytes_) + " (limits.max_reply_bytes)"};
    }
    if (received_.size() < kHeaderBytes + *length) return std::nullopt;
    std::string payload = received_.substr(kHeaderBytes, *length);
    received_.erase(0, kHeaderBytes + *length);
    return payload;
  }

  int fd_;
  std::string_view unsent_;
  std::string& received_;
  std::size_t max_reply_bytes_;
  const Meanwhile& meanwhile_;
};

}  // namespace

ClientResult<Connection> Connection::Open(const std::string& path, Deadline deadline,
                                          int interrupt_fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return ClientError{Trouble::kSystem, "the path of the socket is longer than " +
                                             std::to_string(sizeof address.sun_path - 1) +
                                             " bytes, choose a shorter state directory: " + path};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return System("cannot open a socket", errno);
  if (auto error = ConnectUntil(fd.get(), address, deadline, interrupt_fd))
    return *std::move(error);
  auto peer = VerifiedPeer(fd.get());
  if (!peer) return peer.error();
  return Connection(std::move(fd), *peer, interrupt_fd);
}

ClientResult<std::string> Connection::Call(std::string_view payload, Deadline deadline,
                                           std::size_t max_reply_bytes,
                                           const Meanwhile& meanwhile) {
  const std::string frame = Frame(payload);
  Exchange exchange(socket_.get(), frame, received_, max_reply_bytes, meanwhile);
  return exchange.Run(deadline, interrupt_fd_);
}

}  // namespace oj::cli
