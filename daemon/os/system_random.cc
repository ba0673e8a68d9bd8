#include "os/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace oj {

std::uint64_t SystemRandom::Next() {
  std::uint64_t number = 0;
  // So few bytes come whole, or not at all: interrupted before the kernel's pool was ready.
  while (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return number;
}

}  // namespace oj
