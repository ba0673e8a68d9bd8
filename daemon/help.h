// What ojd says of itself: its command line and its settings, for --help, the manual and README.md.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace oj {

struct OjdOptions {
  std::string state_dir;
  std::string config_file;
  std::string log_level;
  std::string log_file;
};

// The grammar of `ojd`. `options` must outlive it.
std::unique_ptr<CLI::App> MakeOjdApp(OjdOptions& options);

// All settings, a line each: key, variable, default, meaning.
std::string SettingsAsText();
std::string SettingsAsMarkdown();  // rows of a table
// As paragraphs of a manual page: all, and those variables that `oj` looks at.
std::string SettingsAsMan();
std::string ClientVariablesAsMan();

}  // namespace oj
