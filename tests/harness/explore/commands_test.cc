// The commands by their exit codes and what they print.
#include "explore/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace oj::sim {
namespace {

using testing::HasSubstr;

constexpr const char* kPasses = R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" }, expect = "Pong" }]
)";
constexpr const char* kFails = R"(
[[client]]
name = "alice"
steps = [{ call = { type = "Ping" }, expect = "SessionPeek" }]
)";

class CommandsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "oj-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string File(const std::string& text) const {
    const std::string path = (dir_ / "x.toml").string();
    std::ofstream(path) << text;
    return path;
  }
  template <class Call>
  int Captured(Call call) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = call();
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  int Run(RunCommandOptions options) {
    return Captured([&] { return RunCommand(options); });
  }
  int Explore(const std::string& file, bool json = false, const std::string& failures = "") {
    ExploreCommandOptions options;
    options.file = file;
    options.runs = 3;
    options.json = json;
    options.failures = failures;
    return Captured([&] { return ExploreCommand(options); });
  }
  int Replay(const std::string& file) {
    return Captured([&] { return ReplayCommand(file, false); });
  }

  std::filesystem::path dir_;
  std::string out_;
  std::string err_;
};

TEST_F(CommandsTest, ARunThatKeepsAllLawsReturns0AndShowsThem) {
  EXPECT_EQ(Run({.file = File(kPasses)}), 0) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("L1       disconnect              pass"));
  EXPECT_THAT(out_, HasSubstr("client 1"));
}

TEST_F(CommandsTest, ARunThatBreaksALawReturns1AndSaysWhere) {
  EXPECT_EQ(Run({.file = File(kFails)}), 1);
  EXPECT_THAT(out_, HasSubstr("x.toml:4: alice: came out as Pong"));
}

TEST_F(CommandsTest, ARunAsJsonHasWhatAProgramNeeds) {
  EXPECT_EQ(Run({.file = File(kPasses), .json = true}), 0);
  const auto json = boost::json::parse(out_).as_object();
  EXPECT_EQ(json.at("world"), "sim");
  EXPECT_EQ(json.at("verdict"), "pass");
  EXPECT_EQ(json.at("laws").as_array()[0].at("law"), "L1");
  EXPECT_EQ(json.at("digest").as_string().size(), 32u);
  EXPECT_TRUE(json.contains("virtual_ms"));
  EXPECT_TRUE(json.contains("steps"));
}

TEST_F(CommandsTest, WhatIsWrongWithAFileReturns2AndIsNamed) {
  EXPECT_EQ(Run({.file = "/no/such.toml"}), 2);
  EXPECT_THAT(err_, HasSubstr("/no/such.toml:0: file: cannot be read"));
  EXPECT_EQ(Run({.file = File("[mix]\nclients = 0\n")}), 2);
  EXPECT_THAT(err_, HasSubstr("x.toml:2: clients: "));
  EXPECT_EQ(Run({.file = File(kPasses), .world = "fakes"}), 2);
  EXPECT_THAT(err_, HasSubstr("is not for the world fakes"));
  const std::string fakes = std::string("worlds = [\"fakes\"]\n") + kPasses;
  EXPECT_EQ(Run({.file = File(fakes), .world = "fakes", .ojd = "/no/ojd"}), 2);
  EXPECT_THAT(err_, HasSubstr("no daemon at /no/ojd"));
  EXPECT_EQ(Explore(File("x")), 2);
}

TEST_F(CommandsTest, AnExplorationReportsAsJson) {
  EXPECT_EQ(Explore(File(kPasses), true), 0);
  const auto json = boost::json::parse(out_).as_object();
  EXPECT_EQ(json.at("runs"), 3);
  EXPECT_EQ(json.at("violations"), 0);
  EXPECT_EQ(json.at("mismatches"), 0);
  EXPECT_TRUE(json.contains("runs_per_second"));
  EXPECT_TRUE(json.contains("virtual_to_real"));
  EXPECT_TRUE(json.contains("digest"));
}

TEST_F(CommandsTest, WhatCannotBeWrittenIsSaidBeforeAnythingIsRun) {
  ExploreCommandOptions options;
  options.file = File(kPasses);
  options.runs = 1'000'000'000;
  const std::string nowhere = (dir_ / "none" / "page.html").string();
  options.report = nowhere;
  EXPECT_EQ(Captured([&] { return ExploreCommand(options); }), 2);
  EXPECT_THAT(err_, HasSubstr("--report: " + nowhere + ": cannot be written"));
  options.report.clear();
  options.failures = options.file + "/failures";
  EXPECT_EQ(Captured([&] { return ExploreCommand(options); }), 2);
  EXPECT_THAT(err_, HasSubstr("--failures: " + options.failures +
                              ": is no directory that can be written to"));
  SweepCommandOptions sweep;
  sweep.file = options.file;
  sweep.bases = 1'000'000'000;
  sweep.report = nowhere;
  EXPECT_EQ(Captured([&] { return SweepCommand(sweep); }), 2);
  EXPECT_THAT(err_, HasSubstr("--report: " + nowhere + ": cannot be written"));
}

TEST_F(CommandsTest, WhatWasFoundIsPrintedAlsoWhenItCannotBeWritten) {
  ExploreCommandOptions options;
  options.file = File(kFails);
  options.runs = 3;
  options.report = "/dev/full";
  options.failures = dir_.string();
  std::filesystem::create_directory(dir_ / "x-expect-1.txt");
  EXPECT_EQ(Captured([&] { return ExploreCommand(options); }), 2);
  EXPECT_THAT(out_, HasSubstr("3 runs broke a law"));
  EXPECT_THAT(out_, HasSubstr("oj-harness run " + options.file + " --seed 1"));
  EXPECT_THAT(err_, HasSubstr("x-expect-1.txt"));
  std::filesystem::remove(dir_ / "x-expect-1.txt");
  EXPECT_EQ(Captured([&] { return ExploreCommand(options); }), 2);
  EXPECT_THAT(out_, HasSubstr("3 runs broke a law"));
  EXPECT_THAT(err_, HasSubstr("--report: /dev/full: cannot be written"));
  SweepCommandOptions sweep;
  sweep.file = File(kPasses);
  sweep.report = options.report;
  EXPECT_EQ(Captured([&] { return SweepCommand(sweep); }), 2);
  EXPECT_THAT(out_, HasSubstr("points"));
}

TEST_F(CommandsTest, AFailureIsWrittenAndFailsAgainWhenReplayed) {
  EXPECT_EQ(Explore(File(kFails), false, dir_.string()), 1);
  const std::string file = (dir_ / "x-expect-1.txt").string();
  EXPECT_THAT(out_, HasSubstr("oj-harness replay " + file));
  EXPECT_EQ(Replay(file), 1) << err_;
  EXPECT_THAT(out_, HasSubstr("x.toml:4: alice: came out as Pong"));
}

TEST_F(CommandsTest, ARecordedFailureIsReducedAndStillReplays) {
  EXPECT_EQ(Explore(File(kFails), false, dir_.string()), 1);
  const std::string small = (dir_ / "small.txt").string();
  const auto shrink = [&] { return ShrinkCommand((dir_ / "x-expect-1.txt").string(), small, 1); };
  EXPECT_EQ(Captured(shrink), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("0 operations, 0 decisions of 0 are left"));
  EXPECT_EQ(Replay(small), 1) << err_;
}

TEST_F(CommandsTest, AFailureWhoseScenarioHasChangedIsRefused) {
  EXPECT_EQ(Explore(File(kFails), false, dir_.string()), 1);
  File(kPasses);
  EXPECT_EQ(Replay((dir_ / "x-expect-1.txt").string()), 2);
  EXPECT_THAT(err_, HasSubstr("has changed since"));
}

TEST_F(CommandsTest, AFailureThatDoesNotFitTheCodeIsRefused) {
  EXPECT_EQ(Explore(File(kFails), false, dir_.string()), 1);
  const std::string path = (dir_ / "x-expect-1.txt").string();
  std::ifstream in(path);
  std::string text(std::istreambuf_iterator<char>(in), {});
  text.replace(text.find("\ndecisions ") + 11, 0, "1");
  std::ofstream(path) << text;
  EXPECT_EQ(Replay(path), 2);
  EXPECT_THAT(err_, HasSubstr("does not fit this code"));
}

TEST_F(CommandsTest, AHuntStopsAtTheFirstFailureAndTellsItAsJson) {
  ExploreCommandOptions options;
  options.file = File(kFails);
  options.json = options.stop_at_first = true;
  EXPECT_EQ(Captured([&] { return ExploreCommand(options); }), 1) << err_;
  const auto json = boost::json::parse(out_).as_object();
  EXPECT_EQ(json.at("runs"), 1);
  const auto& first = json.at("first_failure").as_object();
  EXPECT_EQ(first.at("run"), 1);
  EXPECT_EQ(first.at("law"), "expect");
  EXPECT_EQ(first.at("decisions"), 0);
  EXPECT_EQ(first.at("operations"), 0);
  EXPECT_TRUE(first.contains("shrink_ms"));
}

TEST_F(CommandsTest, AClassThatIsNotThereCannotBeLeftOut) {
  ExploreCommandOptions options;
  options.file = File(kPasses);
  options.choice.without = {"luck"};
  EXPECT_EQ(Captured([&] { return ExploreCommand(options); }), 2);
  EXPECT_THAT(err_, HasSubstr("--without: there is no class 'luck'"));
}

}  // namespace
}  // namespace oj::sim
