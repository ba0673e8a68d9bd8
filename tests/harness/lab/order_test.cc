// Orders to a lab, from words to faults.
#include "lab/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/faults.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Fault On(Words words) {
  words.insert(words.begin(), "on");
  const Result<Order> order = ParseOrder(words);
  EXPECT_TRUE(order) << (order ? "" : order.error().message);
  return order ? order->fault : Fault{};
}

std::string WhatIsWrong(const Words& words) {
  const Result<Order> order = ParseOrder(words);
  return order ? "nothing" : order.error().message;
}

TEST(OrderTest, HangKnowsItsOptions) {
  const Fault fault =
      On({"hang", "tmux", "--ignore-term", "--match", "capture-pane", "--for", "10s"});
  EXPECT_EQ(fault.name, "hang-tmux-capture-pane");
  EXPECT_EQ(fault.target, "tmux");
  EXPECT_TRUE(fault.rule.hang);
  EXPECT_TRUE(fault.rule.ignore_term);
  EXPECT_EQ(fault.rule.match, "capture-pane");
  EXPECT_EQ(fault.lasts, milliseconds(10'000));
  EXPECT_EQ(Effect(fault), "tmux calls with 'capture-pane' hang and ignore SIGTERM");
}

TEST(OrderTest, OptionsMayComeBeforeTheTarget) {
  EXPECT_EQ(On({"hang", "--nth", "2", "git"}).rule.nth, 2);
}

TEST(OrderTest, SlowTakesATimeOrTwo) {
  EXPECT_EQ(On({"slow", "git", "3s"}).rule.delay, milliseconds(3000));
  const Fault drawn = On({"slow", "git", "1s", "--to", "5s"});
  EXPECT_EQ(drawn.rule.delay, milliseconds(1000));
  EXPECT_EQ(drawn.rule.delay_to, milliseconds(5000));
}

TEST(OrderTest, FailSaysHow) {
  const Fault fault = On({"fail", "tmux", "--exit", "3", "--stderr", "no server"});
  EXPECT_EQ(fault.rule.exit, 3);
  EXPECT_EQ(fault.rule.err, "no server\n");
  EXPECT_EQ(On({"fail", "git"}).rule.exit, 1);
}

TEST(OrderTest, FloodAndGrandchild) {
  EXPECT_EQ(On({"flood", "git", "2K"}).rule.flood_bytes, 2048);
  EXPECT_EQ(On({"flood", "git", "1000000000000"}).rule.flood_bytes, 1'000'000'000'000);
  EXPECT_EQ(On({"flood", "git"}).rule.flood_bytes, 64 << 20);
  EXPECT_FALSE(On({"grandchild", "git"}).rule.setsid);
  EXPECT_TRUE(On({"grandchild", "git", "--setsid"}).rule.setsid);
}

TEST(OrderTest, ARuleTakesTheKeysOfAScenario) {
  const Fault fault = On({"rule", "git", "delay_ms = 3000", "err=it broke", "probability=0.5"});
  EXPECT_EQ(fault.rule.delay, milliseconds(3000));
  EXPECT_EQ(fault.rule.err, "it broke");
  EXPECT_EQ(fault.rule.probability, 0.5);
  EXPECT_EQ(fault.name, "rule-git");
  EXPECT_EQ(Effect(fault), R"(git calls: probability = 0.5, delay_ms = 3000, err = "it broke")");
}

// They refuse late_ms for what comes later than the work begins.
TEST(OrderTest, OnlyAHangBeforeItsWorkIsPromisedToItsServer) {
  const auto late = [](const std::vector<std::string>& keys) {
    std::vector<std::string> words{"rule", "tmux", "hang=true"};
    words.insert(words.end(), keys.begin(), keys.end());
    return Releasable(On(words).rule, "/released").late.has_value();
  };
  EXPECT_TRUE(late({}));
  EXPECT_FALSE(late({"after=true"}));
  EXPECT_FALSE(late({"wrap=true", "at_ms=5"}));
}

TEST(OrderTest, WhatIsWrongWithARuleIsTold) {
  EXPECT_THAT(WhatIsWrong({"on", "rule", "git", "delay=3000"}), HasSubstr("delay: unknown key"));
  EXPECT_THAT(WhatIsWrong({"on", "rule", "git", "hang=7"}), HasSubstr("true or false"));
  EXPECT_THAT(WhatIsWrong({"on", "rule", "git", "hang=true\n[[tool]]\ntool='git'"}),
              HasSubstr("one rule"));
}

// What the fakes would refuse as a whole, with all that was on before.
TEST(OrderTest, WhatTheFakesDoNotReadIsRefused) {
  for (const char* bytes : {"1000G", "1000000000001", "99999999999999999999", "x"}) {
    EXPECT_THAT(WhatIsWrong({"on", "flood", "git", bytes}), HasSubstr("from 1 to 10^12")) << bytes;
  }
  EXPECT_THAT(WhatIsWrong({"on", "hang", "git", "--match", "\xff"}), HasSubstr("is UTF-8"));
  EXPECT_THAT(WhatIsWrong({"on", "fail", "git", "--stderr", "a\xff"}), HasSubstr("is UTF-8"));
  EXPECT_EQ(On({"fail", "git", "--stderr", "schön"}).rule.err, "schön\n");
  EXPECT_THAT(WhatIsWrong({"on", "fail", "git", "--stderr", std::string(65536, 'x')}),
              HasSubstr("64 KiB"));
}

TEST(OrderTest, NoCallIsToldToTakeLongerThanAFakeLives) {
  EXPECT_EQ(On({"slow", "git", "119s"}).rule.delay, milliseconds(119'000));
  for (const char* time : {"120s", "3m", "3h", "0s", "2000000s", "3"}) {
    EXPECT_THAT(WhatIsWrong({"on", "slow", "git", time}), HasSubstr("less than the 120s")) << time;
  }
  EXPECT_THAT(WhatIsWrong({"on", "slow", "git", "3s", "--to", "3m"}),
              HasSubstr("less than the 120s"));
  EXPECT_THAT(WhatIsWrong({"on", "rule", "git", "delay_ms=120000"}), HasSubstr("lives 120 s"));
}

TEST(OrderTest, TheDaemonHangsOrIsKilled) {
  EXPECT_EQ(On({"hang", "daemon"}).target, "daemon");
  const Result<Order> order = ParseOrder({"on", "kill", "daemon"});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->what, Order::What::kKill);
  EXPECT_EQ(order->fault.target, "daemon");
  EXPECT_THAT(WhatIsWrong({"on", "slow", "daemon", "3s"}), HasSubstr("a daemon can only"));
  EXPECT_EQ(ParseOrder({"on", "kill", "tmux"})->fault.target, "tmux");
  EXPECT_THAT(WhatIsWrong({"on", "kill", "git"}), HasSubstr("fault on kill tmux|daemon"));
}

TEST(OrderTest, OffJoinsKindAndTarget) {
  const Result<Order> order = ParseOrder({"off", "hang", "tmux", "slow-git", "--lab", "/l"});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->what, Order::What::kOff);
  EXPECT_THAT(order->names, ElementsAre("hang-tmux", "slow-git"));
  EXPECT_EQ(order->lab, "/l");
}

TEST(OrderTest, OffMeansNamesTheirBeginningsTargetsOrAll) {
  const Fault fault = On({"hang", "tmux", "--match", "capture-pane"});
  for (const char* word : {"all", "tmux", "hang", "hang-tmux", "hang-tmux-capture-pane"}) {
    EXPECT_TRUE(IsMeant(fault, word)) << word;
  }
  for (const char* word : {"git", "hang-tm", "capture-pane", "slow-tmux"}) {
    EXPECT_FALSE(IsMeant(fault, word)) << word;
  }
}

TEST(OrderTest, MistakesAreNamed) {
  EXPECT_THAT(WhatIsWrong({"onn"}), HasSubstr("none of on, off, list"));
  EXPECT_THAT(WhatIsWrong({"on"}), HasSubstr("--help"));
  EXPECT_THAT(WhatIsWrong({"on", "hung", "tmux"}), HasSubstr("'hung' is no fault"));
  EXPECT_THAT(WhatIsWrong({"on", "hang"}), HasSubstr("fault on hang tmux|git|daemon"));
  EXPECT_THAT(WhatIsWrong({"on", "hang", "ssh"}), HasSubstr("fault on hang tmux|git|daemon"));
  EXPECT_THAT(WhatIsWrong({"on", "hang", "tmux", "--exit", "1"}), HasSubstr("no option --exit"));
  EXPECT_THAT(WhatIsWrong({"on", "hang", "tmux", "--for"}), HasSubstr("--for needs a value"));
  EXPECT_THAT(WhatIsWrong({"on", "hang", "tmux", "--for", "10"}), HasSubstr("such as 10s"));
  EXPECT_THAT(WhatIsWrong({"on", "hang", "tmux", "--for", "3h"}), HasSubstr("ms, s or m"));
  EXPECT_THAT(WhatIsWrong({"on", "slow", "git"}), HasSubstr("slow git 3s"));
  EXPECT_THAT(WhatIsWrong({"on", "fail", "git", "--exit", "256"}), HasSubstr("at most 255"));
  EXPECT_THAT(WhatIsWrong({"on", "hang", "git", "--nth", "0"}), HasSubstr("at least 1"));
  EXPECT_THAT(WhatIsWrong({"off"}), HasSubstr("or all"));
}

TEST(OrderTest, HelpIsAskedForInManyWays) {
  for (const Words& words : {Words{}, {"--help"}, {"on", "--help"}, {"list", "-h"}}) {
    const Result<Order> order = ParseOrder(words);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->what, Order::What::kHelp);
  }
}

TEST(OrderTest, TimesAreReadAndTold) {
  EXPECT_EQ(ParseTime("300ms"), milliseconds(300));
  EXPECT_EQ(ParseTime("3s"), milliseconds(3000));
  EXPECT_EQ(ParseTime("2m"), milliseconds(120'000));
  EXPECT_EQ(ParseTime("1440m"), milliseconds(86'400'000));
  for (const char* text :
       {"1441m", "9999999999999s", "", "3", "s", "-3s", "0s", "3 s", "3h", "1e3s"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
  EXPECT_EQ(TimeText(milliseconds(300)), "300 ms");
  EXPECT_EQ(TimeText(milliseconds(3000)), "3 s");
  EXPECT_EQ(TimeText(milliseconds(2563)), "2.5 s");
  EXPECT_EQ(TimeText(milliseconds(300'000)), "5 min");
}

}  // namespace
}  // namespace oj::sim
