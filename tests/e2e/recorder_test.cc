// The flight recorder of a real ojd with a real tmux that hangs: what it dumped is replayed in
// simulation and ends the same way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::AllOf;
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
  world_.Set("OJ_TIMEOUT_TMUX_MS", "3000");
  ASSERT_TRUE(world_.StartSession("work"));
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  EXPECT_EQ(world_.Oj({"session", "peek", "work"}).code, 0);
  world_.Freeze();
  EXPECT_THAT(world_.Oj({"session", "peek", "work"}).err, HasSubstr("within 3000 ms"));
  EXPECT_EQ(world_.Oj({"--timeout", "2000", "session", "peek", "work"}).code, 124);
  ReplayTellsTheSame({});
  EXPECT_THAT(scenario_, HasSubstr("timeouts.tmux = 3000"));
  EXPECT_THAT(scenario_, HasSubstr(R"(expect = "tool_timeout")"));
  EXPECT_THAT(scenario_, HasSubstr(R"(expect = "deadline_exceeded")"));
  EXPECT_THAT(scenario_, testing::ContainsRegex("timeout_ms = (1[89][0-9][0-9]|2000)"));
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

TEST_F(RecorderTest, ARedactedPeekWithoutAServerIsReplayedAsNotFound) {
  world_.Configure("[recorder]\nredact = \"true\"\n");
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  EXPECT_EQ(world_.Oj({"session", "peek", "secret"}).code, 3);
  ReplayTellsTheSame({});
  EXPECT_THAT(text_, Not(HasSubstr("secret")));
  EXPECT_THAT(scenario_, HasSubstr(R"(expect = "not_found")"));
}

TEST_F(RecorderTest, WhatOnlyLooksIsNotRecorded) {
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  EXPECT_EQ(world_.Oj({"status"}).code, 0);
  EXPECT_EQ(world_.Oj({"requests"}).code, 0);
  EXPECT_EQ(world_.Oj({"locks"}).code, 0);
  EXPECT_EQ(world_.Oj({"session", "list"}).code, 0);
  const Ended dumped = world_.Oj({"debug", "dump"});
  ASSERT_EQ(dumped.code, 0) << dumped.err;
  const std::string text = Contents(dumped.out.substr(0, dumped.out.find('\n')));
  EXPECT_THAT(text, HasSubstr("ListSessions"));
  for (const char* type : {"Status", "Requests", "Locks"}) {
    EXPECT_THAT(text, Not(HasSubstr(type)));
  }
}

TEST_F(RecorderTest, ACopyIsWholeAndForItsOwnerWhateverWasThere) {
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  const std::string copy = world_.dir() + "/copy.jsonl";
  std::ofstream(copy) << "old";
  std::filesystem::permissions(copy, std::filesystem::perms(0644));
  EXPECT_EQ(world_.Oj({"debug", "dump", "--out", copy}).code, 0);
  EXPECT_EQ(std::filesystem::status(copy).permissions(), std::filesystem::perms(0600));
  EXPECT_THAT(Contents(copy), testing::StartsWith("{\"dump\":"));
  const std::string link = world_.dir() + "/link.jsonl";
  std::filesystem::create_symlink("copy.jsonl", link);
  EXPECT_THAT(world_.Oj({"debug", "dump", "--out", link}).err,
              AllOf(HasSubstr("no regular file"), HasSubstr("the dump itself is /")));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
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
  EXPECT_TRUE(Eventually([&] { return world_.daemon().Err().find(dump) != std::string::npos; }))
      << world_.daemon().Err();
}

TEST_F(RecorderTest, TheNewestFiveDumpsThatWereAskedForAreKeptAndWhatElseIsThere) {
  ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err();
  const std::string dumps = world_.state() + "/dumps";
  std::filesystem::create_directories(dumps);
  for (const char* other : {"dump-1-defect.jsonl", "dump-notes.txt", "dump-1-r2.jsonl.gz"}) {
    std::ofstream(dumps + "/" + other) << "kept";
  }
  // As if the wall clock had been set back.
  const std::string later = dumps + "/dump-99999999999999-r1.jsonl";
  std::ofstream{later} << "newer by its name";
  std::vector<std::string> written;
  for (int i = 0; i < 7; ++i) {
    const Ended dumped = world_.Oj({"debug", "dump"});
    ASSERT_EQ(dumped.code, 0) << dumped.err;
    written.push_back(dumped.out.substr(0, dumped.out.find('\n')));
    EXPECT_TRUE(std::filesystem::exists(written.back()));
  }
  const std::set<std::string> kept = {dumps + "/dump-1-defect.jsonl",
                                      dumps + "/dump-notes.txt",
                                      dumps + "/dump-1-r2.jsonl.gz",
                                      later,
                                      written[3],
                                      written[4],
                                      written[5],
                                      written[6]};
  const auto there = [&dumps] {
    std::set<std::string> paths;
    for (const auto& each : std::filesystem::directory_iterator(dumps)) paths.insert(each.path());
    return paths;
  };
  Eventually([&] { return there() == kept; });
  EXPECT_EQ(there(), kept);
}

}  // namespace
}  // namespace oj::e2e
