// SocketPoller: the loop's sockets in an epoll set of their own, which the loop sees as one
// descriptor. Asio re-arms a descriptor with epoll_ctl for every wait; here a socket that is read
// again and again costs no call besides its recv, and one wake-up of the loop serves them all.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <memory>
#include <vector>

namespace oj {

// Level-triggered. Used on the loop's thread only; the loop outlives it.
class SocketPoller : public std::enable_shared_from_this<SocketPoller> {
 public:
  // Told of its socket's events (EPOLLIN, ...). May complete waits and call Watch and Forget; runs
  // no user code, so that nothing is destroyed while a batch of events is told.
  class Watcher {
   public:
    virtual void OnEvents(std::uint32_t events) noexcept = 0;

   protected:
    ~Watcher() = default;
  };

  // Throws std::system_error when descriptors have run out.
  static std::shared_ptr<SocketPoller> Create(boost::asio::io_context& io);
  SocketPoller(const SocketPoller&) = delete;
  SocketPoller& operator=(const SocketPoller&) = delete;

  // Watches `fd` for `events` from now on; EPOLLHUP and EPOLLERR are always told. Returns 0 or an
  // errno: limits of the system.
  int Watch(int fd, Watcher& watcher, std::uint32_t events);
  // Before `fd` is closed: a child that is being started may hold a copy, which would keep it in
  // the set. No error if it is not watched.
  void Forget(int fd) noexcept;

 private:
  // An event names its socket by descriptor and generation, never by a pointer.
  struct Slot {
    Watcher* watcher = nullptr;
    std::uint32_t generation = 0;
  };

  explicit SocketPoller(boost::asio::io_context& io);
  void WaitForEvents();
  void TellEvents();

  boost::asio::posix::stream_descriptor epoll_;
  std::vector<Slot> slots_;  // by descriptor
};

}  // namespace oj
