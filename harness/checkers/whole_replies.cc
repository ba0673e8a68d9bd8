// L8: every request gets one whole reply, its own, or its connection is closed; what is asked twice
// under one name is done once.
#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <utility>
#include <vector>

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
  const auto known = std::find_if(kReplies.begin(), kReplies.end(),
                                  [&](const TypeAndReply& each) { return each.first == type; });
  return known == kReplies.end() || known->second == reply || IsError(reply);
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
    for (const RequestLife& request : story_.requests) NotItsOwn(request);
    DoneTwice();
    if (!facts_.half_close_cancels) {
      for (const CallLife& call : story_.calls) HalfClosed(call);
    }
    return std::move(verdict_);
  }

 private:
  void Fail(std::size_t event, const std::string& what) {
    const TraceEvent& at = story_.trace.events()[event];
    verdict_.violations.push_back(
        {at.at, "client " + std::to_string(at.subject) + " " + what, {event}});
  }

  static bool Ends(const TraceEvent& event) {
    return event.kind == TraceKind::kDaemon && event.daemon == EventKind::kDraining;
  }
  // A daemon that is killed in the middle of a reply leaves the beginning of it; so does one that
  // ends, to clients who are slow.
  bool CutByDeath(std::size_t torn) const {
    const auto& events = story_.trace.events();
    if (story_.trace.Text(events[torn]) != kCutReply) return false;
    // It has been told to before it says so.
    const Instant told = events[torn].at + facts_.stalled;
    for (std::size_t i = torn; i < events.size() && events[i].at <= told; ++i) {
      if (Ends(events[i])) return true;
    }
    for (std::size_t i = torn; i-- > 0;) {
      if (Ends(events[i]) || events[i].kind == TraceKind::kDaemonDied) return true;
      const bool of_client = events[i].subject == events[torn].subject;
      const bool connected = events[i].kind == TraceKind::kClientConnected;
      if (connected && of_client) return false;
    }
    return false;
  }

  // Whoever reads nothing for as long as a reply may take has a part of it: one who goes on sending
  // instead. A machine that slept, or a loop that was late, may have taken half of that time.
  bool CutByLimit(std::size_t torn) const {
    const TraceEvent& event = story_.trace.events()[torn];
    if (story_.trace.Text(event) != kCutReply) return false;
    if (facts_.stalled >= facts_.write_limit / 2) return true;
    const auto connection = static_cast<std::uint64_t>(event.value);
    const auto call =
        std::find_if(story_.calls.begin(), story_.calls.end(), [&](const CallLife& each) {
          return each.connection == connection && each.sent.event < torn && !each.answered;
        });
    return call != story_.calls.end() && event.at - call->sent.at >= facts_.write_limit;
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

  // Who has closed its sending side, and may, gets what it has asked for before.
  void HalfClosed(const CallLife& call) {
    const bool over = call.answered || call.gave_up || call.left;
    if (!call.half_left || !call.dropped || over || facts_.forgets) return;
    if (call.dropped->at - call.sent.at >= facts_.write_limit) return;
    const auto& events = story_.trace.events();
    const bool ends = std::any_of(
        events.begin(), events.begin() + static_cast<std::ptrdiff_t>(call.dropped->event),
        [](const TraceEvent& each) {
          return each.kind == TraceKind::kDaemon && each.daemon == EventKind::kDraining;
        });
    if (ends) return;
    Fail(call.dropped->event, "got no reply to its " + std::string(call.type) +
                                  ", which it had sent before it closed its sending side");
  }

  // What the daemon is asked for, and what it does for that, must be about one session.
  void NotItsOwn(const RequestLife& request) {
    for (const RequestLife::Waiter& waiter : request.waiters) {
      const CallLife* call = story_.CallOf(waiter);
      if (call == nullptr || call->queued) continue;
      const auto known = facts_.calls.find(call->call);
      if (known == facts_.calls.end() || known->second.session.empty()) continue;
      for (const std::size_t index : request.processes) {
        const ProcessLife& process = story_.processes[index];
        if (process.session.empty() || process.session == known->second.session) continue;
        return Fail(call->sent.event, "asked about " + known->second.session +
                                          " and was answered from " + std::string(process.session));
      }
    }
  }

  // What is asked for under one name: the second is not to begin what the first has done, or is
  // doing.
  void DoneTwice() {
    if (facts_.forgets) return;
    std::map<std::string_view, const RequestLife*> done;
    for (const RequestLife& request : story_.requests) {
      const CallLife* call = story_.CallOf(request.waiters.front());
      const auto known = call == nullptr ? facts_.calls.end() : facts_.calls.find(call->call);
      if (known == facts_.calls.end() || known->second.request_id.empty()) continue;
      const auto [at, first] = done.emplace(known->second.request_id, &request);
      if (!first && !MayBeRepeated(*at->second, request.began)) {
        Fail(call->sent.event, "had " + known->second.request_id + " done twice");
      }
      at->second = &request;
    }
  }
  // It was cancelled before, or it came to no end that would be remembered.
  bool MayBeRepeated(const RequestLife& request, Moment then) const {
    if (request.latched && request.latched->event < then.event) return true;
    if (!request.ended || request.ended->event > then.event) return false;
    return story_.trace.Text(story_.trace.events()[request.ended->event]) != request.type;
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
