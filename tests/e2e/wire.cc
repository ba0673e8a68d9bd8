#include "wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace oj::e2e {
namespace {

using std::chrono::steady_clock;

bool WaitFor(int fd, short events, steady_clock::time_point until) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  pollfd polled{fd, events, 0};
  return poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(0, left))) > 0;
}

}  // namespace

std::string FrameOf(std::string_view payload) {
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(payload.size() >> shift & 0xff);
  }
  return frame.append(payload);
}

Wire::Wire(const std::string& socket_path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) Close();
}

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      received_(std::move(other.received_)),
      end_of_file_(other.end_of_file_) {}

void Wire::SendBytes(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Wire::Send(const boost::json::object& request) const {
  SendBytes(FrameOf(boost::json::serialize(request)));
}

void Wire::HalfClose() const { shutdown(fd_, SHUT_WR); }

void Wire::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool Wire::ReadSome(steady_clock::time_point until) {
  if (end_of_file_ || fd_ < 0 || !WaitFor(fd_, POLLIN, until)) return false;
  std::array<char, 65536> buffer;
  const ssize_t bytes = read(fd_, buffer.data(), buffer.size());
  end_of_file_ = bytes <= 0;
  if (bytes > 0) received_.append(buffer.data(), static_cast<std::size_t>(bytes));
  return !end_of_file_;
}

boost::json::object Wire::Receive(std::chrono::milliseconds limit) {
  const auto until = steady_clock::now() + limit;
  while (true) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4 && received_.size() >= 4; ++i) {
      length = length << 8 | static_cast<unsigned char>(received_[i]);
    }
    if (received_.size() >= 4 && received_.size() - 4 >= length) {
      const std::string payload = received_.substr(4, length);
      received_.erase(0, 4 + length);
      boost::json::error_code error;
      const boost::json::value value = boost::json::parse(payload, error);
      return value.is_object() ? value.get_object() : boost::json::object{{"torn", payload}};
    }
    if (!ReadSome(until)) return {};
  }
}

boost::json::object Wire::Ask(const boost::json::object& request) {
  Send(request);
  return Receive();
}

bool Wire::Closes(std::chrono::milliseconds limit) {
  const auto until = steady_clock::now() + limit;
  while (ReadSome(until)) {
  }
  return end_of_file_;
}

bool Wire::HungUp(std::chrono::milliseconds limit) const {
  return WaitFor(fd_, 0, steady_clock::now() + limit);
}

std::string Text(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

}  // namespace oj::e2e
