// The least that a server can do for a ping: the floor that `ojd` is measured against.
#pragma once

#include <string>

namespace oj::e2e {

// Serves a Unix socket at `path` for ever: one epoll loop, one thread, a fixed answer to every
// frame; epoll_wait, read and write are all that it calls. Says "READY" once it listens.
[[noreturn]] void ServeFloor(const std::string& path);

}  // namespace oj::e2e
