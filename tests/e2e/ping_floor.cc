#include "ping_floor.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "wire.h"

namespace oj::e2e {
namespace {

int Listen(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    std::perror("floor");
    std::exit(1);
  }
  return fd;
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// A ping fits one segment here: what is read is one frame.
void Answer(int fd, std::string_view pong) {
  std::array<char, 4096> buffer;
  if (read(fd, buffer.data(), buffer.size()) <= 0 ||
      write(fd, pong.data(), pong.size()) != static_cast<ssize_t>(pong.size())) {
    close(fd);
  }
}

}  // namespace

void ServeFloor(const std::string& path) {
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = Listen(path);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, listener);
  std::puts("READY");
  std::fflush(stdout);
  const std::string pong = FrameOf(R"({"type":"Pong"})");
  std::array<epoll_event, 64> events;
  while (true) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        Watch(epoll, accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      } else {
        Answer(fd, pong);
      }
    }
  }
}

}  // namespace oj::e2e
