// L8: every request gets one whole reply, its own, or its connection is closed.
#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "checkers/checker.h"
#include "oj/error.h"

namespace oj::sim {
namespace {

using TypeAndReply = std::pair<std::string_view, std::string_view>;
constexpr std::array<TypeAndReply, 11> kReplies = {{
    {"Ping", "Pong"},
    {"Hello", "Hello"},
    {"Status", "Status"},
    {"Shutdown", "ShuttingDown"},
    {"SessionNew", "SessionCreated"},
    {"SessionSend", "Ok"},
    {"SessionKill", "Ok"},
    {"PeekSession", "SessionPeek"},
    {"Requests", "Requests"},
    {"CancelRequest", "Ok"},
    {"Locks", "Locks"},
}};

bool IsError(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    if (Name(static_cast<ErrorCode>(code)) == name) return true;
  }
  return false;
}

// A reply that can be the answer to a request of this type.
bool Answers(std::string_view reply, std::string_view type) {
  if (IsError(reply)) return true;
  const auto known = std::find_if(kReplies.begin(), kReplies.end(),
                                  [&](const TypeAndReply& each) { return each.first == type; });
  return known == kReplies.end() || known->second == reply;
}

class WholeReplies {
 public:
  WholeReplies(const Story& story, const Facts& facts) : story_(story), facts_(facts) {
    for (const CallLife& call : story.calls) calls_[call.call] = &call;
  }

  Verdict Check() {
    const auto& events = story_.trace.events();
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (events[i].kind == TraceKind::kClientTornReply) {
        if (!CutByDeath(i) && !CutByLimit(i)) {
          Fail(i, "got a torn reply: " + std::string(story_.trace.Text(events[i])));
        }
      } else if (events[i].kind == TraceKind::kClientReceived) {
        Received(i, events[i]);
      }
    }
    if (facts_.at_rest) Unanswered();
    return std::move(verdict_);
  }

 private:
  void Fail(std::size_t event, const std::string& what) {
    const TraceEvent& at = story_.trace.events()[event];
    verdict_.violations.push_back(
        {at.at, "client " + std::to_string(at.subject) + " " + what, {event}});
  }

  // A daemon that is killed in the middle of a reply leaves the beginning of it; so does one that
  // ends, to clients who are slow.
  bool CutByDeath(std::size_t torn) const {
    const auto& events = story_.trace.events();
    if (story_.trace.Text(events[torn]) != kCutReply) return false;
    for (std::size_t i = torn; i-- > 0;) {
      if (events[i].kind == TraceKind::kDaemonDied) return true;
      const bool connected = events[i].kind == TraceKind::kClientConnected;
      if (connected && events[i].subject == events[torn].subject) return false;
    }
    return false;
  }

  // A machine that slept, or a loop that was late, for so long that a reader who takes half of the
  // limit himself may have been given up.
  bool CutByLimit(std::size_t torn) const {
    return story_.trace.Text(story_.trace.events()[torn]) == kCutReply &&
           facts_.stalled >= facts_.write_limit / 2;
  }

  void Received(std::size_t i, const TraceEvent& event) {
    const std::string reply(story_.trace.Text(event));
    // What it sent may have been anything; only the daemon knows what to answer.
    if (facts_.raw_clients.contains(event.subject)) return;
    const auto at = calls_.find(event.object);
    if (at == calls_.end()) {
      // A daemon that is full or going down may refuse before it is asked.
      if (!IsError(reply)) Fail(i, "got " + reply + " that it had not asked for");
      return;
    }
    const CallLife& call = *at->second;
    if (++answers_[call.call] > 1) Fail(i, "got a second reply: " + reply);
    if (call.client != event.subject || call.sent.event > i) {
      Fail(i, "got the reply to a call of client " + std::to_string(call.client));
    }
    if (!Answers(reply, call.type)) {
      Fail(i, "got " + reply + " in answer to " + std::string(call.type));
    }
    auto& last = last_of_[call.connection];
    if (call.sent.event < last) Fail(i, "got its replies out of order");
    last = call.sent.event;
  }

  void Unanswered() {
    for (const CallLife& call : story_.calls) {
      if (call.over()) continue;
      Fail(call.sent.event, "never got a reply to its " + std::string(call.type) +
                                ", and its connection was never closed");
    }
  }

  const Story& story_;
  const Facts& facts_;
  boost::unordered_flat_map<std::uint64_t, const CallLife*> calls_;
  boost::unordered_flat_map<std::uint64_t, int> answers_;
  boost::unordered_flat_map<std::uint64_t, std::size_t>
      last_of_;  // by connection: when the last answered was sent
  Verdict verdict_{"L8", "whole replies", {}};
};

}  // namespace

Verdict CheckWholeReplies(const Story& story, const Facts& facts) {
  return WholeReplies(story, facts).Check();
}

}  // namespace oj::sim
