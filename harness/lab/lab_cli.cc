#include "lab/lab_cli.h"

#include <algorithm>
#include <memory>

#include "lab/lab_command.h"
#include "lab/order.h"

namespace oj::sim {
namespace {

constexpr const char* kLabFooter =
    "What is behind `--` runs in place of a shell; its exit status is that of the lab.\n"
    "Examples:\n"
    "  oj-harness lab\n"
    "  oj-harness lab scenarios/fast/hung-tmux-peek.toml\n"
    "  oj-harness lab --real\n"
    "  oj-harness lab -- sh -c 'oj-harness fault on slow git 3s; make check'\n"
    "  oj-harness lab join   # from a second terminal";

}  // namespace

void AddLabCommands(CLI::App& app, std::function<int()>& chosen,
                    const std::vector<std::string>& command) {
  const auto options = std::make_shared<LabCommandOptions>();
  options->command = command;
  CLI::App* lab =
      app.add_subcommand("lab", "A shell with an ojd of its own, whose tools misbehave to order");
  lab->add_option("file", options->file,
                  "A scenario: its settings, sessions and tool rules; its clients do not run")
      ->type_name("FILE");
  lab->add_flag("--real", options->real, "The real tmux and git; they can hang only");
  lab->footer(kLabFooter);

  const auto joined = std::make_shared<std::string>();
  CLI::App* join = lab->add_subcommand("join", "A second shell in a lab that runs");
  join->add_option("--lab", *joined, "Its directory (default: the only one)")->type_name("DIR");
  join->footer("Example:\n  oj-harness lab join");
  lab->callback([&chosen, options, joined, join] {
    chosen = [options, joined, joins = join->parsed()] {
      return joins ? JoinCommand(*joined, *options) : LabCommand(*options);
    };
  });

  CLI::App* fault = app.add_subcommand(
      "fault", "Orders to a lab: what hangs, is slow, fails. Without words it tells them all");
  fault->prefix_command();  // lab/order.h reads them
  fault->set_help_flag();
  fault->footer(kOrderHelp);
  fault->callback(
      [&chosen, fault] { chosen = [words = fault->remaining()] { return FaultCommand(words); }; });
}

std::vector<std::string> TakeLabCommand(int& argc, const char* const* argv) {
  if (argc < 2 || std::string(argv[1]) != "lab") return {};
  const char* const* const end = argv + argc;
  const char* const* const mark = std::find(argv, end, std::string("--"));
  argc = static_cast<int>(mark - argv);
  return mark == end ? std::vector<std::string>() : std::vector<std::string>(mark + 1, end);
}

}  // namespace oj::sim
