// oj-harness(1) tells all that the program takes.
#include "terminal/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/harness_app.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;

class HarnessManPageTest : public testing::Test {
 protected:
  static void Add(const CLI::App& app, const std::string& before, std::vector<std::string>& names) {
    for (const CLI::App* each : app.get_subcommands({})) {
      names.push_back(before + each->get_name());
      Add(*each, names.back() + " ", names);
    }
  }

  Chosen chosen_;
  const std::unique_ptr<CLI::App> app_ = MakeHarnessApp(chosen_);
  const std::string page_ = terminal::CommandsAsMan(*app_);
};

TEST_F(HarnessManPageTest, EachCommandHasItsSection) {
  std::vector<std::string> names;
  Add(*app_, "oj-harness ", names);
  EXPECT_GT(names.size(), 10U);
  for (const std::string& each : names) {
    EXPECT_THAT(page_, HasSubstr(".SS \"" + terminal::Escaped(each) + "\"\n"));
  }
  EXPECT_THAT(page_, HasSubstr("\n\\fBoj\\-harness lab\\fR [options] [\\fIfile\\fR]\n"));
}

TEST_F(HarnessManPageTest, OrdersToALabAreAListWithTheirOptions) {
  EXPECT_THAT(page_, HasSubstr(".TP\n\\fBhang TOOL [\\-\\-ignore\\-term]\\fR\nno call ends"));
  EXPECT_THAT(page_, HasSubstr(".PP\nWith each of them:\n.TP\n\\fB\\-\\-match TEXT\\fR\n"));
  // The rest of what it says of a rule.
  EXPECT_THAT(page_, HasSubstr("delay_ms, exit, signal,\nout, err, cut,"));
}

TEST_F(HarnessManPageTest, LabTellsWhatIsBehindTheDashes) {
  EXPECT_THAT(page_, HasSubstr(".PP\nWhat is behind \\(ga\\-\\-\\(ga runs in place of a shell;"));
}

}  // namespace
}  // namespace oj::sim
