// What is told of the daemon's settings: by its help, by README.md and by its manual page.
#include "help.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "core/config.h"
#include "terminal/examples.h"

namespace oj {
namespace {

using testing::HasSubstr;

std::string Read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Settings, ReadmeHasTheirTableAsItIs) {
  EXPECT_THAT(Read(OJ_README), HasSubstr("\n|---|---|---|---|\n" + SettingsAsMarkdown() + "\n"))
      << "the rows must be these";
}

TEST(Settings, HelpAndManualTellEachKeyItsVariableAndItsDefault) {
  OjdOptions options;
  const std::string help = MakeOjdApp(options)->help();
  const std::string page = Read(OJ_MAN_OJD);
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(key.key) + " "));
    EXPECT_THAT(help, HasSubstr(std::string(key.env)));
    EXPECT_THAT(help, HasSubstr(GetConfig(Config{}, key.key)));
    EXPECT_THAT(page, HasSubstr("\\fB" + std::string(key.key) + "\\fR"));
    EXPECT_FALSE(key.about.empty()) << key.key;
  }
}

TEST(Ojd, ExamplesAreOnesThatItTakes) {
  OjdOptions options;
  const auto examples = terminal::ExamplesIn(MakeOjdApp(options)->get_footer());
  std::size_t calls = 0;
  for (const std::string& example : examples) {
    for (auto words : terminal::CallsIn(example, "ojd")) {
      ++calls;
      std::reverse(words.begin(), words.end());
      EXPECT_NO_THROW(MakeOjdApp(options)->parse(words)) << example;
    }
  }
  EXPECT_EQ(calls, 2U);
}

}  // namespace
}  // namespace oj
