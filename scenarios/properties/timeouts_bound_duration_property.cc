// L2 (and all others): whatever the tools do, commands and handlers end at their limits, and a
// client that says how long it waits is answered in time.
#include <algorithm>

#include "generate.h"

namespace oj::sim {
namespace {

// Something came to its limit: a command, a handler, or what the client had said.
bool ALimitStruck(const Story& story) {
  const auto& events = story.trace.events();
  return std::any_of(events.begin(), events.end(), [&](const TraceEvent& event) {
    const std::string_view text = story.trace.Text(event);
    return event.kind == TraceKind::kDaemon && (text == "deadline" || text == "tool_timeout");
  });
}

Shape PatientClients() {
  Shape shape;
  shape.impatient = 0;
  shape.leave = 0;
  shape.tell_timeout = 50;
  shape.requests = {"PeekSession", "PeekSession", "SessionSend", "SessionKill", "SessionNew"};
  return shape;
}

TEST(TimeoutsBoundDuration, WithEveryFault) {
  Holds("limits hold whatever the tools do", PatientClients(), ALimitStruck, 20);
}

// Without stalls and slow sockets no answer has an excuse to be late.
TEST(TimeoutsBoundDuration, WithToolsThatMisbehaveOnly) {
  Shape shape = PatientClients();
  shape.faults = "\"process\"";
  Holds("limits hold where only the tools are slow", shape, ALimitStruck, 20);
}

}  // namespace
}  // namespace oj::sim
