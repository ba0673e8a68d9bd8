#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "os/unix_transport.h"

namespace oj {
namespace {

Error Unavailable(const std::string& what, int error) {
  return {ErrorCode::kUnavailable, what + ": " + std::generic_category().message(error), ""};
}

bool OutOfDescriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

UniqueFd OpenReserve() { return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

class UnixListener::AcceptWait final : public SlotWait {
 public:
  explicit AcceptWait(UnixListener& listener) : listener_(listener) {}
  UniqueFd TakeClient() { return std::move(client_); }
  Error TakeError() const {
    // It completed without a try: the listener was closed.
    Error error = Unavailable("accept a connection", error_ == 0 ? EBADF : error_);
    if (OutOfDescriptors(error_)) error.code = ErrorCode::kBusy;
    return error;
  }
  bool Try() noexcept override {
    for (;;) {
      const int fd =
          accept4(listener_.socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      const int error = fd < 0 ? errno : 0;
      listener_.more_likely_ = fd >= 0;
      if (error == EINTR || error == ECONNABORTED) continue;
      if (error == EAGAIN) return false;
      // Without descriptors accept4 fails before it looks whether anybody waits.
      if (OutOfDescriptors(error) && !listener_.RefuseOne()) return false;
      client_ = UniqueFd(fd);
      error_ = error;
      return true;
    }
  }

 private:
  bool Start() override {
    if (!listener_.socket_) return true;
    if (listener_.more_likely_ && Try()) return true;
    Enter(listener_.acceptor_);
    if (listener_.watched_) return false;
    error_ = listener_.poller_->Watch(listener_.socket_.get(), listener_, EPOLLIN);
    listener_.watched_ = error_ == 0;
    if (error_ != 0) Leave();
    return error_ != 0;
  }

  UnixListener& listener_;
  UniqueFd client_;
  int error_ = 0;
};

UnixListener::UnixListener(AsioLoop& loop, UniqueFd socket, std::string refusal)
    : poller_(SocketPoller::Create(loop.io())),
      socket_(std::move(socket)),
      refusal_(std::move(refusal)),
      reserve_(OpenReserve()) {}

Status CheckSocketPath(const std::string& path) {
  constexpr std::size_t kLimit = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() <= kLimit) return Ok{};
  return Error{ErrorCode::kInvalidRequest,
               "the socket's path '" + path + "' has " + std::to_string(path.size()) +
                   " bytes, the system's limit is " + std::to_string(kLimit) +
                   ": choose a shorter state directory",
               ""};
}

Result<std::unique_ptr<UnixListener>> UnixListener::Bind(AsioLoop& loop, const std::string& path,
                                                         std::string refusal) {
  if (auto fits = CheckSocketPath(path); !fits) return std::move(fits).error();
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Unavailable("create a socket", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Unavailable("bind the socket '" + path + "'", errno);
  }
  // Nobody can connect before listen(), so the mode is never wider.
  struct stat file{};
  if (chmod(path.c_str(), 0600) != 0 || lstat(path.c_str(), &file) != 0 ||
      listen(socket.get(), SOMAXCONN) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return Unavailable("listen on the socket '" + path + "'", error);
  }
  std::unique_ptr<UnixListener> listener(
      new UnixListener(loop, std::move(socket), std::move(refusal)));
  listener->path_ = path;
  listener->device_ = file.st_dev;
  listener->inode_ = file.st_ino;
  return listener;
}

std::unique_ptr<UnixListener> UnixListener::Adopt(AsioLoop& loop, UniqueFd socket,
                                                  std::string refusal) {
  fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  return std::unique_ptr<UnixListener>(
      new UnixListener(loop, std::move(socket), std::move(refusal)));
}

UnixListener::~UnixListener() { Close(); }

Task<Result<std::unique_ptr<Connection>>> UnixListener::Accept() {
  AcceptWait wait(*this);
  co_await wait;
  UniqueFd client = wait.TakeClient();
  if (!client) co_return wait.TakeError();
  std::unique_ptr<Connection> connection =
      std::make_unique<UnixConnection>(poller_, std::move(client), ++last_id_);
  co_return std::move(connection);
}

// False: nobody waits to be accepted.
bool UnixListener::RefuseOne() noexcept {
  reserve_.Reset();
  UniqueFd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  const bool nobody = !client && errno == EAGAIN;
  if (client && !refusal_.empty()) {
    send(client.get(), refusal_.data(), refusal_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  client.Reset();
  reserve_ = OpenReserve();
  return !nobody;
}

void UnixListener::OnEvents(std::uint32_t /*events*/) noexcept {
  if (acceptor_ == nullptr) {
    // Clients that nobody accepts now (a back-off) wait in the backlog.
    poller_->Forget(socket_.get());
    watched_ = false;
  } else if (acceptor_->Try()) {
    acceptor_->Finish();
  }
}

void UnixListener::Close() {
  if (!socket_) return;
  if (watched_) poller_->Forget(socket_.get());
  watched_ = false;
  socket_.Reset();
  struct stat file{};
  if (!path_.empty() && lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_) {
    unlink(path_.c_str());
  }
  if (acceptor_ != nullptr) acceptor_->Finish();
}

}  // namespace oj
