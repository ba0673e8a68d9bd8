#include "app/scenario_page.h"

#include "scenario/scenario_keys.h"
#include "terminal/man_page.h"

namespace oj::sim {
namespace {

std::string KeyAsMan(const ScenarioKey& key) {
  std::string facts = std::string(key.type);
  if (key.standard == "required") {
    facts += "; required";
  } else if (key.standard != "none") {
    facts += "; default " + std::string(key.standard);
  }
  if (!key.worlds.empty()) facts += "; in " + std::string(key.worlds);
  return terminal::Tagged(
      "\\fB" + terminal::Escaped(key.key) + "\\fR (" + terminal::Escaped(facts) + ")",
      terminal::Escaped(key.about) + "\n");
}

}  // namespace

std::map<std::string, std::string> ScenarioParts() {
  std::string text;
  for (const ScenarioTable& table : ScenarioTables()) {
    text +=
        ".SS \"" + terminal::Escaped(table.title) + "\"\n" + terminal::Escaped(table.about) + "\n";
    for (const ScenarioKey& key : ScenarioKeys()) {
      if (key.table == table.table) text += KeyAsMan(key);
    }
  }
  return {{"KEYS", text}};
}

}  // namespace oj::sim
