// All places in the simulated world where something may go more than one way. The rate is that of
// a choice other than 0, where the class of faults is on.
#pragma once

#include "explore/chooser.h"

namespace oj::sim::sites {

// What a decision of the workload is about: a client's how-manieth call, from 1.
constexpr std::uint32_t CallOf(std::uint64_t client, int number) {
  return static_cast<std::uint32_t>(client) << 16 | static_cast<std::uint32_t>(number);
}
constexpr std::uint32_t ClientOf(std::uint32_t call) { return call >> 16; }

inline constexpr Site kStrand{"strand", SiteClass::kSchedule, 0.3};
inline constexpr Site kTimerOrder{"timer-order", SiteClass::kSchedule, 0.5};
inline constexpr Site kTogether{"together", SiteClass::kSchedule, 0.5};
inline constexpr Site kStall{"stall", SiteClass::kClock, 0.02};

inline constexpr Site kBehaviour{"behaviour", SiteClass::kProcess, 0.25};
inline constexpr Site kParameter{"parameter", SiteClass::kProcess, 0.5};
inline constexpr Site kSlowDeath{"slow-death", SiteClass::kProcess, 0.1};
inline constexpr Site kTmuxHangs{"tmux-hangs", SiteClass::kProcess, 0.03};
inline constexpr Site kTmuxPasses{"tmux-passes", SiteClass::kProcess, 0.4};

inline constexpr Site kGitStops{"git-stops", SiteClass::kProcess, 0.02};

inline constexpr Site kBufferSize{"buffer-size", SiteClass::kTransport, 0.2};
inline constexpr Site kDelivery{"delivery", SiteClass::kTransport, 0.15};
inline constexpr Site kShortRead{"short-read", SiteClass::kTransport, 0.1};
inline constexpr Site kShortWrite{"short-write", SiteClass::kTransport, 0.1};
inline constexpr Site kReset{"reset", SiteClass::kTransport, 0.2};
inline constexpr Site kAcceptFails{"accept-fails", SiteClass::kTransport, 0.03};

// What befalls a life of the daemon, and when: a step below one of three numbers.
inline constexpr Site kStrike{"strike", SiteClass::kDaemon, 0.15};
inline constexpr Site kStrikeScale{"strike-scale", SiteClass::kDaemon, 1};
inline constexpr Site kStrikeStep{"strike-step", SiteClass::kDaemon, 1};
inline constexpr Site kLostWrites{"lost-writes", SiteClass::kDaemon, 0.5};
inline constexpr Site kJump{"jump", SiteClass::kClock, 0.08};
inline constexpr Site kJumpStep{"jump-step", SiteClass::kClock, 1};

inline constexpr Site kCommit{"commit", SiteClass::kStore, 0.1};
inline constexpr Site kDiskFull{"disk-full", SiteClass::kStore, 0.01};
inline constexpr Site kCrashAtCommit{"crash-at-commit", SiteClass::kStore, 0.01};
inline constexpr Site kCrashPoint{"crash-point", SiteClass::kStore, 0.5};

// What a rule of the scenario draws, once in a run.
inline constexpr Site kDraws{"draws", SiteClass::kWorkload, 1};
inline constexpr Site kThink{"think", SiteClass::kWorkload, 1};
// 0: none is made.
inline constexpr Site kRequest{"request", SiteClass::kWorkload, 1};
inline constexpr Site kSession{"session", SiteClass::kWorkload, 1};
inline constexpr Site kWorkspace{"workspace", SiteClass::kWorkload, 1};
inline constexpr Site kAgent{"agent", SiteClass::kWorkload, 1};
inline constexpr Site kOption{"option", SiteClass::kWorkload, 0.3};
inline constexpr Site kEdit{"edit", SiteClass::kWorkload, 0.3};
inline constexpr Site kManner{"manner", SiteClass::kWorkload, 0.3};
inline constexpr Site kPatience{"patience", SiteClass::kWorkload, 0.4};
inline constexpr Site kTimeout{"timeout", SiteClass::kWorkload, 0.4};

}  // namespace oj::sim::sites
