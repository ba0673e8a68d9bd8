// Shards: an exploration spread over processes of this machine. The runs, and so the digest, are
// the same for any number of them.
#pragma once

#include "explore/explore.h"

namespace oj::sim {

// `jobs` child processes at a time. Throws std::runtime_error if one of them fails.
ExploreReport ExploreInShards(const Scenario& scenario, const ExploreOptions& options,
                              unsigned jobs);

}  // namespace oj::sim
