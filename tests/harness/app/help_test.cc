// The help of oj-harness: each command has an example, each example is one that it takes.
#include <gtest/gtest.h>

#include <algorithm>

#include "app/harness_app.h"
#include "terminal/examples.h"

namespace oj::sim {
namespace {

class HarnessHelpTest : public testing::Test {
 protected:
  static void Add(const CLI::App& app, std::vector<const CLI::App*>& all) {
    all.push_back(&app);
    for (const CLI::App* each : app.get_subcommands({})) Add(*each, all);
  }
  // What is after "--" is somebody else's.
  static std::string WhyNotTaken(std::vector<std::string> words) {
    words.erase(std::find(words.begin(), words.end(), "--"), words.end());
    std::reverse(words.begin(), words.end());
    Chosen chosen;
    try {
      MakeHarnessApp(chosen)->parse(words);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return chosen ? "" : "nothing is chosen";
  }

  Chosen chosen_;
  const std::unique_ptr<CLI::App> app_ = MakeHarnessApp(chosen_);
};

TEST_F(HarnessHelpTest, EachCommandHasAnExampleThatIsOneOfItself) {
  std::vector<const CLI::App*> all;
  Add(*app_, all);
  EXPECT_GT(all.size(), 7U);
  for (const CLI::App* app : all) {
    const auto examples = terminal::ExamplesIn(app->get_footer());
    EXPECT_FALSE(examples.empty()) << app->get_name() << " has no example";
    for (const std::string& example : examples) {
      const auto calls = terminal::CallsIn(example, "oj-harness");
      EXPECT_FALSE(calls.empty()) << example;
      for (const auto& words : calls) EXPECT_EQ(WhyNotTaken(words), "") << example;
      EXPECT_NE(example.find(app->get_name()), std::string::npos)
          << example << " is no example of " << app->get_name();
    }
  }
}

TEST_F(HarnessHelpTest, ExampleThatIsWrongIsRefused) {
  EXPECT_NE(WhyNotTaken({"run"}), "");
  EXPECT_NE(WhyNotTaken({"run", "x", "--sed", "7"}), "");
  EXPECT_NE(WhyNotTaken({"walk", "x"}), "");
}

TEST_F(HarnessHelpTest, ScaleIsANumberByWhichTimesCanBeMultiplied) {
  EXPECT_EQ(WhyNotTaken({"run", "x", "--scale", "0.25"}), "");
  for (const char* wrong : {"nan", "0", "-1", "inf", "1e300", "x"}) {
    EXPECT_NE(WhyNotTaken({"run", "x", "--scale", wrong}), "") << wrong;
    EXPECT_NE(WhyNotTaken({"twin", "x", "--scale", wrong}), "") << wrong;
  }
}

}  // namespace
}  // namespace oj::sim
