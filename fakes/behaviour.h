// How a fake tool misbehaves: shared by all fakes. Stand-alone: nothing of the daemon is linked.
//
// Environment: OJ_FAKE_RULES (a TOML file of [[rule]] tables, read afresh at each start: whoever
// changes it while things run replaces it by rename), OJ_FAKE_STATE (a directory: the tool's world
// and the counters of calls; as long as it has a file "hung.<tool>", no call of that tool gets to
// its work: its server hangs, and its clients ignore TERM if the file says "ignore_term", as those
// of tmux exit 0 on it else), OJ_FAKE_JOURNAL (journal.h), OJ_LEASE (written to the journal).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace oj::fakes {

// The keys of a [[rule]] table, beside those that say which calls it is for (rules.h). Order of
// what is done: grandchild, forks, then lock_file, delay, hang, flood, signal or exit, then the
// work and its output. With `after` the work and its output come first; with `at_ms` or `at_path`
// the real tool is at work already, and is stopped (SIGSTOP) meanwhile: it may have got a
// millisecond further. `signal` and `exit` then put an end to it there.
struct Behaviour {
  std::chrono::milliseconds delay{};       // delay_ms
  std::chrono::milliseconds delay_to{};    // delay_to_ms: uniform from delay_ms to this
  std::chrono::milliseconds delay_mean{};  // delay_mean_ms: exponential, at most ten times that
  bool hang = false;                       // till it is killed, or released
  std::string release;                     // delay and hang end once this file exists
  bool ignore_term = false;                // the real tool too
  bool exit_zero_on_term = false;          // as a tmux client does; the real tool is killed
  std::optional<int> exit;                 // without doing its work, but for `after`
  std::optional<int> signal;               // dies of it, without doing its work, but for `after`
  bool after = false;                      // all of this when its work is done
  std::optional<std::chrono::milliseconds>
      at;                          // at_ms: all of this when the real tool has run so long
  std::string at_path;             // or when this path has appeared
  std::optional<std::string> out;  // in place of its own output
  std::optional<std::string> err;
  bool cut = false;           // of each output only the first half, and no newline at its end
  bool non_utf8 = false;      // each output begins with bytes that are no UTF-8
  long long drip = 0;         // bytes_per_s: writes its output so slowly; 0: at once
  long long flood_bytes = 0;  // writes so many bytes first
  bool grandchild = false;    // leaves a child that holds stdout and stderr for 120 s
  bool setsid = false;        // that child leaves session and group
  int forks = 0;              // leaves so many such children, at most 16, all in its group
  std::string lock_file;      // makes this file and leaves it behind
  // late_ms: killed before its work, it does it all the same, so long after its start at the
  // earliest. A tmux server does it when it next serves somebody after that, the client being dead
  // and its hang released; of a tool without a server, a process that has left the session does.
  std::optional<std::chrono::milliseconds> late;
  // The work is that of the real tool: of the next one of this name on PATH. fake_git always does
  // so: a git of our own would be a second model of git, beside that of the simulation, and what
  // it gets wrong would be tested. The tmux here is a model, since a real one has a server that
  // outlives the test; it is held against the real one by tests/fakes.
  bool wrap = false;
  // tmux: what its server is doing after its last session has gone: "serves" this client first, or
  // "exits" with its connection not taken. Empty: it has exited.
  std::string passing;

  bool InTheMiddle() const { return at.has_value() || !at_path.empty(); }
  bool ShapesOutput() const { return out || err || cut || non_utf8 || drip > 0; }
};

// What the tool does and says when it is left alone.
struct Outcome {
  int exit = 0;
  std::string out;
  std::string err;
  int signal = 0;  // it died of it
};

using Args = std::vector<std::string>;

struct Tool {
  std::string name;
  // Nothing: the real tool does the work.
  Outcome (*work)(const Args& args, const Behaviour& behaviour) = nullptr;
  // For a tool with a server, which is told at once what it may have to do later (Behaviour::late).
  void (*promise)(const Args& args, const Behaviour& behaviour) = nullptr;
};

inline constexpr int kBadRules = 125;

// The body of every fake: finds its behaviour, journals, misbehaves, works, and returns the exit
// code, or dies as its tool did; kBadRules with a message on stderr if the rules are wrong. `args`
// come without argv[0]. After 120 s SIGALRM ends it, whatever the rules say.
int RunFake(const Tool& tool, const Args& args);

}  // namespace oj::fakes
