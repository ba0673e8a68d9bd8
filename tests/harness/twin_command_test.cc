// `oj-harness twin` on the real daemon: it agrees, and what is wrong on purpose is found.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
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

TEST(TwinCommand, FakesDoWhatTheSimulationAdmits) { EXPECT_EQ(TwinCommand(Of("fakes", 4)), 0); }

TEST(TwinCommand, RealToolsDoWhatTheSimulationAdmits) {
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

TEST(TwinCommand, WhatIsForNoSuchWorldIsRefused) {
  TwinCommandOptions options = Of("real", 0);
  EXPECT_EQ(TwinCommand(options), 2);
  options.files = {"no/such/file.toml"};
  EXPECT_EQ(TwinCommand(options), 2);
}

}  // namespace
}  // namespace oj::sim
