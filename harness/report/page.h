// Pages: one file of HTML each, which needs no other: the data as JSON in it, drawn by its script.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "oj/error.h"

namespace oj::sim {

// The texts that the build puts into the program, by the names of their files.
extern const std::string_view k_page_html, k_page_js, k_survey_html, k_survey_js, k_style_css;

// JSON that may stand in a script element: no text in it ends the element or begins a comment.
std::string ForScript(const boost::json::object& data);

// Of one run: RunData, with "run" about it.
std::string RunPage(const boost::json::object& data);
// Of many: the JSON of explore or sweep, or of ci/mutants.
std::string SurveyPage(const boost::json::object& data);

// Error (kInvalidRequest): "path: cannot be written".
Status WriteFile(const std::string& path, std::string_view text);

}  // namespace oj::sim
