// Writes oj-harness(1) or oj-scenario(5), while all is built: man_harness PAGE PROSE OUT.
#include <iostream>

#include "app/harness_app.h"
#include "app/scenario_page.h"
#include "terminal/man_page.h"

int main(int argc, char** argv) {
  const std::string page = argc == 4 ? argv[1] : "";
  if (page == "oj-scenario.5") {
    return oj::terminal::WriteManPage(argv[2], argv[3], oj::sim::ScenarioParts());
  }
  if (page != "oj-harness.1") {
    std::cerr << "usage: man_harness oj-harness.1|oj-scenario.5 PROSE OUT\n";
    return 2;
  }
  oj::sim::Chosen chosen;
  const auto app = oj::sim::MakeHarnessApp(chosen);
  return oj::terminal::WriteManPage(argv[2], argv[3],
                                    {{"COMMANDS", oj::terminal::CommandsAsMan(*app)}});
}
