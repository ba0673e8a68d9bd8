#include "os/unix_transport.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace oj {
namespace {

Error Unavailable(const char* what, int error) {
  return {ErrorCode::kUnavailable,
          std::string(what) + ": " + std::generic_category().message(error), ""};
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

PeerCredentials CredentialsOf(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  // A socket that cannot tell is nobody's: this uid is never served.
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {0, ~0U};
  return {credentials.pid, credentials.uid};
}

}  // namespace

// The waits do the transfer themselves, before they complete: one that is cancelled has not
// completed and has moved no byte; one that has completed keeps its bytes.
class UnixConnection::ReadWait final : public SlotWait {
 public:
  ReadWait(UnixConnection& from, std::span<char> buffer) : from_(from), buffer_(buffer) {}
  Result<std::size_t> TakeResult() const {
    if (error_ != 0) return Unavailable("read from the client", error_);
    return count_;
  }
  bool Try() noexcept override {
    ssize_t count;
    do {
      count = recv(from_.socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && WouldBlock(errno) && !from_.gone_) return false;
    if (count > 0) {
      count_ = static_cast<std::size_t>(count);
    } else if (from_.reset_error_ != 0) {
      error_ = std::exchange(from_.reset_error_, 0);
    } else if (count < 0) {
      error_ = WouldBlock(errno) ? ECONNRESET : errno;
    }
    // A buffer that was not filled has emptied the socket.
    from_.more_likely_ = count_ == buffer_.size();
    return true;
  }

 private:
  bool Start() override {
    if ((from_.more_likely_ || from_.gone_) && Try()) return true;
    Enter(from_.reader_);
    error_ = from_.WatchWanted();
    if (error_ != 0) Leave();
    return error_ != 0;
  }

  UnixConnection& from_;
  std::span<char> buffer_;
  std::size_t count_ = 0;
  int error_ = 0;
};

class UnixConnection::WriteWait final : public SlotWait {
 public:
  WriteWait(UnixConnection& to, std::span<const char> bytes) : to_(to), bytes_(bytes) {}
  Result<std::size_t> TakeResult() const {
    if (error_ != 0) return Unavailable("write to the client", error_);
    return count_;
  }
  bool Try() noexcept override {
    ssize_t count;
    do {
      count = send(to_.socket_.get(), bytes_.data(), bytes_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && WouldBlock(errno) && !to_.gone_) return false;
    if (count < 0) {
      error_ = WouldBlock(errno) ? EPIPE : errno;
    } else {
      count_ = static_cast<std::size_t>(count);
    }
    return true;
  }

 private:
  bool Start() override {
    if (Try()) return true;
    Enter(to_.writer_);
    error_ = to_.WatchWanted();
    if (error_ != 0) Leave();
    return error_ != 0;
  }

  UnixConnection& to_;
  std::span<const char> bytes_;
  std::size_t count_ = 0;
  int error_ = 0;
};

class UnixConnection::GoneWait final : public SlotWait {
 public:
  explicit GoneWait(UnixConnection& connection) : connection_(connection) {}

 private:
  bool Start() override {
    if (connection_.gone_) return true;
    Enter(connection_.gone_waiter_);
    if (connection_.WatchWanted() == 0) return false;
    // A connection that cannot be watched is given up: nobody could tell when it ends.
    Leave();
    return true;
  }

  UnixConnection& connection_;
};

UnixConnection::UnixConnection(std::shared_ptr<SocketPoller> poller, UniqueFd socket,
                               std::uint64_t id)
    : poller_(std::move(poller)),
      socket_(std::move(socket)),
      id_(id),
      peer_(CredentialsOf(socket_.get())) {}

UnixConnection::~UnixConnection() {
  if (reader_ != nullptr) reader_->Detach();
  if (writer_ != nullptr) writer_->Detach();
  if (gone_waiter_ != nullptr) gone_waiter_->Detach();
  if (watched_) poller_->Forget(socket_.get());
}

Task<Result<std::size_t>> UnixConnection::Read(std::span<char> buffer) {
  ReadWait wait(*this, buffer);
  co_await wait;
  co_return wait.TakeResult();
}

Task<Result<std::size_t>> UnixConnection::Write(std::span<const char> bytes) {
  WriteWait wait(*this, bytes);
  co_await wait;
  co_return wait.TakeResult();
}

Task<void> UnixConnection::PeerGone() {
  GoneWait wait(*this);
  co_await wait;
}

std::uint32_t UnixConnection::Wanted() const {
  return (reader_ != nullptr ? EPOLLIN : 0U) | (writer_ != nullptr ? EPOLLOUT : 0U);
}

// Tells the poller of what is wanted and not watched yet. What is watched and not wanted any more
// stays so until it makes itself felt: in the usual alternation of read and write nothing changes.
int UnixConnection::WatchWanted() {
  const std::uint32_t wanted = Wanted();
  if (watched_ && (wanted & ~events_) == 0) return 0;
  const int error = poller_->Watch(socket_.get(), *this, wanted);
  if (error != 0) return error;
  watched_ = true;
  events_ = wanted;
  return 0;
}

void UnixConnection::OnEvents(std::uint32_t events) noexcept {
  const std::uint32_t unwanted = events & ~Wanted() & (EPOLLIN | EPOLLOUT);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) OnHangup(events);
  if (reader_ != nullptr && reader_->Try()) reader_->Finish();
  if (writer_ != nullptr && (gone_ || (events & EPOLLOUT) != 0) && writer_->Try()) {
    writer_->Finish();
  }
  if (gone_waiter_ != nullptr && gone_) gone_waiter_->Finish();
  // Bytes that nobody reads now would be told of again and again.
  if (unwanted != 0 && !gone_) {
    events_ = Wanted();
    poller_->Watch(socket_.get(), *this, events_);
  }
}

// A hang-up is for ever, and level-triggered: the socket is not watched any longer. From now on
// reads and writes never wait.
void UnixConnection::OnHangup(std::uint32_t events) noexcept {
  if ((events & EPOLLHUP) == 0) {
    // An error alone: taking it off the socket is what ends the event.
    socklen_t size = sizeof reset_error_;
    getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &reset_error_, &size);
    if (reset_error_ == 0) return;
  }
  gone_ = true;
  watched_ = false;
  poller_->Forget(socket_.get());
}

}  // namespace oj
