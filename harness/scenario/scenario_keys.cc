#include "scenario/scenario_keys.h"

#include <algorithm>

namespace oj::sim {
namespace {

constexpr ScenarioTable kTables[] = {
    {"", "The file", "What it is about."},
    {"session", "[[session]]", "A tmux session that exists at the start."},
    {"repo", "[[repo]]", "A git repository with one commit, on branch main."},
    {"workspace", "[[workspace]]",
     "A workspace that exists: its worktree, its branch oj/ID and its record."},
    {"agent", "[[agent]]", "An agent with a session of its name."},
    {"tool", "[[tool]]",
     "How calls of a tool behave; the first rule that matches a call counts. What is not said: it "
     "answers at once, as the real tool would."},
    {"hang", "[[hang]]",
     "The tool answers nobody for a while. In the world real, its server is stopped by SIGSTOP."},
    {"strike", "[[strike]]", "What befalls the daemon or its machine; for the world sim only."},
    {"client", "[[client]]", "A client and what it does, one step after the other."},
    {"step", "Steps of a client",
     "Each is a table with one of call, send, receive, sleep_ms, until_ms, half_close, close, "
     "raw."},
    {"mix", "[mix]",
     "A workload that is drawn, in place of clients or beside them; for the world sim only."},
};

constexpr ScenarioKey kKeys[] = {
    {"", "about", "string", "\"\"", "", "One line: what happens.", "\"x\""},
    {"", "failure", "string or list of strings", "none", "",
     "Rows of scenarios/README.md that it shows.", "\"T1\""},
    {"", "worlds", "list of strings", "[\"sim\"]", "",
     "Where it can run: sim (simulation), fakes (the real daemon, fake tools), real (the real "
     "daemon and the real tmux and git).",
     "[\"sim\"]"},
    {"", "config", "table", "none", "", "Settings of the daemon, with the keys of ojd(8).", "{}"},
    {"", "gone", "string or list of strings", "none", "sim",
     "Texts that no line of the state at the end of an undisturbed run may hold.", "\"x\""},

    {"session", "id", "string", "required", "", "Its name.", "\"work\""},
    {"session", "screen", "string", "\"\"", "", "What its screen shows.", "\"hello\""},

    {"repo", "path", "string", "required", "", "Where it is, below /repos/ and not out of it.",
     "\"/repos/a\""},
    {"repo", "files", "integer", "2", "", "How many files its commit has: f1, f2, ...", "3"},

    {"workspace", "id", "string", "required", "", "Its id.", "\"w\""},
    {"workspace", "repo", "string", "required", "", "The path of its [[repo]].", "\"/repos/a\""},
    {"workspace", "state", "string or list of strings", "none", "",
     "What else there is: untracked, changed or ignored files; committed (a commit on no other "
     "branch); same-commit (its branch is at the commit of the workspace before); detached, "
     "locked, merging, no-directory, no-record.",
     "\"changed\""},
    {"workspace", "age_hours", "integer", "24", "", "How long ago it was made.", "3"},

    {"agent", "id", "string", "required", "", "Its id, and that of its session.", "\"a\""},
    {"agent", "workspace", "string", "none", "", "The id of its [[workspace]].", "\"w\""},
    {"agent", "runs", "boolean", "true", "", "false: its program has ended.", "false"},

    {"tool", "tool", "string", "required", "sim, fakes", "tmux or git.", "\"tmux\""},
    {"tool", "match", "string", "\"\"", "sim, fakes",
     "Only calls whose arguments, joined by blanks, hold this.", "\"capture\""},
    {"tool", "nth", "integer", "0", "sim, fakes", "Only the n-th matching call; 0: every one.",
     "1"},
    {"tool", "probability", "number", "1", "sim, fakes", "Of the calls that are left.", "0.5"},
    {"tool", "seed", "integer", "0", "sim, fakes", "From which probability and delays are drawn.",
     "7"},
    {"tool", "delay_ms", "milliseconds", "0", "sim, fakes", "Before it answers.", "5"},
    {"tool", "delay_to_ms", "milliseconds", "0", "sim, fakes",
     "The delay is drawn, evenly from delay_ms to this.", "9"},
    {"tool", "delay_mean_ms", "milliseconds", "0", "sim, fakes",
     "The delay is drawn, exponentially with this mean, at most ten times that.", "9"},
    {"tool", "hang", "boolean", "false", "sim, fakes", "It never answers.", "true"},
    {"tool", "release", "string", "none", "fakes", "Delay and hang end when this file exists.",
     "\"/tmp/x\""},
    {"tool", "ignore_term", "boolean", "false", "sim, fakes", "SIGTERM does not end it.", "true"},
    {"tool", "exit_zero_on_term", "boolean", "false", "sim, fakes",
     "SIGTERM ends it with 0, as it does a tmux client.", "true"},
    {"tool", "exit", "integer", "none", "sim, fakes",
     "It exits with this code, without doing its work.", "1"},
    {"tool", "signal", "integer", "none", "sim, fakes",
     "It dies of this signal, without doing its work.", "9"},
    {"tool", "after", "boolean", "false", "sim, fakes", "All of this when its work is done.",
     "true"},
    {"tool", "at_ms", "milliseconds", "none", "sim, fakes",
     "All of this when the real tool has run so long; git only.", "5"},
    {"tool", "at_path", "string", "none", "sim, fakes",
     "All of this when this path, below /repos or /state, has appeared; git only.",
     "\"/repos/main/.git/index.lock\""},
    {"tool", "out", "string", "none", "sim, fakes", "In place of its standard output.", "\"x\""},
    {"tool", "err", "string", "none", "sim, fakes", "In place of its standard error.", "\"x\""},
    {"tool", "cut", "boolean", "false", "sim, fakes",
     "Of each output only the first half, without a newline at its end.", "true"},
    {"tool", "non_utf8", "boolean", "false", "sim, fakes",
     "Each output begins with bytes that are no UTF-8.", "true"},
    {"tool", "bytes_per_s", "integer", "none", "sim, fakes", "It writes its output so slowly.",
     "9"},
    {"tool", "flood_bytes", "integer", "0", "sim, fakes", "It writes so many bytes first.", "9"},
    {"tool", "grandchild", "boolean", "false", "sim, fakes",
     "It leaves a process behind that holds its output.", "true"},
    {"tool", "setsid", "boolean", "false", "sim, fakes",
     "That process leaves the session and the group.", "true"},
    {"tool", "forks", "integer", "0", "sim, fakes",
     "It leaves so many such processes, at most 16, in its group.", "2"},
    {"tool", "late_ms", "milliseconds", "none", "sim, fakes",
     "Killed before its work, it does it all the same, so long after its start.", "5"},
    {"tool", "lock_file", "string", "none", "sim, fakes",
     "It makes this file, below /repos or /state, and leaves it behind.",
     "\"/repos/main/.git/index.lock\""},
    {"tool", "wrap", "boolean", "false", "fakes", "The work is that of the real tool.", "true"},
    {"tool", "passing", "string", "none", "sim, fakes",
     "What a tmux server is doing whose last session has gone: serves (this client first) or exits "
     "(its connection is not taken).",
     "\"serves\""},

    {"hang", "tool", "string", "required", "", "tmux or git; in the world real, tmux.", "\"tmux\""},
    {"hang", "from_ms", "milliseconds", "0", "", "When it begins, from the start of the run.", "0"},
    {"hang", "until_ms", "milliseconds", "never", "", "When it ends.", "5"},
    {"hang", "ignore_term", "boolean", "false", "sim, fakes",
     "Calls that hang are not ended by SIGTERM.", "true"},

    {"strike", "what", "string", "required", "sim",
     "kill (SIGKILL; a daemon starts again), power (everything stops; likewise), term (SIGTERM; "
     "likewise), two-terms (with a second one at once), suspend (the machine sleeps), wall (its "
     "wall clock is set).",
     "\"kill\""},
    {"strike", "at_ms", "milliseconds", "0", "sim", "When, from the start of the run.", "5"},
    {"strike", "by_ms", "milliseconds", "required with suspend and wall", "sim",
     "For how long, or how far; with wall below 0: back.", "9"},

    {"client", "name", "string", "required", "", "Its name, in verdicts.", "\"alice\""},
    {"client", "start_ms", "milliseconds", "0", "", "When it begins.", "5"},
    {"client", "copies", "integer", "1", "", "So many clients that do the same.", "2"},
    {"client", "every_ms", "milliseconds", "0", "",
     "Each copy begins so long after the one before.", "5"},
    {"client", "steps", "list of tables", "required", "", "What it does.", "[{close = true}]"},

    {"step", "call", "table", "none", "",
     "A request, with its type and its fields as the daemon takes them; waits for the reply. "
     "`oj-harness record` writes down those that oj sends.",
     "{type = \"Ping\"}"},
    {"step", "send", "table", "none", "", "A request, without waiting.", "{type = \"Ping\"}"},
    {"step", "receive", "boolean", "none", "", "true: waits for one reply.", "true"},
    {"step", "sleep_ms", "milliseconds", "none", "", "Does nothing for so long.", "5"},
    {"step", "until_ms", "milliseconds", "none", "",
     "Does nothing until so long after the start of the run.", "5"},
    {"step", "half_close", "boolean", "none", "", "true: closes its sending side.", "true"},
    {"step", "close", "boolean", "none", "", "true: closes the connection.", "true"},
    {"step", "raw", "string", "none", "", "Sends these bytes as they are.", "\"x\""},
    {"step", "give_up_ms", "milliseconds", "never", "",
     "With call and receive: closes when no reply has come so long after the request.", "5"},
    {"step", "expect", "string or list of strings", "anything", "",
     "With call and receive: how it may come out: types of replies, codes of errors, gave_up, "
     "closed.",
     "\"Pong\""},
    {"step", "times", "integer", "1", "", "So often, one after the other.", "2"},

    {"mix", "clients", "integer", "required", "sim", "How many.", "2"},
    {"mix", "calls", "integer", "required", "sim", "Of each of them.", "2"},
    {"mix", "sessions", "integer", "0", "sim", "That exist at the start.", "2"},
    {"mix", "faults", "string or list of strings", "none", "sim",
     "Classes of faults that are drawn: process, transport, store, clock, daemon, all.", "\"all\""},
    {"mix", "requests", "table", "all, alike", "sim", "Types of requests, each with its weight.",
     "{Ping = 1}"},
};

}  // namespace

std::span<const ScenarioKey> ScenarioKeys() { return kKeys; }
std::span<const ScenarioTable> ScenarioTables() { return kTables; }

bool IsScenarioKey(std::string_view table, std::string_view key) {
  // Each of these tables may come more than once.
  if (table.empty() && key != "step") {
    const bool names = std::any_of(std::begin(kTables), std::end(kTables),
                                   [key](const ScenarioTable& each) { return each.table == key; });
    if (names && !key.empty()) return true;
  }
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&](const ScenarioKey& each) {
    return each.table == table && each.key == key;
  });
}

std::string UnknownKey(std::string_view table) {
  std::string text = "unknown key; ";
  for (const ScenarioTable& each : kTables) {
    if (each.table == table) text += table.empty() ? "a scenario" : std::string(each.title);
  }
  const char* before = " has ";
  const auto add = [&](std::string_view name) {
    text.append(before).append(name);
    before = ", ";
  };
  for (const ScenarioKey& each : kKeys) {
    if (each.table == table) add(each.key);
  }
  for (const ScenarioTable& each : kTables) {
    if (table.empty() && each.title.front() == '[') add(each.title);
  }
  return text;
}

}  // namespace oj::sim
