// Any bytes are decisions: whatever they choose, the daemon's core keeps all laws. A byte decides,
// in turn; when they are used up everything is as it should be.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>

#include "explore/judging.h"
#include "scenario/scenario.h"
#include "sim/sim_run.h"

namespace oj::sim {
namespace {

class ByteChooser final : public Chooser {
 public:
  explicit ByteChooser(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

 private:
  // What happens seldom in life takes a byte of its own kind; else no run would come far.
  std::uint32_t Draw(const Site& site, std::uint32_t, std::uint32_t, std::uint32_t n) override {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    if (site.rate >= 1) return byte % n;
    return byte < 0xc0 ? 0 : (byte - 0xc0u) % n;
  }
  std::span<const std::uint8_t> bytes_;
};

const Scenario& Hunted(bool workspaces) {
  const auto load = [](const char* name) {
    auto scenario = LoadScenario(std::string(OJ_SCENARIOS) + "/fast/" + name + ".toml");
    if (!scenario) {
      std::fprintf(stderr, "tape_fuzz: %s\n", scenario.error().message.c_str());
      std::exit(2);
    }
    return std::move(*scenario);
  };
  static const Scenario sessions = load("standard-mix");
  static const Scenario all = load("workspaces-mix");
  return workspaces ? all : sessions;
}

}  // namespace
}  // namespace oj::sim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace oj::sim;
  if (size == 0) return 0;
  const Scenario& scenario = Hunted(data[0] % 2 == 1);
  ByteChooser chooser(std::span(data, size).subspan(1));
  const SimResult run = RunSim(scenario, chooser, SimOptions{});
  for (const Verdict& each : Judging(scenario).Judge(run, chooser)) {
    if (each.pass() || each.law == "vacuity") continue;
    std::fprintf(stderr, "tape_fuzz: %s: %s\n", each.law.c_str(),
                 each.violations.front().message.c_str());
    std::abort();
  }
  return 0;
}
