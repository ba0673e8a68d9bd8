#include "report/page.h"

#include <boost/json.hpp>
#include <fstream>

#include "core/protocol.h"

namespace oj::sim {
namespace {

// Each place of the template is there once.
void Fill(std::string& page, std::string_view place, std::string_view text) {
  const std::size_t at = page.find(place);
  if (at != std::string::npos) page.replace(at, place.size(), text);
}

// The data last: what it says is not a place.
std::string Page(std::string_view html, std::string_view script, const boost::json::object& data) {
  std::string page(html);
  Fill(page, "/*{style}*/", k_style_css);
  Fill(page, "/*{script}*/", script);
  Fill(page, "/*{data}*/", ForScript(data));
  return page;
}

// A script's numbers are exact up to 2^53, and a seed may be greater.
boost::json::object WithSeedsAsText(boost::json::object data) {
  const auto as_text = [](boost::json::value& seed) {
    if (seed.is_number()) seed = boost::json::serialize(seed);
  };
  if (boost::json::value* seed = data.if_contains("seed")) as_text(*seed);
  boost::json::value* first = data.if_contains("first_seeds");
  if (first == nullptr || !first->is_object()) return data;
  for (auto& each : first->get_object()) as_text(each.value());
  return data;
}

}  // namespace

std::string ForScript(const boost::json::object& data) {
  std::string text;
  for (const char c : ToUtf8(boost::json::serialize(data))) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

std::string RunPage(const boost::json::object& data) { return Page(k_page_html, k_page_js, data); }

std::string SurveyPage(const boost::json::object& data) {
  return Page(k_survey_html, k_survey_js, WithSeedsAsText(data));
}

Status WriteFile(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (out.close(); !out) {
    return Error{ErrorCode::kInvalidRequest, path + ": cannot be written", ""};
  }
  return Ok{};
}

}  // namespace oj::sim
