// What the texts for people are made of.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/render.h"

namespace oj::cli {

// "-" for nothing.
std::string OrDash(std::string text);

// A list of the reply, each item of it that is an object.
std::vector<const boost::json::object*> Objects(const boost::json::object& object,
                                                std::string_view name);

// Scalars as text, lists joined by commas, objects as "name=value".
std::string Joined(const boost::json::value& value);
std::string JoinedField(const boost::json::object& object, std::string_view name);

// "-" where they are absent.
std::string DurationField(const boost::json::object& object, std::string_view name);
std::string CommandField(const boost::json::object& object, std::string_view name);
// Who holds a lock, and who waits for it: requests, and "ojd" for what it does of its own accord.
std::string HolderOf(const boost::json::object& lock);
std::vector<std::string> WaitersOf(const boost::json::object& lock);
std::string WaitersField(const boost::json::object& lock);
inline constexpr std::string_view kOwnWork = "ojd";

// Since the time in the field; a wall clock that was set back makes no negative ages.
std::string AgeOf(const boost::json::object& record, std::string_view name, const View& view);

// "label:  value" lines, the values aligned.
class Facts {
 public:
  void Add(std::string label, std::string value);
  std::string Text() const;

 private:
  std::vector<std::pair<std::string, std::string>> facts_;
  std::size_t width_ = 0;
};

}  // namespace oj::cli
