// What the page of a run draws: lanes, events and laws, as JSON. Times are whole nanoseconds since
// the run's begin; events are named by their index in the trace.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "checkers/checker.h"
#include "trace/trace.h"

namespace oj::sim {

// {"kinds": [{"name", "subject", "object", "value", "text"}], what an event's numbers are called;
//  "events": [[at, kind, subject, object, value, text]],
//  "lanes": [{"kind", "label", "request", "bars": [[from, to, fill, begin, end or -1]],
//             "marks": [[at, sign, event or -1, note]]}],
//  "laws": [{"law", "title", "violations": [{"at", "message", "events": [index]}]}]}
boost::json::object RunData(const Trace& trace, const std::vector<Verdict>& verdicts);

}  // namespace oj::sim
