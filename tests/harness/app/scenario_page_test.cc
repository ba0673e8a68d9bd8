// oj-scenario(5) and the parser know the same keys.
#include "app/scenario_page.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <map>

#include "scenario/scenario.h"
#include "scenario/scenario_keys.h"

namespace oj::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const kClient = "[[client]]\nname = \"c\"\nsteps = [{close = true}]\n";

// A scenario in which the key has its example as value, among those that its table needs.
std::string With(const ScenarioKey& key) {
  std::string table;
  for (const ScenarioKey& each : ScenarioKeys()) {
    const bool needed = each.table == key.table && each.standard == "required";
    if (!needed && &each != &key) continue;
    table += std::string(each.key) + " = " + std::string(each.example) + "\n";
  }
  if (key.table.empty()) return table + kClient;
  if (key.table == "mix") return "[mix]\n" + table;
  if (key.table == "client") return "[[client]]\n" + table;
  if (key.table == "step") return "[[client]]\nname = \"c\"\n[[client.steps]]\n" + table;
  return kClient + ("[[" + std::string(key.table) + "]]\n" + table);
}

std::string ErrorOf(const std::string& text) {
  const Result<Scenario> scenario = ParseScenario(text, "x.toml");
  return scenario ? "" : scenario.error().message;
}

TEST(ScenarioKeys, ParserTakesEachKeyThatThePageTells) {
  for (const ScenarioKey& key : ScenarioKeys()) {
    const std::string error = ErrorOf(With(key));
    EXPECT_THAT(error, Not(HasSubstr("unknown key"))) << With(key);
    EXPECT_THAT(error, Not(HasSubstr("syntax"))) << With(key);
  }
}

// The parser looks every key up in the table of the page before it reads it: in each of its tables.
TEST(ScenarioKeys, ParserTakesNoKeyThatThePageDoesNotTell) {
  for (const ScenarioTable& table : ScenarioTables()) {
    ScenarioKey unknown{table.table, "no_such_key", "", "", "", "", "1"};
    std::string text = With(unknown);
    if (table.table.empty()) text = "no_such_key = 1\n" + text;
    const std::size_t at = text.rfind('\n', text.size() - 2);
    if (!table.table.empty())
      text = text.substr(0, at + 1) + "no_such_key = 1\n" + text.substr(at + 1);
    EXPECT_THAT(ErrorOf(text), HasSubstr("no_such_key: unknown key; ")) << text;
  }
}

TEST(ScenarioKeys, ErrorOfAnUnknownKeyNamesThoseThatThereAre) {
  EXPECT_THAT(ErrorOf(kClient + std::string("[[session]]\nid = \"x\"\nsize = 1\n")),
              HasSubstr("x.toml:6: size: unknown key; [[session]] has id, screen"));
}

TEST(ScenarioPage, TellsEachTableAndEachKey) {
  const std::string keys = ScenarioParts().at("KEYS");
  for (const ScenarioTable& table : ScenarioTables()) {
    EXPECT_THAT(keys, HasSubstr(".SS \"" + std::string(table.title) + "\"\n"));
  }
  std::size_t tagged = 0;
  for (std::size_t at = 0; (at = keys.find(".TP\n", at)) != std::string::npos; ++at) ++tagged;
  EXPECT_EQ(tagged, ScenarioKeys().size());
}

TEST(ScenarioPage, ExampleIsAScenario) {
  std::ifstream file(OJ_SCENARIO_PROSE, std::ios::binary);
  const std::string prose{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = prose.find(".EX\n") + 4;
  const std::string example = prose.substr(begin, prose.find(".EE\n") - begin);
  EXPECT_EQ(ErrorOf(example), "");
}

}  // namespace
}  // namespace oj::sim
