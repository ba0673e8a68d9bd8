#include "fake_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "core/protocol.h"

namespace oj::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

// Reads exactly `size` bytes, or less where the client has gone or is silent for too long.
std::string ReadExactly(int fd, std::size_t size) {
  std::string bytes;
  const Deadline deadline = Deadline::After(Now(), kPatience);
  while (bytes.size() < size) {
    if (AwaitFd(fd, POLLIN, deadline, -1).events == 0) return bytes;
    std::string chunk(size - bytes.size(), '\0');
    const ssize_t got = recv(fd, chunk.data(), chunk.size(), 0);
    if (got <= 0) return bytes;
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
  }
  return bytes;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "oj-cli-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ServedConnection::ReadFrame() {
  if (!unread_.empty()) return std::exchange(unread_, "");
  const std::string header = ReadExactly(fd_, 4);
  if (header.size() < 4) return {};
  std::size_t length = 0;
  for (const char c : header) length = length << 8 | static_cast<unsigned char>(c);
  return ReadExactly(fd_, length);
}

void ServedConnection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void ServedConnection::WriteByByte(std::string_view bytes) {
  for (const char& byte : bytes) {
    Write({&byte, 1});
    AwaitFd(-1, 0, Deadline::After(Now(), std::chrono::milliseconds(1)), -1);
  }
}

bool ServedConnection::AwaitClose() {
  char byte = 0;
  const Ready ready = AwaitFd(fd_, POLLIN, Deadline::After(Now(), kPatience), -1);
  return ready.events != 0 && recv(fd_, &byte, 1, 0) <= 0;
}

bool ServedConnection::AtEnd() {
  char byte = 0;
  return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

FakeServer::FakeServer(const std::string& directory, Script script, Lookup lookup)
    : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      script_(std::move(script)),
      lookup_(std::move(lookup)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = directory + "/daemon.sock";
  std::memcpy(address.sun_path, path.data(), path.size());
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_.get(), 16) != 0) {
    throw std::runtime_error("cannot listen on " + path);
  }
  thread_ = std::thread([this] { Serve(); });
}

FakeServer::~FakeServer() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

// A client that came before the stop is served.
void FakeServer::Serve() {
  for (;;) {
    AwaitFd(listener_.get(), POLLIN, Deadline::Never(), stop_.get());
    if (AwaitFd(listener_.get(), POLLIN, Deadline(Now()), -1).events == 0) return;
    const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ServedConnection connection(client.get());
    if (lookup_) {
      const std::string request = connection.ReadFrame();
      if (const std::string reply = lookup_(request); !reply.empty()) {
        connection.Write(Frame(reply));
        continue;
      }
      connection.Unread(request);
    }
    script_(connection);
  }
}

FakeServer::Script FakeServer::Answer(std::string payload, std::vector<std::string>* requests) {
  return [payload = std::move(payload), requests](ServedConnection& connection) {
    for (std::string request; !(request = connection.ReadFrame()).empty();) {
      if (requests != nullptr) requests->push_back(request);
      connection.Write(Frame(payload));
    }
  };
}

FakeServer::Script FakeServer::Stall(std::atomic<bool>* closed) {
  return [closed](ServedConnection& connection) {
    connection.ReadFrame();
    *closed = connection.AwaitClose();
  };
}

}  // namespace oj::cli
