// Timeline: a trace as text: a lane for each fault, client, request, lease and process.
#pragma once

#include <string>
#include <string_view>

#include "trace/trace.h"

namespace oj::sim {

// At most `width` columns (60 at the least), ASCII; with `color`, escapes of a terminal as well.
// A legend ends it. An empty trace gives one line that says so.
std::string RenderTimeline(const Trace& trace, int width, bool color);

// "process started"; of the daemon's own events: "request begun".
std::string_view NameOf(TraceKind kind, EventKind daemon);

// One line for each event: milliseconds since the first, what, and its numbers and text.
std::string RenderEvents(const Trace& trace);

}  // namespace oj::sim
