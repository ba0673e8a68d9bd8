// Expected outcomes are values: Result<T> holds a T or an Error with a code of the wire protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace oj {

// The codes of `Error{code}` on the wire, in the order of the protocol's table.
enum class ErrorCode : std::uint8_t {
  kInvalidRequest,
  kTooLarge,
  kUnauthenticated,
  kNotFound,
  kAmbiguous,
  kConflict,
  kBusy,
  kDeadlineExceeded,
  kCancelled,
  kToolFailed,
  kToolTimeout,
  kToolMissing,
  kUnknownOutcome,
  kUnavailable,
  kInternal,
};

// The code's spelling on the wire, such as "deadline_exceeded".
std::string_view Name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one line for a person: the object, the tool, the limit
  std::string detail;   // a JSON object as text, or empty
};

// A value or an Error. Looking at the absent one is a programmer's error (std::get throws).
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
using Status = Result<Ok>;

inline std::string_view Name(ErrorCode code) {
  constexpr std::string_view kNames[] = {
      "invalid_request", "too_large",    "unauthenticated",   "not_found",   "ambiguous",
      "conflict",        "busy",         "deadline_exceeded", "cancelled",   "tool_failed",
      "tool_timeout",    "tool_missing", "unknown_outcome",   "unavailable", "internal",
  };
  return kNames[static_cast<std::size_t>(code)];
}

}  // namespace oj
