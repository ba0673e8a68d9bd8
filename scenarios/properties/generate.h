// Scenarios for the properties: drawn by rapidcheck, as the text of a scenario file, so that what
// fails can be saved and run by oj-harness.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkers/checker.h"
#include "checkers/story.h"

namespace oj::sim {

// What the drawn scenarios are rich in.
struct Shape {
  int clients = 4;                    // at most
  int calls = 4;                      // of a client, at most
  int sessions = 2;                   // at most
  int impatient = 50;                 // per cent of the calls that are given up
  int leave = 20;                     // per cent of the calls whose client leaves meanwhile
  int tell_timeout = 30;              // per cent of the calls with timeout_ms
  bool retries = false;               // what was given up is asked for again, at once
  std::vector<std::string> requests;  // that are drawn
  std::string faults = "\"process\", \"transport\", \"clock\"";
};

// Draws; only within a property.
std::string DrawScenario(const Shape& shape);

// Whether a run was about what the property is about.
using StoryProbe = std::function<bool(const Story&)>;
// A request was cancelled while a process of it lived.
bool CancelMetProcess(const Story& story);

// Checks that every drawn scenario keeps all laws from each of some seeds, and that the probe was
// true in at least `percent` of all runs.
void Holds(const std::string& name, const Shape& shape, const StoryProbe& probe, int percent);

}  // namespace oj::sim
