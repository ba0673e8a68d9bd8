// Pings a second over kept connections, ojd beside the floor, in turns so that both meet the same
// machine: ping_bench [--recorder] [ROUNDS] [MILLISECONDS].
// --recorder: with the flight recorder beside without. Prints, asserts nothing.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "ping_floor.h"
#include "world.h"

namespace oj::e2e {
namespace {

using std::chrono::steady_clock;

constexpr int kClients = 16;

int Connect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  throw std::runtime_error("cannot connect to " + path);
}

// Closed loop: every client sends its next ping when it has the answer to the last.
double PingsPerSecond(const std::string& path, milliseconds length) {
  const std::string ping = FrameOf(R"({"type":"Ping"})");
  const auto size = static_cast<ssize_t>(ping.size());
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(Connect(path));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = clients.back();
    epoll_ctl(epoll, EPOLL_CTL_ADD, clients.back(), &event);
  }
  const auto begun = steady_clock::now();
  const auto end = begun + length;
  for (const int fd : clients) {
    if (write(fd, ping.data(), ping.size()) != size) throw std::runtime_error("no ping was sent");
  }
  long answered = 0;
  std::array<epoll_event, kClients> events;
  std::array<char, 256> buffer;
  while (steady_clock::now() < end) {
    const int ready = epoll_wait(epoll, events.data(), kClients, 1000);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (read(fd, buffer.data(), buffer.size()) <= 0 ||
          write(fd, ping.data(), ping.size()) != size) {
        throw std::runtime_error("the connection broke");
      }
      ++answered;
    }
  }
  const std::chrono::duration<double> took = steady_clock::now() - begun;
  for (const int fd : clients) close(fd);
  close(epoll);
  return static_cast<double>(answered) / took.count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Bench(int rounds, milliseconds length) {
  World world(Tmux::kFake);
  const std::string floor_socket = world.dir() + "/floor.sock";
  const auto floor = world.Start({"/proc/self/exe", "--floor", floor_socket});
  const auto listens = [&] { return floor->Out() == "READY\n"; };
  if (!world.StartDaemon() || !Eventually(listens)) {
    std::fprintf(stderr, "ping_bench: a server did not start\n");
    return 1;
  }
  std::vector<double> ojd;
  std::vector<double> least;
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    ojd.push_back(PingsPerSecond(world.socket(), length));
    least.push_back(PingsPerSecond(floor_socket, length));
    ratios.push_back(ojd.back() / least.back());
  }
  const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("ping, %d clients, kept connections, median of %d interleaved rounds:\n", kClients,
              rounds);
  std::printf("  ojd %.0f/s, epoll floor %.0f/s, ratio %.2f (%.2f to %.2f)\n", Median(ojd),
              Median(least), Median(ratios), *low, *high);
  return 0;
}

// The flight recorder's price: two daemons, one of which records nothing.
int BenchRecorder(int rounds, milliseconds length) {
  World with(Tmux::kFake);
  World without(Tmux::kFake);
  without.Configure("[recorder]\nbytes = 1\n");
  if (!with.StartDaemon() || !without.StartDaemon()) {
    std::fprintf(stderr, "ping_bench: a server did not start\n");
    return 1;
  }
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    // Each comes first in turn: who does meets another machine.
    const double first = PingsPerSecond((i % 2 == 0 ? with : without).socket(), length);
    const double second = PingsPerSecond((i % 2 == 0 ? without : with).socket(), length);
    ratios.push_back(i % 2 == 0 ? first / second : second / first);
  }
  const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf(
      "ping with the recorder : without, median of %d interleaved rounds: %.3f (%.3f to "
      "%.3f)\n",
      rounds, Median(ratios), *low, *high);
  return 0;
}

}  // namespace
}  // namespace oj::e2e

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--floor") == 0) oj::e2e::ServeFloor(argv[2]);
  const bool recorder = argc > 1 && std::strcmp(argv[1], "--recorder") == 0;
  if (recorder) {
    --argc;
    ++argv;
  }
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  const int length = argc > 2 ? std::atoi(argv[2]) : 500;
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto bench = recorder ? oj::e2e::BenchRecorder : oj::e2e::Bench;
    return bench(std::max(1, rounds), oj::e2e::milliseconds(std::max(1, length)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ping_bench: %s\n", error.what());
    return 1;
  }
}
