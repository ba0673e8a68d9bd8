// Writes oj(1) or ojd(8), while all is built: man_daemon PAGE PROSE OUT.
#include <iostream>

#include "cli/command.h"
#include "help.h"
#include "terminal/man_page.h"

namespace {

using Parts = std::map<std::string, std::string>;

Parts PartsOfOj() {
  const oj::cli::Environment nowhere;
  oj::cli::Invocation invocation{.environment = nowhere};
  const auto app = oj::cli::MakeApp(invocation);
  return {{"OPTIONS", oj::terminal::OptionsAsMan(*app)},
          {"COMMANDS", oj::terminal::CommandsAsMan(*app)},
          {"VARIABLES", oj::ClientVariablesAsMan()}};
}

Parts PartsOfOjd() {
  oj::OjdOptions options;
  const auto app = oj::MakeOjdApp(options);
  return {{"OPTIONS", oj::terminal::OptionsAsMan(*app)}, {"SETTINGS", oj::SettingsAsMan()}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string page = argc == 4 ? argv[1] : "";
  if (page != "oj.1" && page != "ojd.8") {
    std::cerr << "usage: man_daemon oj.1|ojd.8 PROSE OUT\n";
    return 2;
  }
  return oj::terminal::WriteManPage(argv[2], argv[3], page == "oj.1" ? PartsOfOj() : PartsOfOjd());
}
