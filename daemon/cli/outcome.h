// How a command of `oj` ends: a value, or a Failure with what to tell the user.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace oj::cli {

// Exit statuses; they are listed at the end of `oj --help`.
enum Exit : int {
  kExitDone = 0,
  kExitError = 1,
  kExitUsage = 2,
  kExitNotFound = 3,
  kExitBusy = 4,
  kExitTimedOut = 124,
  kExitInterrupted = 130,
};

struct Failure {
  Exit exit = kExitError;
  std::string message = {};      // one line, without "oj: "; empty: nothing is said
  std::string hint = {};         // one line with a next step, or empty
  std::string reply = {};        // the daemon's Error as received, or empty
  std::string listing = {};      // lines that go before the message: what was done all the same
  bool connection_lost = false;  // before the reply: nobody knows what came of the request
};

// A value or an error of type E. Looking at the absent one throws.
template <class T, class E = Failure>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Outcome(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  E& error() { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

}  // namespace oj::cli
