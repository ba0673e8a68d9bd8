// A trace as Chrome's trace events, which ui.perfetto.dev and chrome://tracing open: a process for
// each kind of lane, a thread for each lane, an X event for each bar, an instant for each mark, and
// arrows from where a cancel struck to the signals that it sent.
#pragma once

#include <string>

#include "trace/trace.h"

namespace oj::sim {

// JSON; events are in the order of their times, which are microseconds.
std::string ChromeTrace(const Trace& trace);

}  // namespace oj::sim
