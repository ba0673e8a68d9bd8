// From a client's disconnect to the death of its tool, with the real daemon and a fake tmux:
// cancel_bench [ROUNDS]. Prints, asserts nothing.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <vector>

#include "world.h"

namespace oj::e2e {
namespace {

using std::chrono::steady_clock;

// The journal's line "S <pid> ..." tells that the fake's behaviour is in force.
pid_t LastStarted(const std::string& journal) {
  std::istringstream lines(ReadFile(journal));
  pid_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("S ")) last = std::atoi(line.c_str() + 2);
  }
  return last;
}

// Milliseconds; nothing: the tool did not start, or did not die within ten seconds.
std::optional<double> OneCancel(const World& world) {
  const std::string journal = world.dir() + "/journal";
  WriteFile(journal, "");
  Wire client = world.Connect();
  client.Send(Peek("work"));
  if (!Eventually([&] { return LastStarted(journal) > 0; })) return std::nullopt;
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, LastStarted(journal), 0));
  if (pidfd < 0) return std::nullopt;
  const auto begun = steady_clock::now();
  client.Close();
  pollfd polled{pidfd, POLLIN, 0};
  const bool died = poll(&polled, 1, 10000) == 1;
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - begun;
  close(pidfd);
  if (!died) return std::nullopt;
  return took.count();
}

void Measure(const char* name, const std::string& behaviour, int rounds) {
  World world(Tmux::kFake);
  world.Rules("[[rule]]\ntool = \"tmux\"\n" + behaviour);
  if (!world.StartDaemon()) {
    std::printf("  %s: the daemon did not start\n", name);
    return;
  }
  std::vector<double> times;
  int failed = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto took = OneCancel(world);
    took ? times.push_back(*took) : static_cast<void>(++failed);
  }
  if (times.empty()) {
    std::printf("  %s: no tool was seen to die\n", name);
    return;
  }
  std::sort(times.begin(), times.end());
  std::printf("  %s: p50 %.2f ms, p99 %.2f ms, most %.2f ms (%zu rounds, %d without a result)\n",
              name, times[times.size() / 2], times[times.size() * 99 / 100], times.back(),
              times.size(), failed);
}

void Leaks(int cancels) {
  World world(Tmux::kFake);
  world.Rules("[[rule]]\ntool = \"tmux\"\nhang = true\n");
  if (!world.StartDaemon()) return;
  Eventually([&] { return world.Quiet(); });
  const std::size_t before = DescriptorsOf(world.daemon().pid()).size();
  const auto begun = steady_clock::now();
  for (int i = 0; i < cancels; i += 20) {
    std::vector<Wire> clients;
    for (int k = 1; k <= 20; ++k) {
      clients.push_back(world.Connect());
      clients.back().Send(Peek("work", k));
    }
    Eventually([&] { return world.Tools().size() == 20; });
  }
  Eventually([&] { return world.Quiet(); });
  const std::chrono::duration<double> took = steady_clock::now() - begun;
  std::printf("  %d cancels in %.1f s: %zu zombies, %zu live tools, descriptors %zu -> %zu\n",
              cancels, took.count(), world.Zombies(), world.Tools().size(), before,
              DescriptorsOf(world.daemon().pid()).size());
}

}  // namespace
}  // namespace oj::e2e

int main(int argc, char** argv) {
  const int rounds = std::max(1, argc > 1 ? std::atoi(argv[1]) : 300);
  std::puts("from disconnect to the death of the tool, real processes:");
  oj::e2e::Measure("obedient tool", "hang = true\n", rounds);
  oj::e2e::Measure("ignores TERM ", "hang = true\nignore_term = true\n", rounds);
  oj::e2e::Leaks(1000);
}
