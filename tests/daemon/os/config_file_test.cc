#include "os/config_file.h"

#include <gmock/gmock.h>

#include "os_test_support.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ConfigFileTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const ConfigKey& key : ConfigKeys()) {
      if (!key.env.empty()) unsetenv(std::string(key.env).c_str());
    }
    setenv("XDG_CONFIG_HOME", temp_.path().c_str(), 1);
  }
  std::string ErrorFor(const std::string& text) {
    WriteFile(file_, text);
    const auto config = LoadConfig(file_);
    return config.ok() ? "no error" : config.error().message;
  }
  TempDir temp_;
  const std::string file_ = temp_ / "some.toml";
};

TEST_F(ConfigFileTest, NoFileGivesDefaults) {
  const auto config = LoadConfig("");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->tmux, 10s);
  EXPECT_EQ(config->half_close, HalfClose::kCancel);
}

TEST_F(ConfigFileTest, FileIsFoundInTheConfigurationHome) {
  std::filesystem::create_directory(temp_ / "oj");
  WriteFile(
      temp_ / "oj/config.toml",
      "[timeouts]\ntmux = 1500\n[connection]\nhalf_close = 'keep'\n[tools]\ngit = '/x/git'\n");
  const auto config = LoadConfig("");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->tmux, 1500ms);
  EXPECT_EQ(config->half_close, HalfClose::kKeep);
  EXPECT_EQ(config->git_tool, "/x/git");
}

TEST_F(ConfigFileTest, EnvironmentOverridesTheFile) {
  WriteFile(file_, "timeouts.tmux = 1500\ntimeouts.handler = 7000\n");
  setenv("OJ_TIMEOUT_TMUX_MS", "20", 1);
  const auto config = LoadConfig(file_);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->tmux, 20ms);
  EXPECT_EQ(config->handler, 7s);
}

TEST_F(ConfigFileTest, NamedFileThatIsMissingIsAnError) {
  const auto config = LoadConfig(temp_ / "absent.toml");
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.error().message, HasSubstr("absent.toml"));
}

// C3.
TEST_F(ConfigFileTest, BadValuesNameLineKeyAndLimit) {
  EXPECT_THAT(ErrorFor("\n\n[timeouts]\ntmux = 0\n"),
              AllOf(HasSubstr("some.toml:4"), HasSubstr("timeouts.tmux"), HasSubstr("positive")));
  EXPECT_THAT(ErrorFor("timeouts.tmux = -1\n"), HasSubstr("some.toml:1"));
  EXPECT_THAT(ErrorFor("timeouts.tmux = '5s'\n"), HasSubstr("timeouts.tmux"));
  EXPECT_THAT(ErrorFor("timeouts.tmux = '5000'\n"), HasSubstr("timeouts.tmux"));
  EXPECT_THAT(ErrorFor("timeouts.tmux = 1.5\n"), HasSubstr("timeouts.tmux"));
  EXPECT_THAT(ErrorFor("timeouts.tmux = true\n"), HasSubstr("timeouts.tmux"));
  EXPECT_THAT(ErrorFor("timeouts.tmux = 9223372036854775807\n"), HasSubstr("timeouts.tmux"));
  EXPECT_THAT(ErrorFor("connection.half_close = 1\n"), HasSubstr("connection.half_close"));
  EXPECT_THAT(ErrorFor("connection.half_close = 'no'\n"), HasSubstr("connection.half_close"));
  EXPECT_THAT(ErrorFor("timeouts = 3\n"), HasSubstr("unknown key 'timeouts'"));
  EXPECT_THAT(ErrorFor("[timeouts]\n# typo\ntmuxx = 1\n"),
              AllOf(HasSubstr("some.toml:3"), HasSubstr("unknown key 'timeouts.tmuxx'")));
  EXPECT_THAT(ErrorFor("[timeouts\n"), HasSubstr("some.toml:1"));
}

TEST_F(ConfigFileTest, BadVariableIsNamed) {
  for (const char* value : {"0", "-1", "5s", "", " 5", "99999999999999999999"}) {
    setenv("OJ_KILL_GRACE_MS", value, 1);
    const auto config = LoadConfig("");
    ASSERT_FALSE(config.ok()) << value;
    EXPECT_THAT(config.error().message, HasSubstr("OJ_KILL_GRACE_MS"));
  }
}

}  // namespace
}  // namespace oj
