// The help of `oj`: each command has an example, and each example is one that `oj` takes.
#include <gtest/gtest.h>

#include "cli/command.h"
#include "terminal/examples.h"

namespace oj::cli {
namespace {

class HelpTest : public testing::Test {
 protected:
  HelpTest() : invocation_{.environment = environment_} {}
  std::vector<const CLI::App*> All() {
    std::vector<const CLI::App*> all;
    Add(*app_, all);
    return all;
  }

 private:
  static void Add(const CLI::App& app, std::vector<const CLI::App*>& all) {
    all.push_back(&app);
    for (const CLI::App* each : app.get_subcommands({})) Add(*each, all);
  }

  Environment environment_;
  Invocation invocation_;
  const std::unique_ptr<CLI::App> app_ = MakeApp(invocation_);
};

TEST_F(HelpTest, EachCommandHasAnExampleThatIsOneOfItself) {
  const auto all = All();
  EXPECT_GT(all.size(), 30U);
  for (const CLI::App* app : all) {
    const auto examples = terminal::ExamplesIn(app->get_footer());
    EXPECT_FALSE(examples.empty()) << app->get_name() << " has no example";
    for (const std::string& example : examples) {
      const auto calls = terminal::CallsIn(example, "oj");
      EXPECT_FALSE(calls.empty()) << example;
      for (const auto& words : calls) EXPECT_EQ(WhyNotTaken(words), "") << example;
      const bool shown =
          app->get_parent() == nullptr || example.find(app->get_name()) != std::string::npos;
      EXPECT_TRUE(shown) << example << " is no example of " << app->get_name();
    }
  }
}

TEST_F(HelpTest, ExampleThatIsWrongIsRefused) {
  EXPECT_NE(WhyNotTaken({"session", "nw", "work"}), "");
  EXPECT_NE(WhyNotTaken({"session", "show"}), "");
  EXPECT_NE(WhyNotTaken({"ping", "--", "x"}), "");
  EXPECT_EQ(WhyNotTaken({"session", "new", "work", "--", "ls", "-l"}), "");
}

TEST_F(HelpTest, EachOptionAndCommandIsDescribed) {
  for (const CLI::App* app : All()) {
    EXPECT_FALSE(app->get_description().empty()) << app->get_name();
    for (const CLI::Option* option : app->get_options()) {
      EXPECT_FALSE(option->get_description().empty()) << app->get_name() << option->get_name();
    }
  }
}

}  // namespace
}  // namespace oj::cli
