// Redactor: a dump's texts without what is private in them: what is not known to be the daemon's
// own word is a token, the same text the same one, so that equal ids and paths stay equal. Tokens
// are counted, not computed: nothing leads back from one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oj {

class Redactor {
 public:
  // A request's payload: its type, flags, limits and the number of a request to cancel stay; what
  // is no field of the protocol is left out, and what is no request is one token.
  std::string Request(std::string_view payload);
  // A line of the state: its keys, statuses, numbers and times stay.
  std::string Record(std::string_view line);
  // Of a command, without the tool: the daemon's own subcommands and options stay, in the places
  // where they are that.
  std::vector<std::string> Arguments(const std::vector<std::string>& arguments);
  // "exit 1: can't find session: work": how it ended, and what the core judges by, stay.
  std::string Result(std::string_view result);
  // "session:work": what is before the colon stays.
  std::string Key(std::string_view key);
  // Prose: every word is a token.
  std::string Words(std::string_view text);

 private:
  std::string Token(std::string_view text);
  // A path name by name, anything else as a whole.
  std::string Value(std::string_view text);
  std::string Target(std::string_view text);
  std::string Lock(std::string_view said);

  std::map<std::string, std::string, std::less<>> tokens_;
};

}  // namespace oj
