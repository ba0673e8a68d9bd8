#include "cli/attach.h"

#include <unistd.h>

#include <filesystem>

#include "cli/posix.h"

namespace oj::cli {
namespace {

bool IsSame(const std::string& one, const std::string& other) {
  std::error_code ignored;
  return one == other || std::filesystem::weakly_canonical(one, ignored) ==
                             std::filesystem::weakly_canonical(other, ignored);
}

// The daemon's tmux server is the default one, whatever server this terminal is in.
std::string DefaultServer() {
  const std::string directory = Variable("TMUX_TMPDIR");
  return (directory.empty() ? "/tmp" : directory) + "/tmux-" + std::to_string(getuid()) +
         "/default";
}

}  // namespace

Failure Attach(const Invocation& invocation, const std::string& command,
               const std::string& session) {
  const std::string here = Variable("TMUX");  // "<socket>,<pid>,<session>"
  const bool inside = !here.empty();
  if (inside && !IsSame(here.substr(0, here.find(',')), DefaultServer())) {
    return {
        kExitError, command + ": this terminal is in another tmux server than " + session,
        "detach first; `env -u TMUX oj " + command + " " + session + "` nests one in the other"};
  }
  const std::string& tmux = invocation.settings.config.tmux_tool;
  const int error = invocation.environment.become(
      {tmux, inside ? "switch-client" : "attach-session", "-t", "=" + session});
  return {kExitError, command + ": cannot run " + tmux + ": " + ErrnoText(error),
          "tools.tmux in config.toml names another tmux"};
}

}  // namespace oj::cli
