// Redactor: texts without what is private in them: each word becomes a token, the same word the
// same one, so that equal ids and paths stay equal; the shape, tools, subcommands and options stay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oj {

class Redactor {
 public:
  // `key` makes tokens that cannot be looked up in a list of words.
  explicit Redactor(std::uint64_t key) : key_(key) {}

  // Every word: what is between blanks, quotes, brackets and any of / : = , ; ~
  std::string Words(std::string_view text) const;
  // Of JSON text, every string but those of "type", "status" and "code"; of any other, every word.
  std::string Json(std::string_view text) const;
  // A command line: the tool, its subcommand and options stay; behind "--" nothing does.
  std::string Command(std::string_view line) const;
  // "session:work", "exit 1: can't find session: work": all behind the first colon, and paths.
  std::string BehindColon(std::string_view text) const;

 private:
  std::string Token(std::string_view word) const;
  std::uint64_t key_;
};

}  // namespace oj
