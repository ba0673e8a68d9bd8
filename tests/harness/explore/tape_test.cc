#include "explore/tape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oj::sim {
namespace {

using testing::HasSubstr;

FailureFile Example() {
  FailureFile file;
  file.scenario = "scenarios/fast/x y.toml";
  file.scenario_digest = DigestOf("text");
  file.settings = {{"timeouts.tmux", "2000"}, {"tools.tmux", "/a=b"}};
  file.seed = 18446744073709551615u;
  file.law = "L3";
  file.message = "process 10 started\nwhile 11 was at work";
  file.digest = DigestOf("run");
  file.tape = {12, DigestOf("tape"), {{3, "tmux-hangs", 1001, 5, 4}, {11, "strand", 2, 3, 1}}};
  file.timeline = "client 1 [===]\n\nlegend\n";
  return file;
}
std::string Error(const std::string& text) {
  const auto parsed = ParseFailure(text, "f.txt");
  return parsed ? "it was not refused" : parsed.error().message;
}
std::string With(const std::string& from, const std::string& to) {
  std::string text = WriteFailure(Example());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(FailureFile, WhatWasWrittenIsReadAgain) {
  const FailureFile file = Example();
  const auto read = ParseFailure(WriteFailure(file), "f.txt");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->scenario, file.scenario);
  EXPECT_EQ(read->scenario_digest, file.scenario_digest);
  EXPECT_EQ(read->settings, file.settings);
  EXPECT_EQ(read->seed, file.seed);
  EXPECT_EQ(read->law, file.law);
  EXPECT_EQ(read->message, "process 10 started while 11 was at work");
  EXPECT_EQ(read->digest, file.digest);
  EXPECT_EQ(read->tape, file.tape);
}

TEST(FailureFile, TheTimelineIsInItForPeople) {
  EXPECT_THAT(WriteFailure(Example()), HasSubstr("# client 1 [===]\n#\n# legend\n"));
}

TEST(FailureFile, AnotherVersionIsRefused) {
  EXPECT_THAT(Error(With("oj-harness-failure 1", "oj-harness-failure 2")),
              HasSubstr("f.txt:1: version: "));
  EXPECT_THAT(Error(""), HasSubstr("f.txt:1: version: "));
}

TEST(FailureFile, WrongLinesAreNamed) {
  EXPECT_THAT(Error(With("seed 1", "seed x1")), HasSubstr("f.txt:6: seed: must be a number"));
  EXPECT_THAT(Error(With("law L3", "lore L3")), HasSubstr("f.txt:7: lore: unknown key"));
  EXPECT_THAT(Error(With("choose 3 tmux-hangs 1001 5 4", "choose 3 tmux-hangs 1001 5 5")),
              HasSubstr("choose: the choice must be above 0 and below n"));
  EXPECT_THAT(Error(With("choose 11", "choose 3")), HasSubstr("choose: the indexes must rise"));
  EXPECT_THAT(Error(With("choose 11 strand", "choose 11")), HasSubstr("choose: must be index"));
  EXPECT_THAT(Error(With("decisions 12 ", "decisions ")), HasSubstr("decisions: must be"));
}

TEST(FailureFile, MissingKeysAreNamed) {
  EXPECT_THAT(Error(With("law L3\n", "")), HasSubstr("law: is missing"));
}

TEST(FailureFile, AFileThatCannotBeReadIsNamed) {
  EXPECT_FALSE(ReadFileText("/"));
  const auto text = ReadFileText("/no/such/file");
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.error().message, HasSubstr("/no/such/file:0: file: "));
}

}  // namespace
}  // namespace oj::sim
