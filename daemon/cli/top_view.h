// What `oj top` shows: one look at the daemon, and its picture.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "cli/render.h"

namespace oj::cli {

struct TopLook {
  // Replies of the daemon; empty before the first.
  boost::json::object status = {};
  boost::json::object requests = {};
  boost::json::object locks = {};
  std::string trouble = {};  // why there is no newer answer, or empty
  Duration silent{};         // since the last answer, or since the first question
  Duration every{};          // between two looks
  bool paused = false;
  bool keys = false;  // are read
};

// Lines of at most view.columns columns (0: as long as need be); at most `rows` of them (0: all).
// `skip`: so many requests are left out at the beginning; lowered to those that were.
std::vector<std::string> TopLines(const TopLook& look, const View& view, int rows,
                                  std::size_t* skip = nullptr);

// The same for a program, on one line.
std::string TopJson(const TopLook& look);

}  // namespace oj::cli
