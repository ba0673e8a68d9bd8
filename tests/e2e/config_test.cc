// A wrong value stops the daemon with the name of its key; a wrong tool does not.
#include "core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;

bool IsNumber(const ConfigKey& key) {
  Config scratch;
  return SetConfig(scratch, key.key, "1", "test").ok() &&
         !SetConfig(scratch, key.key, "a", "test").ok();
}

TEST(ConfigTest, AWrongValueInTheEnvironmentStopsTheDaemonNamingTheVariable) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.env.empty() || !IsNumber(key)) continue;
    for (const char* value : {"0", "-1", "5s", "", "1.5", " 5", "99999999999999999999"}) {
      World world(Tmux::kFake);
      world.Set(std::string(key.env), value);
      ASSERT_FALSE(world.StartDaemon()) << key.env << "='" << value << "'";
      const Ended ended = world.DaemonEnded();
      EXPECT_EQ(ended.code, 1);
      EXPECT_THAT(ended.err, HasSubstr(std::string(key.env)));
    }
  }
}

TEST(ConfigTest, AWrongValueInTheFileStopsTheDaemonNamingTheKey) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (!IsNumber(key)) continue;
    for (const char* value : {"0", "-1", "\"5s\"", "1.5", "true", "[1]"}) {
      World world(Tmux::kFake);
      world.Configure(std::string(key.key) + " = " + value + "\n");
      ASSERT_FALSE(world.StartDaemon()) << key.key << " = " << value;
      const Ended ended = world.DaemonEnded();
      EXPECT_EQ(ended.code, 1);
      EXPECT_THAT(ended.err, HasSubstr(std::string(key.key)));
    }
  }
}

TEST(ConfigTest, AnUnknownKeyStopsTheDaemonNamingIt) {
  World world(Tmux::kFake);
  world.Configure("[timeouts]\ntmuxx = 5\n");
  ASSERT_FALSE(world.StartDaemon());
  EXPECT_THAT(world.DaemonEnded().err, HasSubstr("timeouts.tmuxx"));
}

TEST(ConfigTest, TheEnvironmentOverridesTheFile) {
  World world(Tmux::kFake);
  world.Configure("[timeouts]\ntmux = 60000\n");
  world.Set("OJ_TIMEOUT_TMUX_MS", "200");
  world.Rules("[[rule]]\ntool = \"tmux\"\nhang = true\n");
  ASSERT_TRUE(world.StartDaemon());
  const auto reply = world.Connect().Ask(Peek("work"));
  EXPECT_EQ(Text(reply, "code"), "tool_timeout");
  EXPECT_THAT(Text(reply, "message"), HasSubstr("200 ms"));
}

TEST(ConfigTest, AMissingToolIsSaidToBeMissingAThousandTimesWithoutAZombie) {
  World world;
  world.Configure("[tools]\ntmux = \"no-such-tmux\"\n");
  ASSERT_TRUE(world.StartDaemon());
  Wire wire = world.Connect();
  const auto first = wire.Ask(Peek("work"));
  EXPECT_EQ(Text(first, "code"), "tool_missing");
  EXPECT_THAT(Text(first, "message"), HasSubstr("no-such-tmux"));
  const std::size_t descriptors = DescriptorsOf(world.daemon().pid()).size();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(Text(wire.Ask(Peek("work")), "code"), "tool_missing");
  }
  EXPECT_EQ(world.Zombies(), 0U);
  EXPECT_EQ(DescriptorsOf(world.daemon().pid()).size(), descriptors);
}

}  // namespace
}  // namespace oj::e2e
