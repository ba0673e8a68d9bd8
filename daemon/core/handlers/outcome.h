// Outcome: what came of each unit of a request that has several. The flight can tell it at any
// time, so that a request that is cancelled says what is done and what remains.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/flight.h"
#include "core/protocol.h"

namespace oj {

class Outcome {
 public:
  // `list` is the reply's member for what is done; `others` are further members.
  Outcome(Flight& flight, std::string_view list, boost::json::object others)
      : flight_(flight), list_(list), state_(std::make_shared<State>()) {
    state_->members = std::move(others);
    state_->members[list] = boost::json::array();
    state_->members["failed"] = boost::json::array();
    flight.outcome = [state = state_] { return boost::json::serialize(Members(*state)); };
  }

  // Another unit to come.
  void Expect(const std::string& id) {
    state_->remaining.insert(id);
    flight_.Expect(state_->remaining.size());
  }
  void Begun(const std::string& id) { flight_.Start(id); }
  void Done(const std::string& id, boost::json::value what) {
    state_->members[list_].as_array().push_back(std::move(what));
    End(id);
  }
  void Failed(const std::string& id, const Error& error) {
    if (!failure_) failure_ = error;
    state_->members["failed"].as_array().push_back(
        {{"id", id}, {"code", Name(error.code)}, {"message", ToUtf8(error.message)}});
    End(id);
  }

  const std::optional<Error>& failure() const { return failure_; }  // the first
  std::string Reply(std::string_view type) const {
    boost::json::object reply = Members(*state_);
    reply["type"] = type;
    return boost::json::serialize(reply);
  }

 private:
  struct State {
    boost::json::object members;
    std::set<std::string> remaining;
  };
  static boost::json::object Members(const State& state) {
    boost::json::object members = state.members;
    boost::json::array remaining;
    for (const std::string& id : state.remaining) remaining.emplace_back(id);
    members["remaining"] = std::move(remaining);
    return members;
  }
  void End(const std::string& id) {
    state_->remaining.erase(id);
    flight_.Advance(id);
  }

  Flight& flight_;
  const std::string_view list_;
  const std::shared_ptr<State> state_;
  std::optional<Error> failure_;
};

}  // namespace oj
