// The keys of a scenario file: what the parser lets through, what its errors name, and what
// oj-scenario(5) tells.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace oj::sim {

struct ScenarioKey {
  std::string_view table;  // "" for the top of the file; "session" for [[session]]; "step"
  std::string_view key;
  std::string_view type;      // "string", "milliseconds", "list of strings"
  std::string_view standard;  // "required", or what it is when it is not said
  std::string_view worlds;    // "" for all
  std::string_view about;
  std::string_view example;  // its value, in TOML
};

// In the order of the page; those of a table stand together.
std::span<const ScenarioKey> ScenarioKeys();

// What a table is for.
struct ScenarioTable {
  std::string_view table;
  std::string_view title;  // "[[session]]"
  std::string_view about;
};
std::span<const ScenarioTable> ScenarioTables();

bool IsScenarioKey(std::string_view table, std::string_view key);
// "unknown key; [[session]] has id, screen".
std::string UnknownKey(std::string_view table);

}  // namespace oj::sim
