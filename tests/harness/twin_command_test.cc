// `oj-harness twin` on the real daemon: it agrees, and what is wrong on purpose is found.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "explore/commands.h"
#include "scenario/scenario.h"

namespace oj::sim {
namespace {

namespace fs = std::filesystem;

TwinCommandOptions Of(const std::string& world, std::uint64_t draws) {
  TwinCommandOptions options;
  for (const char* mix : {"standard-mix", "workspaces-mix", "last-session-mix"}) {
    options.files.push_back(std::string(OJ_SCENARIOS) + "/fast/" + mix + ".toml");
  }
  options.worlds = {world};
  options.draws = draws;
  options.jobs = 2;
  options.run.scale = 0.25;
  options.run.ojd = OJ_DAEMON;
  return options;
}

// A sanitizer slows the daemon and not its limits: what came of a story is no outcome to compare.
TEST(TwinCommand, FakesDoWhatTheSimulationAdmits) {
  if (OJ_SANITIZED) GTEST_SKIP() << "too slow for its limits";
  EXPECT_EQ(TwinCommand(Of("fakes", 4)), 0);
}

TEST(TwinCommand, RealToolsDoWhatTheSimulationAdmits) {
  if (OJ_SANITIZED) GTEST_SKIP() << "too slow for its limits";
  if (!fs::exists("/usr/bin/tmux")) GTEST_SKIP() << "no tmux here";
  EXPECT_EQ(TwinCommand(Of("real", 1)), 0);
}

TEST(TwinCommand, ADaemonThatAnswersOtherwiseIsFoundAndItsStoryKept) {
  const fs::path keep = fs::temp_directory_path() / ("oj-twin-kept-" + std::to_string(getpid()));
  TwinCommandOptions options = Of("fakes", 1);
  options.files.resize(1);
  options.run.ojd = OJ_MINI_OJD;  // it knows Ping and PeekSession only
  options.keep = keep.string();
  EXPECT_EQ(TwinCommand(options), 1);
  ASSERT_FALSE(fs::is_empty(keep));
  const auto kept = LoadScenario(fs::directory_iterator(keep)->path().string());
  EXPECT_TRUE(kept) << kept.error().message;
  fs::remove_all(keep);
}

// With a daemon that has a bad habit (mini_ojd.cc) when it is started for the first time.
class TwinCommandOnce : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = (fs::temp_directory_path() / "oj-once-XXXXXX").string();
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
    std::ofstream(directory_ / "x.toml")
        << "worlds = [\"sim\", \"fakes\"]\n[[client]]\n"
           "name = \"a\"\nsteps = [{ call = { type = \"Ping\" } }]\n";
  }
  void TearDown() override { fs::remove_all(directory_); }

  TwinCommandOptions Has(const std::string& habit) const {
    TwinCommandOptions options = Of("fakes", 0);
    options.files = {(directory_ / "x.toml").string()};
    options.seeds = 20;
    options.run.ojd = (directory_ / "ojd").string();
    std::ofstream(options.run.ojd) << "#!/bin/sh\nif mkdir '" << (directory_ / "begun").string()
                                   << "'; then MINI_OJD=" << habit << "; export MINI_OJD; fi\n"
                                   << "exec " << OJ_MINI_OJD << " \"$@\"\n";
    fs::permissions(options.run.ojd, fs::perms::owner_all);
    return options;
  }

  fs::path directory_;
};

TEST_F(TwinCommandOnce, AnotherOutcomeMayBeAMatterOfTime) {
  EXPECT_EQ(TwinCommand(Has("busy")), 0);
}

TEST_F(TwinCommandOnce, ALawThatNoTimeExcusesIsBrokenForGood) {
  EXPECT_EQ(TwinCommand(Has("torn")), 1);
}

TEST_F(TwinCommandOnce, ADaemonThatDiesHasDiedThoughTheNextOneDoesNot) {
  EXPECT_EQ(TwinCommand(Has("dies")), 1);
}

TEST_F(TwinCommandOnce, FewerThanAreWantedAreNotEnough) {
  TwinCommandOptions options = Has("");
  options.at_least = 1;
  EXPECT_EQ(TwinCommand(options), 0);
  options.at_least = 2;
  EXPECT_EQ(TwinCommand(options), 1);
}

TEST_F(TwinCommandOnce, WhereNothingCanBeKeptNothingIsRun) {
  TwinCommandOptions options = Has("");
  options.keep = options.files[0];
  EXPECT_EQ(TwinCommand(options), 2);
  EXPECT_FALSE(fs::exists(directory_ / "begun"));
}

TEST(TwinCommand, WhatIsForNoSuchWorldIsRefused) {
  TwinCommandOptions options = Of("real", 0);
  EXPECT_EQ(TwinCommand(options), 2);
  options.files = {"no/such/file.toml"};
  EXPECT_EQ(TwinCommand(options), 2);
}

}  // namespace
}  // namespace oj::sim
