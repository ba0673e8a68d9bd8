// How a fake tool misbehaves, and what it writes down of itself: shared by all fakes. Stand-alone:
// nothing of the daemon is linked here.
//
// Environment: OJ_FAKE_RULES (a TOML file of [[rule]] tables, read afresh at each start),
// OJ_FAKE_STATE (a directory: the tool's world and the counters of `nth`), OJ_FAKE_JOURNAL (a file
// that each fake appends its life to), OJ_LEASE (written to the journal as it is).
//
// The journal has one line for each event, each written by one write(2); times are nanoseconds of
// CLOCK_BOOTTIME:
//   S <pid> <ppid> <pgid> <ns> <lease or -> <argv as JSON>   started; its behaviour is in force
//   T <pid> <ns> <signal>                                    caught a signal
//   E <pid> <ns> <exit code>                                 ends by itself
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace oj::fakes {

// The keys of a [[rule]] table, beside `tool`, `match` and `nth`. Of the rules that match the
// first one counts. Order of what is done: grandchild, delay, hang, flood, signal, exit.
struct Behaviour {
  std::chrono::milliseconds delay{};
  bool hang = false;
  std::string hang_while;  // hangs as long as this file exists
  bool ignore_term = false;
  bool exit_zero_on_term = false;
  std::optional<int> exit;         // without doing its work
  std::optional<int> signal;       // dies of it, without doing its work
  std::optional<std::string> out;  // in place of its own output
  std::optional<std::string> err;
  bool grandchild = false;  // leaves a child that holds stdout and stderr for 120 s
  bool setsid = false;      // that child leaves session and group
  long long flood_bytes = 0;
  // tmux: what its server is doing after its last session has gone: "serves" this client first, or
  // "exits" with its connection not taken. Empty: it has exited.
  std::string passing;
};

// What the tool does and says when it is left alone.
struct Outcome {
  int exit = 0;
  std::string out;
  std::string err;
};

// The body of every fake: finds its behaviour, journals, misbehaves, works, and returns the exit
// code; 64 with a message on stderr if the rules are wrong. `args` come without argv[0]. After
// 120 s SIGALRM ends it, whatever the rules say.
int RunFake(const std::string& tool, const std::vector<std::string>& args,
            Outcome (*work)(const std::vector<std::string>& args, const Behaviour& behaviour));

// `$OJ_FAKE_STATE`, or empty.
std::string StateDirectory();

}  // namespace oj::fakes
