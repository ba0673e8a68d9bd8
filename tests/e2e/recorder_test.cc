// The flight recorder of a real ojd with a real tmux that hangs: what it dumped is replayed in
// simulation and ends the same way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RecorderTest : public testing::Test {
 protected:
  // Of the dump as a scenario, and of its run.
  void ReplayTellsTheSame(const std::vector<std::string>& options) {
    const std::string dump = world_.dir() + "/story.jsonl";
    std::vector<std::string> words{"debug", "dump", "--out", dump};
    words.insert(words.end(), options.begin(), options.end());
    const Ended dumped = world_.Oj(words);
    ASSERT_EQ(dumped.code, 0) << dumped.err;
    world_.Thaw();
    text_ = Contents(dump);
    const std::string scenario = world_.dir() + "/story.toml";
    const Ended recorded =
        world_.Start({OJ_HARNESS, "record", "--from", dump, "--out", scenario})->Wait();
    ASSERT_EQ(recorded.code, 0) << recorded.err;
    scenario_ = Contents(scenario);
    const Ended run = world_.Start({OJ_HARNESS, "run", scenario})->Wait();
    EXPECT_EQ(run.code, 0) << run.out << run.err << scenario_;
    run_ = run.out;
  }

  World world_;
  std::string text_, scenario_, run_;
};

TEST_F(RecorderTest, AHungTmuxIsReplayedWithTheSameOutcomesAndLimits) {
  world_.Set("OJ_TIMEOUT_TMUX_MS", "700");
  ASSERT_TRUE(world_.StartSession("work"));
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  EXPECT_EQ(world_.Oj({"session", "peek", "work"}).code, 0);
  world_.Freeze();
  EXPECT_THAT(world_.Oj({"session", "peek", "work"}).err, HasSubstr("within 700 ms"));
  EXPECT_EQ(world_.Oj({"--timeout", "400", "session", "peek", "work"}).code, 124);
  ReplayTellsTheSame({});
  EXPECT_THAT(scenario_, HasSubstr("timeouts.tmux = 700"));
  EXPECT_THAT(scenario_, HasSubstr(R"(expect = "tool_timeout")"));
  EXPECT_THAT(scenario_, HasSubstr(R"(expect = "deadline_exceeded")"));
  EXPECT_THAT(scenario_, HasSubstr("timeout_ms = 400"));
  EXPECT_THAT(run_, HasSubstr("tool_timeout"));
}

TEST_F(RecorderTest, ARedactedDumpNamesNothingAndIsReplayedAsWell) {
  world_.Set("OJ_TIMEOUT_TMUX_MS", "500");
  ASSERT_TRUE(world_.StartSession("secret"));
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  world_.Freeze();
  EXPECT_EQ(world_.Oj({"session", "peek", "secret"}).code, 124);
  ReplayTellsTheSame({"--redact"});
  EXPECT_THAT(text_, Not(HasSubstr("secret")));
  EXPECT_THAT(scenario_, HasSubstr(R"(expect = "tool_timeout")"));
}

TEST_F(RecorderTest, AQuarantineIsDumpedByItselfForTheOwnerOnly) {
  ASSERT_TRUE(world_.StartSession("work"));
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  world_.Freeze();
  EXPECT_EQ(world_.Oj({"--timeout", "500", "session", "send", "work", "one"}).code, 124);
  const std::string dumps = world_.state() + "/dumps";
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(dumps); }));
  ASSERT_TRUE(Eventually([&] { return !std::filesystem::is_empty(dumps); }));
  const std::string dump = std::filesystem::directory_iterator(dumps)->path();
  EXPECT_TRUE(
      Eventually([&] { return Contents(dump).find("key_quarantined") != std::string::npos; }));
  struct stat file{};
  ASSERT_EQ(stat(dump.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
}

TEST_F(RecorderTest, TheNewestFiveDumpsAreKept) {
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  for (int i = 0; i < 7; ++i) ASSERT_EQ(world_.Oj({"debug", "dump"}).code, 0);
  const auto all = std::filesystem::directory_iterator(world_.state() + "/dumps");
  EXPECT_EQ(std::distance(begin(all), end(all)), 5);
}

}  // namespace
}  // namespace oj::e2e
