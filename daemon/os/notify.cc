#include "os/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace oj {
namespace {

constexpr int kFirstPassed = 3;

int Option(int socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

bool Notify(std::string_view state) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return false;
  const std::size_t length = std::strlen(name);
  sockaddr_un address{};
  if (length < 2 || length >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, length);
  // An abstract name: '@' stands for the zero byte, and no zero byte ends it.
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return socket && sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&address),
                          size) == static_cast<ssize_t>(state.size());
}

Result<std::optional<UniqueFd>> TakeInheritedListener() {
  const char* count = std::getenv("LISTEN_FDS");
  const char* pid = std::getenv("LISTEN_PID");
  const bool meant = count != nullptr && pid != nullptr && std::to_string(getpid()) == pid;
  const std::string passed = meant ? count : "0";
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDNAMES");
  if (passed == "0") return std::optional<UniqueFd>();
  if (passed != "1" || Option(kFirstPassed, SO_DOMAIN) != AF_UNIX ||
      Option(kFirstPassed, SO_TYPE) != SOCK_STREAM || Option(kFirstPassed, SO_ACCEPTCONN) != 1) {
    return Error{ErrorCode::kInvalidRequest,
                 "LISTEN_FDS=" + passed + ": descriptor 3 must be one listening Unix socket", ""};
  }
  fcntl(kFirstPassed, F_SETFD, FD_CLOEXEC);
  return std::optional<UniqueFd>(UniqueFd(kFirstPassed));
}

}  // namespace oj
