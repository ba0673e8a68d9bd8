#include "core/redactor.h"

#include <boost/json.hpp>

#include "core/protocol.h"

namespace oj {
namespace {

namespace json = boost::json;

constexpr std::string_view kSeparators = " \t\r\n/:=,;~'\"()[]{}";

bool StaysIn(std::string_view name) { return name == "type" || name == "status" || name == "code"; }

void RedactValue(json::value& value, const Redactor& redactor) {
  if (value.is_string()) {
    value = redactor.Words(value.get_string());
  } else if (value.is_array()) {
    for (json::value& each : value.get_array()) RedactValue(each, redactor);
  } else if (value.is_object()) {
    for (auto& member : value.get_object()) {
      if (!StaysIn(member.key())) RedactValue(member.value(), redactor);
    }
  }
}

// The next word of a command line, taken off it.
std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

}  // namespace

// A valid id, so that what named something still does.
std::string Redactor::Token(std::string_view word) const {
  const std::uint64_t hash = StableHash(word, key_);
  std::string token = "x";
  for (int shift = 60; shift >= 32; shift -= 4) token += "0123456789abcdef"[hash >> shift & 15];
  return token;
}

std::string Redactor::Words(std::string_view text) const {
  std::string redacted;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    if (end > 0) redacted += Token(text.substr(0, end));
    if (end < text.size()) redacted += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return redacted;
}

std::string Redactor::Json(std::string_view text) const {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return Words(text);
  RedactValue(value, *this);
  return json::serialize(value);
}

std::string Redactor::Command(std::string_view line) const {
  const std::string_view tool = TakeWord(line);
  std::string redacted(tool.substr(tool.rfind('/') + 1));
  bool subcommand = false;  // was there
  bool value = false;       // of an option before the subcommand comes
  while (!line.empty()) {
    const std::string_view word = TakeWord(line);
    redacted += ' ';
    if (word == "--") return redacted + "--" + (line.empty() ? "" : " " + Words(line));
    if (word.starts_with('-')) {
      const std::size_t name = std::min(word.find('='), word.size());
      redacted += std::string(word.substr(0, name)) + Words(word.substr(name));
    } else if (!subcommand && !value) {
      subcommand = word != "worktree";  // whose own comes next
      redacted += word;
    } else {
      redacted += Words(word);
    }
    value = !subcommand && (word == "-C" || word == "-c");
  }
  return redacted;
}

std::string Redactor::BehindColon(std::string_view text) const {
  const std::size_t first = text.find(':');
  // "exit 1: can't find session: work" has another.
  const std::size_t second = text.substr(0, first).find(' ') == std::string_view::npos
                                 ? std::string_view::npos
                                 : text.find(':', first + 1);
  const std::size_t colon = second != std::string_view::npos ? second : first;
  std::string redacted;
  std::string_view head = text.substr(0, colon);
  while (!head.empty()) {
    const std::string_view word = TakeWord(head);
    const bool path = word.find_first_of("/'\"") != std::string_view::npos && word != "can't";
    redacted += (path ? Words(word) : std::string(word)) + (head.empty() ? "" : " ");
  }
  return colon == std::string_view::npos ? redacted : redacted + Words(text.substr(colon));
}

}  // namespace oj
