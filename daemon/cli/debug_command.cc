// oj debug dump
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/posix.h"

namespace oj::cli {
namespace {

struct DumpOptions {
  std::string out;
  bool redact = false;
};

Failure Cannot(const std::string& what, const std::string& path) {
  return {kExitError, "debug dump: cannot " + what + " " + path + ": " + ErrnoText(errno), "", ""};
}

std::optional<Failure> CopyInto(const UniqueFd& out, const std::string& from,
                                const std::string& to) {
  const UniqueFd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return Cannot("read", from);
  std::array<char, 65536> chunk;
  for (ssize_t got; (got = read(in.get(), chunk.data(), chunk.size())) != 0;) {
    if (got < 0) return Cannot("read", from);
    for (ssize_t done = 0; done < got;) {
      const ssize_t put =
          write(out.get(), chunk.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0) return Cannot("write", to);
      done += put;
    }
  }
  return std::nullopt;
}

// The daemon's file is ours to read: it serves nobody else. The copy is there whole or not at all,
// for its owner only, whatever was there before; what is no file is left alone.
std::optional<Failure> CopyTo(const std::string& from, const std::string& to) {
  struct stat there{};
  if (lstat(to.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return Failure{kExitError, "debug dump: " + to + " is there and no regular file", "", ""};
  }
  const std::string beside = to + "." + std::to_string(getpid()) + ".new";
  const UniqueFd out(open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return Cannot("write", beside);
  auto failed = CopyInto(out, from, beside);
  if (!failed && fsync(out.get()) != 0) failed = Cannot("write", beside);
  if (!failed && rename(beside.c_str(), to.c_str()) != 0) failed = Cannot("write", to);
  if (failed) unlink(beside.c_str());
  return failed;
}

Outcome<Said> Dump(const DumpOptions& options, const Invocation& invocation) {
  Question question{.command = "debug dump"};
  question.request = {{"type", "DebugDump"}, {"redact", options.redact}};
  auto reply = Ask(invocation, question, "DebugDump");
  if (!reply) return reply.error();
  const std::string path = TextField(reply->object, "path");
  if (!options.out.empty()) {
    if (auto failed = CopyTo(path, options.out)) {
      failed->message += "; the dump itself is " + path;
      return *failed;
    }
  }
  if (invocation.settings.json) return Said{reply->Line()};
  return Said{(options.out.empty() ? path : options.out) + "\n"};
}

}  // namespace

void AddDebugCommands(CLI::App& app, Invocation& invocation) {
  CLI::App& debug = *app.add_subcommand("debug", "What the daemon has recorded of itself.");
  debug.require_subcommand(1);
  debug.footer("Example:\n  oj debug dump --out story.jsonl --redact");
  auto options = std::make_shared<DumpOptions>();
  CLI::App& dump = AddCommand(debug, invocation, "dump",
                              "Write what ojd has lately done to a file, for `oj-harness record`.",
                              "oj debug dump --out story.jsonl --redact",
                              [options](const Invocation& given) { return Dump(*options, given); });
  dump.add_option("--out", options->out, "A copy of it (default: only the daemon's own file)")
      ->type_name("FILE");
  dump.add_flag("--redact", options->redact,
                "Tokens in place of arguments, paths, ids and what tools said");
}

}  // namespace oj::cli
