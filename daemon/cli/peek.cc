#include "cli/peek.h"

#include <memory>

#include "cli/ask.h"
#include "cli/words.h"

namespace oj::cli {

namespace json = boost::json;

namespace {

// A screen is mostly empty below its last line: of no use to a person.
std::string WithoutEmptyEnd(std::string_view screen) {
  const std::size_t end = screen.find_last_not_of(" \n");
  return end == std::string_view::npos ? "" : std::string(screen.substr(0, end + 1)) + "\n";
}

}  // namespace

Outcome<Said> Peek(const std::string& command, const PeekOptions& options,
                   const Invocation& invocation) {
  if (auto failure = CheckId(command, "session", options.id)) return *std::move(failure);
  json::object request = {{"type", "PeekSession"},
                          {"session_id", options.id},
                          {"with_color", options.color},
                          {"lines", options.lines}};
  auto reply =
      Ask(invocation,
          {.command = command, .object = options.id, .request = std::move(request), .tool = "tmux"},
          "SessionPeek");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  const json::value* output = reply->object.if_contains("output");
  if (output == nullptr || !output->is_string()) {
    return Failure{kExitError, command + " " + options.id + ": the reply of ojd has no output"};
  }
  return Said{WithoutEmptyEnd(output->get_string())};
}

void AddPeekCommand(CLI::App& parent, Invocation& invocation, const std::string& name,
                    const std::string& about, const std::string& example,
                    Outcome<Said> (*run)(PeekOptions, const Invocation&)) {
  auto options = std::make_shared<PeekOptions>();
  CLI::App& command =
      AddCommand(parent, invocation, "peek", about, example,
                 [options, run](const Invocation& given) { return run(*options, given); });
  command.add_option(name, options->id, "Its id, or the beginning of it")
      ->required()
      ->type_name("");
  command.add_flag("--color", options->color, "Keep colours (escape sequences)");
  command.add_option("-n,--lines", options->lines, "Lines of history (default: 40)")
      ->check(CLI::Range(1, 1'000'000));
}

}  // namespace oj::cli
