#include "os/socket_poller.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace oj {
namespace {

// Events told in one turn of the loop. What remains is told in the next.
constexpr int kBatch = 64;

int OpenEpoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

}  // namespace

SocketPoller::SocketPoller(boost::asio::io_context& io) : epoll_(io, OpenEpoll()) {}

std::shared_ptr<SocketPoller> SocketPoller::Create(boost::asio::io_context& io) {
  std::shared_ptr<SocketPoller> poller(new SocketPoller(io));
  poller->WaitForEvents();
  return poller;
}

int SocketPoller::Watch(int fd, Watcher& watcher, std::uint32_t events) {
  const auto place = static_cast<std::size_t>(fd);
  if (place >= slots_.size()) slots_.resize(place + 1);
  Slot& slot = slots_[place];
  const bool watched = slot.watcher != nullptr;
  if (!watched) ++slot.generation;
  epoll_event event{};
  event.events = events;
  event.data.u64 = std::uint64_t{slot.generation} << 32 | static_cast<std::uint32_t>(fd);
  const int operation = watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(epoll_.native_handle(), operation, fd, &event) != 0) return errno;
  slot.watcher = &watcher;
  return 0;
}

void SocketPoller::Forget(int fd) noexcept {
  const auto place = static_cast<std::size_t>(fd);
  if (place >= slots_.size() || slots_[place].watcher == nullptr) return;
  slots_[place].watcher = nullptr;
  epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
}

void SocketPoller::WaitForEvents() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& error) {
                      const auto self = weak.lock();
                      if (error || !self) return;
                      self->TellEvents();
                      self->WaitForEvents();
                    });
}

void SocketPoller::TellEvents() {
  std::array<epoll_event, kBatch> events;
  const int count = epoll_wait(epoll_.native_handle(), events.data(), kBatch, 0);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const auto place = static_cast<std::size_t>(event.data.u64 & 0xffffffffU);
    const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
    const Slot slot = slots_[place];
    if (slot.watcher != nullptr && slot.generation == generation) {
      slot.watcher->OnEvents(event.events);
    }
  }
}

}  // namespace oj
