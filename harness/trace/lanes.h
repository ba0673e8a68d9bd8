// The lanes of a timeline: what a trace says, sorted by who it is about. Drawing is timeline.cc's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trace/trace.h"

namespace oj::sim {

inline constexpr std::size_t kNoEvent = static_cast<std::size_t>(-1);

// Events are indexes into the trace.
struct Bar {
  Instant from;
  Instant to;
  char fill = '=';  // '.' waits, '~' unwinds, '%' in quarantine, '#' a fault
  std::size_t begin = kNoEvent;
  std::size_t end = kNoEvent;  // none: still open when the trace ends
};
struct Mark {
  Instant at;
  char sign = '|';
  std::string note;  // written behind it where there is room
  std::size_t event = kNoEvent;
};
enum class LaneKind { kFault, kClient, kRequest, kLease, kProcess, kDaemon };
struct Lane {
  LaneKind kind = LaneKind::kClient;
  std::string label;
  Instant began;
  std::uint64_t request = 0;  // that it is or belongs to, if one is known: see kRequestsOfALife
  std::vector<Bar> bars;
  std::vector<Mark> marks;
};

// Each daemon counts its requests from 1: a lane's request is its id, and this for every daemon
// that died before. A page's script reckons in the same way.
inline constexpr std::uint64_t kRequestsOfALife = std::uint64_t{1} << 32;

// Ordered by kind, then by when they began. Bars of one lane do not overlap: calls that a client
// has in flight beside others have lanes of their own, behind its first. What is still open ends
// with the trace, with a '>'.
std::vector<Lane> LanesOf(const Trace& trace);

}  // namespace oj::sim
