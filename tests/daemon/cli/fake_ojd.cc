// A stand-in for ojd with the manners of a daemon and no more: takes --state-dir, holds daemon.pid,
// answers Pong to all but Shutdown. OJ_FAKE=refuse: says why and exits 1. OJ_FAKE=never-ready: no
// socket. OJ_FAKE=never-ends: answers Shutdown and goes on.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "core/protocol.h"
#include "fake_server.h"

namespace {

using oj::cli::FakeServer;
using oj::cli::ServedConnection;

constexpr unsigned kLifeSeconds = 60;  // a test that dies leaves nothing behind for long

bool HoldPidFile(const std::string& directory) {
  const int fd = open((directory + "/daemon.pid").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) return false;
  const std::string pid = std::to_string(getpid()) + "\n";
  return ftruncate(fd, 0) == 0 && write(fd, pid.data(), pid.size()) > 0;
}

void Answer(ServedConnection& connection, const std::string& directory, bool ends) {
  for (std::string request; !(request = connection.ReadFrame()).empty();) {
    const bool shutdown = request.find("\"Shutdown\"") != std::string::npos;
    connection.Write(oj::Frame(shutdown ? R"({"type":"ShuttingDown"})" : R"({"type":"Pong"})"));
    if (!shutdown) continue;
    std::fprintf(stderr, "%s\n", request.c_str());
    if (!ends) continue;
    usleep(100'000);
    unlink((directory + "/daemon.sock").c_str());
    unlink((directory + "/daemon.pid").c_str());
    _exit(0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--state-dir") != 0) return 2;
  const char* fake = std::getenv("OJ_FAKE");
  const std::string mode = fake == nullptr ? "" : fake;
  const std::string directory = argv[2];
  alarm(kLifeSeconds);
  if (mode == "refuse") {
    std::fputs("starting\nthe state is of a newer version\n", stderr);
    return 1;
  }
  if (!HoldPidFile(directory)) return 1;
  std::fputs("fake ojd\n", stderr);
  unlink((directory + "/daemon.sock").c_str());
  std::unique_ptr<FakeServer> server;
  if (mode != "never-ready") {
    server = std::make_unique<FakeServer>(
        directory, [directory, ends = mode != "never-ends"](ServedConnection& connection) {
          Answer(connection, directory, ends);
        });
  }
  for (;;) pause();
}
