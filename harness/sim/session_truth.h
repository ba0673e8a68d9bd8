// L5 for sessions and agents: what replies and records say, held against the history of tmux.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "oj/store.h"
#include "sim/sim_tmux.h"

namespace oj::sim {

struct AskedOfTmux {
  std::string_view type;      // of the request
  std::string session;        // that it names, or empty
  std::uint64_t version = 0;  // of tmux when it was sent
};

// What a reply says was done, or seen, and was not at any moment since the request was sent; or
// empty.
std::string UntrueOfSessions(const SimTmux& tmux, const boost::json::object& reply,
                             const AskedOfTmux& asked);

// At rest, where tmux answers: what the records say otherwise than it does.
std::vector<std::string> UntrueRecords(const SimTmux& tmux, const StateSnapshot& durable);

// The session that a request names by "id" or "session_id"; or empty.
std::string SessionNamedIn(std::string_view request);

}  // namespace oj::sim
