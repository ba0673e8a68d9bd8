// The table of keys, and what a value may be.
#include "core/config.h"

#include <gmock/gmock.h>

#include <set>

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string WhyNot(std::string_view key, std::string_view value) {
  Config config;
  const Status status = SetConfig(config, key, value, "ORIGIN");
  if (status) return "accepted";
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidRequest);
  return status.error().message;
}

class WrongNumber : public ::testing::TestWithParam<const char*> {};

TEST_P(WrongNumber, IsRefusedNamingOriginAndValueForEveryNumericKey) {
  for (const ConfigKey& key : ConfigKeys()) {
    const bool numeric = key.key.starts_with("timeouts.") || key.key.starts_with("limits.") ||
                         key.key.starts_with("client.");
    if (!numeric) continue;
    EXPECT_THAT(WhyNot(key.key, GetParam()),
                AllOf(HasSubstr("ORIGIN"), HasSubstr("'" + std::string(GetParam()) + "'"),
                      HasSubstr("positive whole number")))
        << key.key;
  }
}

INSTANTIATE_TEST_SUITE_P(Matrix, WrongNumber,
                         ::testing::Values("0", "-1", "5s", "", " 5", "5 ", "+5", "0x10", "1.5",
                                           "1e3", "five", "9223372036854775808",
                                           "18446744073709551616", "315360000001"));

TEST(Config, RefusedValueLeavesTheConfigurationUnchanged) {
  Config config;
  EXPECT_FALSE(SetConfig(config, "timeouts.tmux", "-1", "X"));
  EXPECT_EQ(config.tmux, 10s);
}

TEST(Config, UnknownKeyIsRefusedByName) {
  EXPECT_THAT(WhyNot("timeouts.tmuxx", "5"),
              AllOf(HasSubstr("ORIGIN"), HasSubstr("unknown key 'timeouts.tmuxx'")));
}

TEST(Config, DurationsAreMillisecondsUpToTenYears) {
  Config config;
  EXPECT_TRUE(SetConfig(config, "timeouts.tmux", "1", "X"));
  EXPECT_EQ(config.tmux, 1ms);
  EXPECT_TRUE(SetConfig(config, "timeouts.handler", "315360000000", "X"));
  EXPECT_EQ(config.handler, 24h * 3650);
}

TEST(Config, HalfCloseIsOneOfTwoWords) {
  Config config;
  EXPECT_TRUE(SetConfig(config, "connection.half_close", "keep", "X"));
  EXPECT_EQ(config.half_close, HalfClose::kKeep);
  EXPECT_TRUE(SetConfig(config, "connection.half_close", "cancel", "X"));
  EXPECT_EQ(config.half_close, HalfClose::kCancel);
  EXPECT_THAT(WhyNot("connection.half_close", "maybe"), HasSubstr("'cancel' or 'keep'"));
  EXPECT_THAT(WhyNot("connection.half_close", ""), HasSubstr("'cancel' or 'keep'"));
}

TEST(Config, ARecorderOfMoreThan256MiBIsRefused) {
  EXPECT_EQ(WhyNot("recorder.bytes", "268435456"), "accepted");
  EXPECT_THAT(WhyNot("recorder.bytes", "268435457"), HasSubstr("at most 268435456 bytes"));
}

TEST(Config, EmptyNameOfAToolIsRefused) {
  EXPECT_THAT(WhyNot("tools.tmux", ""), HasSubstr("is not a name"));
  EXPECT_THAT(WhyNot("tools.git", ""), HasSubstr("is not a name"));
}

// `about` promises four words, and PROTOCOL's rule is that no wrong value is taken silently.
TEST(Config, UnknownLogLevelIsRefused) { EXPECT_NE(WhyNot("log.level", "loud"), "accepted"); }

// Every field can be set by some key: a key that sets nothing, or a field without one, shows.
TEST(Config, EveryKeySetsAFieldOfItsOwn) {
  Config config;
  std::set<std::string_view> names;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(names.insert(key.key).second) << key.key << " is there twice";
    EXPECT_FALSE(key.about.empty()) << key.key;
    const char* value = key.key == "connection.half_close" ? "keep"
                        : key.key == "log.level"           ? "debug"
                        : key.key == "recorder.redact"     ? "true"
                                                           : "77";
    EXPECT_TRUE(SetConfig(config, key.key, value, "X")) << key.key;
  }
  for (const Duration each :
       {config.tmux, config.git_worktree, config.handler, config.kill_grace, config.request_read,
        config.response_write, config.drain, config.client_ipc, config.client_connect,
        config.client_exit, config.reply_cache}) {
    EXPECT_EQ(each, 77ms);
  }
  for (const std::size_t each :
       {config.max_connections, config.max_requests, config.max_children, config.max_request_bytes,
        config.max_reply_bytes, config.max_output_bytes, config.recorder_bytes}) {
    EXPECT_EQ(each, 77U);
  }
  EXPECT_EQ(config.half_close, HalfClose::kKeep);
  EXPECT_EQ(config.tmux_tool, "77");
  EXPECT_EQ(config.git_tool, "77");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_TRUE(config.recorder_redact);
  EXPECT_GE(names.size(), 21U);
}

TEST(Config, EnvironmentVariablesAreThoseOfTheProtocol) {
  std::set<std::string_view> variables;
  for (const ConfigKey& key : ConfigKeys()) variables.insert(key.env);
  for (const char* each :
       {"OJ_TIMEOUT_IPC_MS", "OJ_TIMEOUT_CONNECT_MS", "OJ_TIMEOUT_EXIT_MS", "OJ_TIMEOUT_TMUX_MS",
        "OJ_TIMEOUT_GIT_WORKTREE_MS", "OJ_TIMEOUT_HANDLER_MS", "OJ_KILL_GRACE_MS",
        "OJ_TIMEOUT_REQUEST_READ_MS", "OJ_TIMEOUT_RESPONSE_WRITE_MS", "OJ_TIMEOUT_DRAIN_MS"}) {
    EXPECT_TRUE(variables.contains(each)) << each;
  }
}

}  // namespace
}  // namespace oj
