// Checkers: the laws of cancellation, judged on what happened in a run: a trace, and facts that a
// trace does not tell. Nothing here believes what the daemon says of itself where processes and
// clients can be asked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkers/story.h"
#include "oj/deadline.h"
#include "trace/trace.h"

namespace oj::sim {

// What is known of a client's call besides the trace.
struct CallFacts {
  std::string session;       // that it names, or empty
  Duration timeout{};        // timeout_ms; zero: not sent
  std::string request_id{};  // or empty
  std::string made{};        // what the name of the session that it makes begins with, or empty
};

struct Facts {
  // The daemon's limits, scaled as the run was.
  Duration kill_grace = std::chrono::milliseconds(500);
  Duration tmux_limit = std::chrono::seconds(10);
  Duration git_limit = std::chrono::seconds(60);
  Duration handler_limit = std::chrono::seconds(120);
  Duration write_limit = std::chrono::seconds(5);
  // Added to every bound: what the laws allow, what was injected, how far things were away.
  Duration slack = std::chrono::milliseconds(50);
  Duration stalled{};    // injected into the daemon's loop, store and tools in all
  Duration latency{};    // at most, from a client's act until the daemon can see it
  Duration spawn{};      // at most, from the spawn gate until the daemon knows of the process
  Duration shielded{};   // what a request does whole, cancelled or not: commits to the store
  bool forgets = false;  // what was done, since the store may have failed
  bool half_close_cancels = true;
  std::size_t max_children = 256;
  std::size_t max_requests = 512;  // in flight

  std::map<std::uint64_t, CallFacts> calls;  // by call; those not in here are not known
  std::set<std::uint64_t> raw_clients;       // who send bytes of their own making
  bool has_clients = true;
  // The world had come to rest when the trace ended: what is still open then is a leak.
  bool at_rest = true;
  // What was left at the end, above what there was at the start: "zombies", 2.
  std::vector<std::pair<std::string, std::int64_t>> left;
  // Processes that may have answered otherwise than their tool does, ascending; absent: not known.
  std::optional<std::vector<std::uint64_t>> misanswered;
  // Steps of clients that ended otherwise than the scenario expects.
  std::vector<std::string> unexpected;

  // For what must happen soon after a cause.
  Duration Soon() const { return slack + stalled + latency; }
  // For what a unit has begun and sees through, though its clients have gone.
  Duration LongestUnit() const;
};

struct Violation {
  Instant at;
  std::string message;
  std::vector<std::size_t> events;  // indexes into the trace
};

struct Verdict {
  std::string law;    // "L1"; "expect" and "vacuity" are none of the numbered ones
  std::string title;  // a word or two
  std::vector<Violation> violations;
  bool pass() const { return violations.empty(); }
};

Verdict CheckDisconnect(const Story& story, const Facts& facts);    // L1
Verdict CheckBounded(const Story& story, const Facts& facts);       // L2
Verdict CheckNoOverlap(const Story& story, const Facts& facts);     // L3
Verdict CheckNoLeak(const Story& story, const Facts& facts);        // L4
Verdict CheckWholeReplies(const Story& story, const Facts& facts);  // L8
Verdict CheckProgress(const Story& story, const Facts& facts);      // L9, as far as a trace tells
Verdict CheckLimits(const Story& story, const Facts& facts);        // L10
Verdict CheckExpected(const Story& story, const Facts& facts);
Verdict CheckVacuity(const Story& story, const Facts& facts);

// Whether requests of that type have units.
bool HasUnits(std::string_view type);

// All of them, in the order of their numbers.
std::vector<Verdict> Judge(const Trace& trace, const Facts& facts);
bool AllPass(const std::vector<Verdict>& verdicts);
// The first that failed; null if none.
const Verdict* FirstFailure(const std::vector<Verdict>& verdicts);

// "12.345 ms".
std::string ShowTime(Instant at);
std::string ShowTime(Duration time);

}  // namespace oj::sim
