// The same scenario, faster or slower.
#pragma once

#include <span>
#include <utility>

#include "core/config.h"
#include "scenario/scenario.h"

namespace oj::sim {

// Every duration of the scenario multiplied: of clients and the `timeout_ms` of their requests, of
// hangs, of delays but those that only the fakes know, and of the configuration, also where it is
// the default; to a day at most, as the fakes have it. What the daemon has as constants stays as it
// is.
Scenario Scaled(const Scenario& scenario, double scale);

// The durations of a daemon's configuration, by their keys.
std::span<const std::pair<const char*, Duration Config::*>> ConfigDurations();

}  // namespace oj::sim
