// Every scenario in the tree, in every world that it is for.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "explore/commands.h"
#include "scenario/scenario.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

// What waits in a scenario waits for seconds. A sanitizer slows the tools and not their limits: all
// takes as long as it is written there.
constexpr double kScale = OJ_TWIN_SCALE;

// "fast/NAME.toml", sorted.
std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const char* directory : {"fast", "slow", "regressions"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fs::path(OJ_SCENARIOS) / directory, error)) {
      if (entry.path().extension() != ".toml") continue;
      files.push_back(std::string(directory) + "/" + entry.path().filename().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string PathOf(const std::string& file) { return std::string(OJ_SCENARIOS) + "/" + file; }

std::vector<std::string> FilesFor(World world) {
  std::vector<std::string> files;
  for (const std::string& file : Files()) {
    const Result<Scenario> scenario = LoadScenario(PathOf(file));
    // One that cannot be read fails in simulation.
    const bool fits = scenario ? std::find(scenario->worlds.begin(), scenario->worlds.end(),
                                           world) != scenario->worlds.end()
                               : world == World::kSim;
    if (fits) files.push_back(file);
  }
  return files;
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(0, info.param.rfind('.'));
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '/' || c == '-'; }, '_');
  return name;
}

TEST(ScenarioFiles, AreFound) {
  const auto files = Files();
  const auto in = [&](const char* directory) {
    return std::any_of(files.begin(), files.end(),
                       [&](const std::string& each) { return each.starts_with(directory); });
  };
  EXPECT_TRUE(in("fast/")) << OJ_SCENARIOS;
  EXPECT_TRUE(in("slow/")) << OJ_SCENARIOS;
  EXPECT_TRUE(in("regressions/")) << OJ_SCENARIOS;
}

class ScenarioIn : public testing::TestWithParam<std::string> {
 protected:
  // What a failed run has to say is on standard output.
  static int Run(const std::string& world) {
    RunCommandOptions options;
    options.file = PathOf(GetParam());
    options.world = world;
    options.scale = kScale;
    options.ojd = OJ_DAEMON;
    return RunCommand(options);
  }
};

#ifdef OJ_TWIN
class ScenarioInFakes : public ScenarioIn {};
class ScenarioInReal : public ScenarioIn {};
TEST_P(ScenarioInFakes, KeepsTheLaws) { EXPECT_EQ(Run("fakes"), 0); }
TEST_P(ScenarioInReal, KeepsTheLaws) {
  if (!fs::exists("/usr/bin/tmux")) GTEST_SKIP() << "no tmux here";
  EXPECT_EQ(Run("real"), 0);
}
INSTANTIATE_TEST_SUITE_P(Twin, ScenarioInFakes, testing::ValuesIn(FilesFor(World::kFakes)), NameOf);
INSTANTIATE_TEST_SUITE_P(Twin, ScenarioInReal, testing::ValuesIn(FilesFor(World::kReal)), NameOf);
#else
class ScenarioInSim : public ScenarioIn {};
TEST_P(ScenarioInSim, KeepsTheLaws) { EXPECT_EQ(Run("sim"), 0); }
TEST_P(ScenarioInSim, KeepsTheLawsInManyOrders) {
  ExploreCommandOptions options;
  options.file = PathOf(GetParam());
  options.runs = GetParam().starts_with("slow/") ? 3 : 200;
  EXPECT_EQ(ExploreCommand(options), 0);
}
INSTANTIATE_TEST_SUITE_P(Files, ScenarioInSim, testing::ValuesIn(FilesFor(World::kSim)), NameOf);
#endif

}  // namespace
}  // namespace oj::sim
